-- name: propose_conversion$
-- Proposes a conversion on the issuer's paper.
select registry.propose_conversion(:actor, :request, :offering, :conversion, cast(:asked as jsonb));

-- name: confirm_input$
-- Confirms an input of the formula from a paper.
select registry.confirm_input(:actor, :request, :offering, :conversion, cast(:said as jsonb));

-- name: decide_conversion$
-- Approves or declines a conversion as another person, on the version seen.
select registry.decide_conversion(:actor, :request, :offering, :conversion, :is_approved, :because, :seen);

-- name: abandon_conversion$
-- Gives up a conversion that has not begun.
select registry.abandon_conversion(:actor, :request, :offering, :conversion, :because);

-- name: begin_conversion$
-- Works out every holder and wallet of an approved conversion and begins it, or refuses it by the first thing that hinders it.
select registry.begin_conversion(:actor, :request, :offering, :conversion, cast(:undelivered as bigint));

-- name: conversions
-- The conversions of an offer, the newest first, with their people, their price and how many wallets the chains have still to change.
select * from registry.conversion_standing c where c.offering_id = :offering order by c.proposed_at desc, c.conversion_id;

-- name: conversion_hindrances
-- Everything that keeps a conversion from beginning now.
select rule, detail from registry.conversion_hindrances(:offering, :conversion);

-- name: conversion_inputs
-- The inputs of a conversion in the order of its formula, with who confirmed each; without one where nobody has.
select n.name, i.amount, i.day, i.source, i.source_sha256, i.confirmed_by, i.confirmed_at
from registry.conversion c cross join lateral unnest(registry.inputs_of_conversion(c)) with ordinality n (name, place)
left join registry.conversion_input_standing i on i.offering_id = c.offering_id and i.conversion_id = c.conversion_id and i.name = n.name
where c.offering_id = :offering and c.conversion_id = :conversion order by n.place;

-- name: conversion_working
-- What each holder has, what it stands for, what it gets and the cash owed for the fraction.
select * from registry.conversion_working(:offering, :conversion);

-- name: open_wallets
-- Wallets of both classes that the chain has still to change and that no transaction under way does, those that lose first.
select offering_id, address, units from registry.conversion_open
where from_offering_id = :offering and conversion_id = :conversion and not is_waiting order by units > 0, address;

-- name: planned_wallets
-- Which wallets of the new class would get how many units, with the country of their holder.
select * from registry.wallets_of_conversion(:offering, :conversion);

-- name: classes_to_become
-- The other offers of the same issuer, in the same currency, whose token is deployed.
select o.offering_id, o.name from engine.offer o join engine.offer s on s.issuer_id = o.issuer_id and s.currency = o.currency
where s.offering_id = :offering and o.offering_id <> s.offering_id and o.token_address is not null order by o.name, o.offering_id;

-- name: wallets_before
-- Where the register has units of an offer on chain.
select address, units from registry.address_units where offering_id = :offering order by address;

-- name: conversions_under_way
-- Conversions that are agreed or begun.
select offering_id, conversion_id, into_offering_id, status, effective_at <= clock_timestamp() as is_due from registry.conversion
where status in ('approved', 'begun') order by effective_at, conversion_id;
