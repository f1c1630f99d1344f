-- name: open_session$
-- Opens a session for a key that is in force; returns until when.
select api.open_session(:key, :session);

-- name: session_of^
-- The actor of a session that is in force and in use, its begin and end; an act of a person is a use.
select actor, ends_at, opened_at from api.session_of(:session, :is_act);

-- name: end_session$
-- Ends a session.
select api.end_session(:session);
