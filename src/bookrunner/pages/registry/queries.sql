-- name: registers
-- Each offer with what waits at its agent, or one of them.
select o.offering_id, o.name, o.status, o.currency, o.token_address is not null as has_token,
    (select count(*) from registry.wallet_mapping w where w.offering_id = o.offering_id
        and w.status in ('claimed', 'screened', 'issuer_approved')) as wallets,
    (select count(*) from registry.issuance_instruction i where i.offering_id = o.offering_id
        and i.status in ('prepared', 'submitted')) as instructions,
    (select count(*) from registry.key_stop k where k.offering_id = o.offering_id and k.status in ('stopped', 'proposed'))
        + (select count(*) from registry.delivery_stop s where s.offering_id = o.offering_id
            and s.status in ('stopped', 'proposed')) as stops,
    (select count(*) from registry.record_difference d where d.offering_id = o.offering_id and d.status = 'open') as differences,
    (select count(*) from registry.transfer_request q where q.offering_id = o.offering_id and q.status = 'screened')
        + (select count(*) from registry.observed_transfer v where v.offering_id = o.offering_id
            and v.status not in ('matched', 'resolved')) as transfers,
    (select count(*) from registry.venue v where v.offering_id = o.offering_id and (v.status = 'proposed' or v.next_key is not null))
        + (select count(*) from registry.trade_alarm a where a.offering_id = o.offering_id and a.status = 'raised')
        + (select count(*) from registry.settlement s where s.offering_id = o.offering_id and s.status = 'parted') as market,
    (select count(*) from registry.turnaround_item t where t.offering_id = o.offering_id and t.status = 'received') as open_items,
    (select count(*) from registry.control_change c where c.offering_id = o.offering_id and c.status = 'proposed')
        + (select count(*) from registry.legend_removal l where l.offering_id = o.offering_id and l.status = 'proposed') as proposals,
    (select count(*) from registry.control_action a where a.offering_id = o.offering_id
        and a.status in ('asked', 'approved', 'submitted', 'reverted')) as controls,
    (select count(*) from registry.registration_change g where g.offering_id = o.offering_id and g.status = 'proposed')
        + (select count(*) from registry.lost_standing l where l.offering_id = o.offering_id
            and (l.status = 'returned' or l.search_is_open)) as records,
    p.because as paused_because, p.asked_by as paused_by, p.decided_by as paused_with, p.decided_at as paused_at
from engine.offer o left join registry.pause_fact p on p.offering_id = o.offering_id and p.status = 'paused'
where cast(:offering as text) is null or o.offering_id = :offering order by o.offering_id;

-- name: comparisons
-- Each pair of totals that must be equal.
select kind, left_units, right_units, left_units - right_units as difference_units
from registry.comparison where offering_id = :offering;

-- name: differences
-- Differences that are open or were resolved of late.
select difference_id, status, kind, left_units, right_units, found_at, resolved_by, resolved_because
from registry.record_difference where offering_id = :offering order by status, found_at desc limit 50;

-- name: control_changes
-- Changes of the authorised units, those that wait first.
select change_id, status, units_before, units_after, authority_reference, encode(authority_sha256, 'hex') as authority_sha256,
    proposed_by, decided_by from registry.control_change where offering_id = :offering
order by (status = 'proposed') desc, change_id desc limit 50;

-- name: subsidiary
-- The subsidiary file: what is kept apart, the oldest first.
select entry_id, status, side, units, reference, because, owner, opened_by, opened_at, holding_id, resolved_by
from registry.subsidiary_entry where offering_id = :offering order by status, opened_at limit 50;

-- name: holdings
-- The master securityholder file with the wallet of each holder.
select h.holding_id, h.investor_id, h.status, h.units, '0x' || encode(w.address, 'hex') as address,
    (select count(*) from registry.wallet_mapping j where j.offering_id = h.offering_id and j.investor_id = h.investor_id
        and j.status = 'joined') as further,
    encode(h.registration_digest, 'hex') as registration_digest, count(*) over () as total
from registry.holding h
left join registry.wallet_mapping w on w.offering_id = h.offering_id and w.investor_id = h.investor_id and w.status = 'linked'
where h.offering_id = :offering order by h.holding_id limit cast(:most as integer) offset cast(:skip as integer);

-- name: holding^
-- One holding.
select h.holding_id, h.investor_id, h.status, h.units, g.registration_fact, g.form, g.co_holder_id, g.version_no,
    encode(g.registration_digest, 'hex') as registration_digest
from registry.holding h, lateral registry.registration_of(h.offering_id, h.holding_id, 'infinity') g
where h.offering_id = :offering and h.holding_id = :holding;

-- name: places
-- Where the units of a holding stand now, by address.
select address, units from registry.places_of(:offering, :holding, 'infinity');

-- name: lots
-- The lots of a holding with their legends and removals.
select lot_id, units, acquired_on, legend, removal_id, removal, basis, because, proposed_by, decided_by
from registry.lot_standing where offering_id = :offering and holding_id = :holding order by lot_id;

-- name: postings
-- What was posted to a holding, and by which instruction or movement and transaction.
select p.posting_id, coalesce(p.instruction_id, p.movement_id) as origin, p.units,
    encode(coalesce(p.transaction_hash, m.transaction_hash), 'hex') as transaction_hash, p.posted_at
from registry.posting p left join registry.movement m on m.offering_id = p.offering_id and m.movement_id = p.movement_id
where p.offering_id = :offering and p.holding_id = :holding order by p.posted_at, p.posting_id;

-- name: wallets
-- Every wallet of an offer: those that lack a step first.
select mapping_id, investor_id, '0x' || encode(address, 'hex') as address, status, proof_kind, controller, custodian_id, is_effective, missing_step,
    replaces, '0x' || encode(effective_address, 'hex') as effective_address, claimed_at, screened_at, approved_by, approved_at,
    linked_by, linked_at, superseded_by, ended_at, refused_because
from registry.wallet_standing where offering_id = :offering
order by missing_step is null, claimed_at desc, mapping_id limit cast(:most as integer);

-- name: instructions
-- What was instructed, those on their way first.
select instruction_id, investment_id, investor_id, closing_id, status, units, '0x' || encode(address, 'hex') as address,
    authorised_by, transaction_id, stopped_because from registry.issuance_instruction where offering_id = :offering
order by array_position('{submitted,prepared,reverted,stopped,posted}', status), instruction_id limit cast(:most as integer);

-- name: batches
-- Signed transactions with how many lines each delivers.
select transaction_id, purpose, status, nonce, encode(hash, 'hex') as hash, jsonb_array_length(lines) as lines, block_number
from registry.chain_transaction where offering_id = :offering order by transaction_id desc limit 50;

-- name: stops
-- What keeps an offer from signing: keys that somebody else used, and a token or key that is not as recorded.
select 'key' as kind, '0x' || encode(sender, 'hex') as what, status, proposed_by, start_because as because
from registry.key_stop where offering_id = :offering and status in ('stopped', 'proposed')
union all
select 'token', replace(array_to_string(changed, ', '), '_', ' '), status, proposed_by, acknowledged_because
from registry.delivery_stop where offering_id = :offering and status in ('stopped', 'proposed')
order by 1, 2;

-- name: items
-- The turnaround log: what is overdue first, inquiries before the rest; due today or tomorrow is due soon.
select item_id, status, kind, is_routine, reference, received_at, counts_from, due_on, closed_at, closed_by, because,
    status = 'received' and due_on < (clock_timestamp() at time zone 'America/New_York')::date as is_overdue,
    status = 'received' and due_on <= (clock_timestamp() at time zone 'America/New_York')::date + 1 as is_due_soon
from registry.turnaround_item where offering_id = :offering
order by (status = 'received') desc, (status = 'received' and due_on < (clock_timestamp() at time zone 'America/New_York')::date) desc,
    kind <> 'inquiry', due_on, item_id limit cast(:most as integer);

-- name: control_queue
-- Control actions, those that wait for somebody first, with where they stand on chain.
select action_id, status, kind, investor_id, receiver_id, mapping_id, observed_id, units, because, order_reference,
    (select '0x' || encode(o.to_address, 'hex') from registry.observed_transfer o
        where (o.offering_id, o.observed_id) = (c.offering_id, c.observed_id)) as wallet_seen,
    encode(order_sha256, 'hex') as order_sha256, asked_by, asked_at, decided_by, decided_because, decided_at, failed_because,
    ended_at, calls, final_calls, '0x' || encode(transaction_hash, 'hex') as transaction_hash
from registry.control_standing c where offering_id = :offering
order by status in ('asked', 'approved', 'submitted', 'reverted') desc, asked_at desc, action_id limit cast(:most as integer);

-- name: restraints
-- Which accounts are frozen, wholly or in part, beside what they hold.
select r.investor_id, r.status, r.frozen_units, coalesce(h.units, 0) as units,
    registry.free_units(r.offering_id, r.investor_id) as free_units, r.action_id
from registry.account_restraint r
left join registry.holding h on h.offering_id = r.offering_id and h.investor_id = r.investor_id
where r.offering_id = :offering and (r.status = 'frozen' or r.frozen_units > 0)
order by r.investor_id limit cast(:most as integer);
