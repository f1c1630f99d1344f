-- Escrow of a closing goes to the issuer: two people, each naming payee and amount, only for registered holdings.

-- The lines of a closing that may be released now, and have not been.
create function treasury.releasable(p_offering text, p_closing text) returns table (investment_id text, amount_minor bigint)
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off
begin atomic
    select m.investment_id, m.amount_minor from engine.closing_member m
    join engine.position pos on pos.offering_id = m.offering_id and pos.investment_id = m.investment_id
    where m.offering_id = p_offering and m.closing_id = p_closing and m.status in ('frozen', 'issued')
        and pos.funds_are_cleared and pos.holding_is_registered and not pos.holding_is_held
        and not exists (select from treasury.release_line l
            where l.offering_id = m.offering_id and l.investment_id = m.investment_id)
    order by m.investment_id;
end;

-- The fees that investors were shown, over the lines that may be released: of each line its part, rounded down, or the flat fee.
create function treasury.fees_shown(p_offering text, p_closing text) returns table (kind text, amount_minor numeric)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select f.kind, sum(coalesce(f.flat_minor, l.amount_minor * f.basis_points / 10000))
    from treasury.fee f cross join treasury.releasable(p_offering, p_closing) l
    where f.offering_id = p_offering and f.status = 'declared' and f.borne_by = 'issuer' group by f.kind;
end;

-- Whether a release withholds anything else than the fees that were shown, kind by kind.
create function treasury.fees_differ(p_offering text, p_release text, p_closing text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select exists (select from (select s.kind, s.amount_minor from treasury.fees_shown(p_offering, p_closing) s where s.amount_minor > 0) s
        full join (select d.kind, sum(d.amount_minor) as amount_minor from treasury.deduction d
            where d.offering_id = p_offering and d.release_id = p_release group by d.kind) d using (kind)
        where s.amount_minor is distinct from d.amount_minor);
end;

-- Deductions are {kind, payee, fingerprint, amount}: fees and commissions that the issuer bears, each a line of its own.
create function treasury.propose_release(p_actor text, p_request text, p_offering text, p_release text,
    p_closing text, p_payee_fingerprint bytea, p_deductions jsonb default '[]') returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    total bigint;
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from engine.closing c where c.offering_id = p_offering and c.closing_id = p_closing) then
        raise exception using errcode = 'BR404', constraint = 'closing_exists',
            message = format('there is no closing %s in %s', p_closing, p_offering);
    end if;
    select sum(l.amount_minor) into total from treasury.releasable(p_offering, p_closing) l;
    if total is null then
        raise exception using errcode = 'BR008', constraint = 'holding_stands_before_escrow_is_released',
            message = format('no investment of %s is registered and unreleased', p_closing);
    end if;
    insert into treasury.release (offering_id, release_id, closing_id, status, amount_minor, currency,
        payee_fingerprint, deducted_minor, proposed_by)
    select p_offering, p_release, p_closing, 'proposed', total, o.currency, p_payee_fingerprint,
        (select coalesce(sum((d ->> 'amount')::bigint), 0) from jsonb_array_elements(p_deductions) d), p_actor
    from engine.offer o where o.offering_id = p_offering;
    insert into treasury.deduction (offering_id, release_id, line, kind, payee, payee_fingerprint, amount_minor)
    select p_offering, p_release, d.place, d.part ->> 'kind', d.part ->> 'payee', decode(d.part ->> 'fingerprint', 'hex'),
        (d.part ->> 'amount')::bigint from jsonb_array_elements(p_deductions) with ordinality as d (part, place);
    return total;
end $$;

-- The second person names payee and amount again, and the net where something is deducted, and says why where that is not
-- the fees that investors were shown; the lines are computed again under their locks.
create function treasury.approve_release(p_actor text, p_request text, p_offering text, p_release text,
    p_payee_fingerprint bytea, p_amount_minor bigint,
    p_net_minor bigint default null, p_because text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.release;
    total bigint;
    lines jsonb;
    fees jsonb := '[]';
    fee record;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into r from treasury.release where offering_id = p_offering and release_id = p_release for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'release_exists',
            message = format('there is no release %s', p_release);
    end if;
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id in (
        select m.investment_id from engine.closing_member m
        where m.offering_id = p_offering and m.closing_id = r.closing_id) order by pos.investment_id for update;
    select sum(l.amount_minor), jsonb_agg(jsonb_build_object('account', 'liab:inv:' || l.investment_id || ':cleared',
        'side', 'debit', 'amount', l.amount_minor)) into total, lines
    from treasury.releasable(p_offering, r.closing_id) l;
    if total is distinct from p_amount_minor or r.amount_minor <> p_amount_minor
        or r.payee_fingerprint <> p_payee_fingerprint
        or coalesce(p_net_minor, r.amount_minor) <> r.amount_minor - r.deducted_minor then
        raise exception using errcode = 'BR008', constraint = 'both_people_confirm_payee_and_amount',
            message = format('%s was proposed for another payee or amount', p_release);
    end if;
    r.fees_differ := treasury.fees_differ(p_offering, p_release, r.closing_id);
    if r.fees_differ and coalesce(p_because, '') !~ '\S' then
        raise exception using errcode = 'BR008', constraint = 'deductions_are_the_fees_shown',
            message = format('%s does not withhold the fees that investors were shown, and nobody says why', p_release);
    end if;
    perform treasury.cash(p_offering, r.currency, 'credit', total);
    insert into treasury.release_line (offering_id, investment_id, release_id, amount_minor)
    select p_offering, l.investment_id, p_release, l.amount_minor from treasury.releasable(p_offering, r.closing_id) l;
    perform treasury.post(p_offering, 'closed:' || p_release, 'closing_settled', r.currency,
        lines || jsonb_build_array(jsonb_build_object('account', 'liab:issuer_payable', 'side', 'credit', 'amount', total)));
    update treasury.release set status = 'approved', approved_by = p_actor, fees_differ = r.fees_differ,
        differ_because = case when r.fees_differ then p_because end
    where offering_id = p_offering and release_id = p_release;
    update treasury.payment_attempt a set status = 'settled' from treasury.release_line l
    where l.offering_id = p_offering and l.release_id = p_release and a.offering_id = l.offering_id
        and a.investment_id = l.investment_id and a.status = 'cleared';
    for fee in select d.payee, sum(d.amount_minor) as amount from treasury.deduction d
        where d.offering_id = p_offering and d.release_id = p_release group by d.payee order by d.payee loop
        fees := fees || jsonb_build_array(jsonb_build_object('account', 'liab:fee:' || fee.payee, 'amount', fee.amount));
    end loop;
    if fees <> '[]' then
        perform treasury.post(p_offering, 'deducted:' || p_release, 'fees_deducted', r.currency, jsonb_build_array(jsonb_build_object(
            'account', 'liab:issuer_payable', 'side', 'debit', 'amount', r.deducted_minor))
            || (select jsonb_agg(f || '{"side": "credit"}') from jsonb_array_elements(fees) f));
    end if;
    perform treasury.post(p_offering, 'released:' || p_release, 'escrow_released', r.currency, jsonb_build_array(
        jsonb_build_object('account', 'liab:issuer_payable', 'side', 'debit', 'amount', total - r.deducted_minor),
        jsonb_build_object('account', 'asset:escrow_bank', 'side', 'credit', 'amount', total))
        || (select coalesce(jsonb_agg(f || '{"side": "debit"}'), '[]') from jsonb_array_elements(fees) f));
    update treasury.release set status = 'sent' where offering_id = p_offering and release_id = p_release;
end $$;

create function treasury.decline_release(p_actor text, p_request text, p_offering text, p_release text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update treasury.release set status = 'declined' where offering_id = p_offering and release_id = p_release;
end $$;

-- Commits the bytes of the order that pays a release, once: issuer and payees of fees in one order.
create function treasury.store_release_payout(p_actor text, p_request text, p_offering text, p_payout text, p_content bytea,
    p_release text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.release;
begin
    perform audit.enter(p_actor, p_request);
    select * into r from treasury.release where offering_id = p_offering and release_id = p_release for update;
    if r.status is distinct from 'sent' or r.payout_id is not null then
        raise exception using errcode = 'BR008', constraint = 'release_is_paid_once',
            message = format('%s is not approved, or has its order', p_release);
    end if;
    insert into treasury.payout (offering_id, payout_id, status, purpose, content, content_sha256, amount_minor, currency, orders)
    select p_offering, p_payout, 'prepared', 'release', p_content, sha256(p_content), r.amount_minor, r.currency, 1 + count(*)
    from treasury.deduction d where d.offering_id = p_offering and d.release_id = p_release;
    update treasury.release set payout_id = p_payout where offering_id = p_offering and release_id = p_release;
end $$;

-- The bank shows the release on a statement.
create function treasury.settle_release(p_actor text, p_request text, p_offering text, p_release text, p_booked_on date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    update treasury.release set status = 'settled' where offering_id = p_offering and release_id = p_release and status <> 'settled';
    insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
    select r.offering_id, r.release_id, 'released:' || r.release_id, r.currency, -r.amount_minor, p_booked_on
    from treasury.release r where r.offering_id = p_offering and r.release_id = p_release and r.status = 'settled'
    on conflict do nothing;
end $$;

-- The payments of releases that a bank has: the issuer's, and one for each deduction.
create view treasury.release_payment as
select r.offering_id, r.release_id, r.release_id as payment, r.amount_minor - r.deducted_minor as amount_minor, r.currency
from treasury.release r where r.payout_id is not null and r.status = 'sent'
union all
select r.offering_id, r.release_id, r.release_id || '.' || d.line, d.amount_minor, r.currency
from treasury.release r join treasury.deduction d using (offering_id, release_id) where r.payout_id is not null and r.status = 'sent';

-- The bank shows one payment of a release; with the last one the release has arrived.
create function treasury.book_release_payment(p_actor text, p_request text, p_offering text, p_release text, p_payment text,
    p_booked_on date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    perform 1 from treasury.release r where r.offering_id = p_offering and r.release_id = p_release for update;
    insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
    select p_offering, l.payment || '@paid', 'released:' || p_release, l.currency, -l.amount_minor, p_booked_on
    from treasury.release_payment l where l.offering_id = p_offering and l.release_id = p_release and l.payment = p_payment
    on conflict do nothing;
    update treasury.release r set status = 'settled' where r.offering_id = p_offering and r.release_id = p_release and r.status = 'sent'
        and r.amount_minor = (select -sum(b.amount_minor) from treasury.booking b
            where b.offering_id = p_offering and b.journal_id = 'released:' || p_release);
end $$;
