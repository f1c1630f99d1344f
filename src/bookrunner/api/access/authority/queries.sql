-- name: admit^
-- Who is behind a key, and what it may call, on which offers, from where; refuses a key that is not in force.
select actor, operations, offers, networks from api.admit(:key);

-- name: refuse_call^
-- Why a key may not make a call; the refusal is kept.
select rule, detail from api.refuse_call(:key, :operation, :request, :rule);

-- name: offer_of$
-- The offer of an investment or an agreement.
select api.offer_of(:investment, :agreement);

-- name: authority
-- Who may call what, in the order of the areas.
select operation, area, kind, reveals, roles, login, verbs, four_eyes from api.operation order by area, operation;

-- name: client_keeper$
-- The keeper of the client that an OpenID provider calls so; nothing for one that two people have not bound.
select api.client_keeper(:issuer, :subject);

-- name: accept_token$
-- Takes a verified token for its client.
select api.accept_token(:token, :issuer, :subject, cast(:actions as text[]), :ends);

-- name: ask_emergency!
-- Asks for the right to end the keys of a keeper.
select engine.ask_emergency(:actor, :request, :emergency, :keeper, :reason, :minutes);

-- name: grant_emergency!
-- Grants it, as another person.
select engine.grant_emergency(:actor, :request, :emergency);

-- name: end_emergency!
-- Ends it before its time.
select engine.end_emergency(:actor, :request, :emergency);

-- name: end_keys$
-- Ends every key of its keeper; returns how many.
select engine.end_keys(:actor, :request, :emergency);
