-- name: act_on_schedule^
-- Claims the key, does one act on terms of coupons, stores the answer.
select answer, is_replay from api.act_on_schedule(:key, :request, :body_sha256, :offering, :subject, :version, :act, cast(:said as jsonb));

-- name: act_on_fixing^
-- Claims the key, does one act on a fixing, stores the answer.
select answer, is_replay from api.act_on_fixing(:key, :request, :body_sha256, :offering, :subject, :version, :act, cast(:said as jsonb));

-- name: act_on_amortisation^
-- Claims the key, does one act on terms of principal, stores the answer.
select answer, is_replay from api.act_on_amortisation(:key, :request, :body_sha256, :offering, :subject, :version, :act, cast(:said as jsonb));

-- name: draft_coupon^
-- Claims the key, drafts the distribution that pays a coupon, stores the answer.
select answer, is_replay from api.draft_coupon(:key, :request, :body_sha256, :offering, :distribution, cast(:number as integer),
    cast(:said as jsonb));

-- name: draft_instalment^
-- Claims the key, drafts the distribution that pays an instalment, stores the answer.
select answer, is_replay from api.draft_instalment(:key, :request, :body_sha256, :offering, :distribution, cast(:number as integer),
    cast(:said as jsonb));

-- name: act_on_paying_wallet^
-- Claims the key, does one act on a wallet that an offer pays from, stores the answer.
select answer, is_replay from api.act_on_paying_wallet(:key, :request, :body_sha256, :offering, :subject, :version, :act, cast(:said as jsonb));

-- name: coupon_schedules
-- The terms of coupons of an offer, the last first.
select s.schedule_id, s.status, s.kind, s.rate_bp, s.index_name, s.base_value, s.principal_minor, s.day_count, s.months, s.starts_on, s.ends_on,
    s.proposed_by, s.decided_by, s.version
from engine.coupon_schedule s where s.offering_id = :offering order by s.proposed_at desc, s.schedule_id desc limit 50;

-- name: coupon_fixings
-- What indices were, those that wait first.
select f.fixing_id, f.status, f.index_name, f.fixed_on, f.value, f.source, f.proposed_by, f.decided_by, f.version
from engine.coupon_fixing f where f.offering_id = :offering and f.status <> 'declined'
order by f.status desc, f.fixed_on desc, f.fixing_id limit 200;

-- name: principal_terms
-- The terms of principal of an offer with what is left of a unit, the last first.
select a.amortisation_id, a.status, a.principal_minor, l.left_minor, a.proposed_by, a.decided_by, a.version from engine.amortisation a
left join engine.principal_left(:offering, 'infinity') l using (amortisation_id) where a.offering_id = :offering
order by a.proposed_at desc, a.amortisation_id desc limit 50;

-- name: instalments
-- The instalments of the terms in force, each with the distribution that pays it.
select i.number, i.due_on, i.part_minor, r.distribution_id, r.status from engine.amortisation a
join engine.instalment i using (offering_id, amortisation_id)
left join lateral (select x.distribution_id, d.status from engine.instalment_run x join engine.distribution d using (offering_id, distribution_id)
    where x.offering_id = i.offering_id and x.amortisation_id = i.amortisation_id and x.number = i.number and d.status <> 'cancelled') r on true
where a.offering_id = :offering and a.status = 'in_force' order by i.number;

-- name: principal_lots
-- What each lot has left of its principal, after a place in the order of their ids.
select lot_id, investor_id, left_units, outstanding_minor from engine.lot_principal
where offering_id = :offering and (cast(:after as text) is null or lot_id > :after) order by lot_id limit cast(:most as integer);

-- name: paying_wallets
-- The wallets that an offer pays from, that in force first.
select w.wallet_id, w.status, w.coin_id, w.chain_id, w.address, w.proposed_by, w.decided_by, w.version from treasury.paying_wallet w
where w.offering_id = :offering order by w.status <> 'in_force', w.wallet_id desc limit 50;

-- name: coin_accepted$
-- The coin that an offer takes now, if it takes one alone.
select case when count(*) = 1 then min(coin_id) end from treasury.accepted_coin where offering_id = :offering and status = 'accepted';
