-- name: conversions
-- The conversions of an offer, the newest first, with their sums and the rules that an agreed one waits for.
select c.*, array(select h.rule from registry.conversion_hindrances(c.offering_id, c.conversion_id) h where c.status = 'approved'
    order by h.place) as waits_for
from registry.conversion_standing c where c.offering_id = :offering order by c.proposed_at desc, c.conversion_id;

-- name: conversion_inputs
-- The inputs of a conversion as they stand, with who confirmed each.
select * from registry.conversion_input_standing i where i.offering_id = :offering and i.conversion_id = :conversion order by i.name;

-- name: conversion_working
-- What each holder has, what it stands for, what it gets and the cash owed for the fraction.
select * from registry.conversion_working(:offering, :conversion);

-- name: propose_conversion^
-- Claims the key, proposes a conversion, stores the answer.
select answer, is_replay from api.propose_conversion(:key, :request, :body_sha256, :offering, :conversion, cast(:terms as jsonb));

-- name: confirm_input^
-- Claims the key, confirms an input of a conversion, stores the answer.
select answer, is_replay from api.confirm_input(:key, :request, :body_sha256, :offering, :conversion, cast(:said as jsonb));

-- name: decide_conversion^
-- Claims the key, approves, declines or abandons a conversion on its version, stores the answer.
select answer, is_replay from api.decide_conversion(:key, :request, :body_sha256, :offering, :conversion, :version, :decision, :because);
