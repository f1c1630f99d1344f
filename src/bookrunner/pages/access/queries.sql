-- name: open_session$
-- Opens a session for a key that is in force; returns until when.
select api.open_session(:key, :session);

-- name: session_of^
-- The actor of a session that is in force and in use, its begin and end, its factors, and how its person reads; an act of a
-- person is a use.
select actor, ends_at, opened_at, has_two_factors, language, zone from api.session_of(:session, :is_act);

-- name: end_session$
-- Ends a session.
select api.end_session(:session);

-- name: is_of_another$
-- Whether an investment is somebody else's than this investor's; one that is not known is nobody's.
select exists (select from engine.stage s where s.investment_id = :investment and s.investor_id <> :investor);

-- name: is_shown$
-- Whether this investor invests in an offer, or, where the public page is asked for, whether it is published; one under Rule
-- 506(b) is not shown to strangers, which would solicit them (17 CFR 230.502(c)).
select exists (select from engine.offer o where o.offering_id = :offering
    and (cast(:is_public as boolean) and o.status = 'published' and (o.exemption <> '506(b)' or cast(:investor as text) is not null)
        or exists (select from engine.stage s where s.offering_id = o.offering_id and s.investor_id = cast(:investor as text))));

-- name: delegation_in_force^
-- Whom a delegate acts for by a delegation that stands now, and in which scope.
select d.investor_id, d.scope from portal.delegation d
where d.delegation_id = :delegation and d.delegate = :delegate and d.status = 'in_force'
    and clock_timestamp() >= d.valid_from and clock_timestamp() < d.valid_until and not api.is_shut(d.investor_id)
    and not portal.is_erased(d.investor_id);
