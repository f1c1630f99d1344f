-- name: propose_venue$
-- Proposes a venue with its agreement and its key.
select registry.propose_venue(:actor, :request, :offering, :venue, cast(:said as jsonb));

-- name: decide_venue$
-- A second person puts a venue or its next key in force as it was seen, or declines it.
select registry.decide_venue(:actor, :request, :offering, :venue, :is_approved, :because, cast(:seen as bigint));

-- name: propose_venue_key$
-- Proposes another key of a venue.
select registry.propose_venue_key(:actor, :request, :offering, :venue, :public_key);

-- name: end_venue$
-- Takes no further trade of a venue.
select registry.end_venue(:actor, :request, :offering, :venue, :because);

-- name: venues
-- The venues of an offer, those that wait first, with how many trades each sent.
select v.venue_id, v.status, v.kind, v.name, v.registered_as, encode(v.agreement_sha256, 'hex') as agreement_sha256,
    encode(v.public_key, 'hex') as public_key, encode(v.next_key, 'hex') as next_key, v.next_key_by, v.key_declined_because,
    v.version, v.proposed_by, v.decided_by,
    v.ended_by, v.ended_because, (select count(*) from registry.trade t where t.offering_id = v.offering_id
        and t.venue_id = v.venue_id) as trades
from registry.venue v where v.offering_id = :offering
order by v.next_key is null, array_position('{proposed,in_force,ended,declined}', v.status), v.name, v.venue_id;

-- name: venue_key$
-- The key that signs for a venue; null where the offer has no such venue in force.
select v.public_key from registry.venue v where v.offering_id = :offering and v.venue_id = :venue and v.status = 'in_force';

-- name: hear_trade$
-- Takes a verified message of a venue; says what became of its trade.
select registry.hear_trade(:actor, :request, :offering, :venue, cast(:signed as jsonb), :body, cast(:told as jsonb), :transfer,
    :item, cast(:clock as jsonb));

-- name: trades
-- Trades of an offer, the newest first, each with where its transfer stands.
select t.trade_id, t.status, t.venue_id, v.name as venue, t.number, t.seller_id, t.buyer_id, t.units, t.price_minor, t.currency,
    t.executed_at, t.request_id, q.status as transfer_status, t.rules
from registry.trade t join registry.venue v using (offering_id, venue_id)
left join registry.transfer_request q using (offering_id, request_id)
where t.offering_id = :offering order by t.executed_at desc, t.trade_id limit cast(:most as integer);

-- name: trade_alarms
-- Contradictions of an offer's venues, those that are open first.
select a.alarm_id, a.status, a.rule, a.venue_id, a.message_id, a.trade_id, encode(a.body_sha256, 'hex') as body_sha256,
    a.answered_by, a.answered_because
from registry.trade_alarm a where a.offering_id = :offering order by a.status desc, a.alarm_id limit cast(:most as integer);

-- name: answer_trade_alarm$
-- Says what a contradiction was.
select registry.answer_trade_alarm(:actor, :request, :offering, :alarm, :because);

-- name: open_settlements
-- Sales against a coin of which a leg may still be seen, those that wait for both first; who pays whom, by wallet.
select s.request_id, s.status, s.coin, s.base_units,
    registry.payer_of(q) as payer, registry.payee_of(q) as payee
from registry.settlement s join registry.transfer_request q using (offering_id, request_id)
where s.offering_id = :offering and (s.status in ('agreed', 'parted', 'dropped') or s.status = 'returned' and s.paid_hash is null)
order by array_position('{agreed,parted,returned,dropped}', s.status), s.request_id;

-- name: note_payment$
-- Notes a coin that went without its units, or came back; says which, null for any other.
select registry.note_payment(:actor, :request, :offering, :transfer, cast(:log as jsonb));

-- name: settlements
-- Sales against a coin, those that are parted first.
select s.settlement_id, s.request_id, s.status, encode(s.coin, 'hex') as coin, s.base_units, encode(s.paid_hash, 'hex') as paid_hash,
    encode(s.observed_hash, 'hex') as observed_hash, s.observed_id, encode(s.returned_hash, 'hex') as returned_hash, q.seller_id, q.buyer_id,
    q.units, q.price_minor, q.currency
from registry.settlement s join registry.transfer_request q using (offering_id, request_id) where s.offering_id = :offering
order by array_position('{parted,agreed,settled,returned,dropped}', s.status), s.request_id limit cast(:most as integer);

-- name: post_interest$
-- Puts what somebody would buy or sell on the board.
select registry.post_interest(:actor, :request, :offering, :interest, cast(:said as jsonb));

-- name: match_interest$
-- Takes an interest as a whole and asks for its transfer.
select registry.match_interest(:actor, :request, :offering, :interest, :investor, :transfer, :item, cast(:clock as jsonb));

-- name: withdraw_interest$
-- Takes an interest of an investor off the board.
select registry.withdraw_interest(:actor, :request, :offering, :interest, :investor);

-- name: board
-- What stands on the board of an offer, so many of each side, without who posted it; whether it is of the one who looks, whose own come all.
select interest_id, side, units, price_minor, currency, ends_on, is_own from (
    select i.*, coalesce(i.investor_id = cast(:investor as text), false) as is_own, row_number() over (partition by i.side
        order by case i.side when 'sell' then i.price_minor else -i.price_minor end, i.interest_id) as place
    from registry.interest i where i.offering_id = :offering and i.status = 'posted' and i.ends_on >= registry.today()) b
where b.place <= cast(:most as integer) or b.is_own order by b.side desc, b.place;

-- name: interests
-- Every interest of an offer as the agent sees it, those that stand first, each with where its transfer stands.
select i.interest_id, i.status, i.side, i.investor_id, i.units, i.price_minor, i.currency, i.ends_on, i.ends_on < registry.today() as is_over,
    i.matched_with, i.request_id, q.status as transfer_status
from registry.interest i left join registry.transfer_request q using (offering_id, request_id) where i.offering_id = :offering
order by array_position('{posted,matched,withdrawn}', i.status), i.ends_on, i.interest_id limit cast(:most as integer);

-- name: swap_of^
-- What both holders of an approved sale against a coin move, and between which wallets; no row of any other.
select q.seller_id, q.buyer_id, q.units, q.approved_until, o.token_address as token, o.chain_id, s.coin, s.base_units,
    registry.payee_of(q) as maker, registry.payer_of(q) as taker
from registry.transfer_request q join registry.settlement s using (offering_id, request_id) join engine.offer o using (offering_id)
where q.offering_id = :offering and q.request_id = :transfer and q.status = 'approved' and s.status = 'agreed'
    and q.approved_until > clock_timestamp() and (cast(:investor as text) is null or cast(:investor as text) in (q.seller_id, q.buyer_id));
