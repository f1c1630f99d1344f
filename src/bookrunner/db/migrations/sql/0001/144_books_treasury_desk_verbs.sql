-- The verbs of the administrators' desk: propose, decide, combine; each on the version that the person saw.

create function treasury.on_version(p_version bigint, p_seen bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if p_version is null then
        raise exception using errcode = 'BR404', constraint = 'decided_record_exists',
            message = 'there is no such record to decide on';
    end if;
    if p_seen is distinct from p_version then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen',
            message = format('the record is at version %s, the decision was made on %s', p_version, p_seen);
    end if;
end $$;

-- Locks the positions of a receipt and of the investment that it may go to, in their order, then the receipt.
create function treasury.lock_receipt(p_offering text, p_receipt text, p_investment text) returns treasury.receipt
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
begin
    perform treasury.take_turn(p_offering);
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id in (p_investment,
        (select x.investment_id from treasury.receipt x where x.offering_id = p_offering and x.receipt_id = p_receipt))
    order by pos.investment_id for update;
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt for update;
    return r;
end $$;

-- Confirms matched money as final before the policy of its rail does, on the version seen; a waiting proposal is decided first.
create function treasury.clear_receipt(p_actor text, p_request text, p_offering text, p_receipt text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
begin
    perform audit.enter(p_actor, p_request);
    r := treasury.lock_receipt(p_offering, p_receipt, null);
    perform treasury.on_version(r.version, p_seen);
    if exists (select from treasury.proposal p where p.offering_id = p_offering and p.receipt_id = p_receipt and p.status = 'proposed') then
        raise exception using errcode = 'BR008', constraint = 'confirmed_receipt_has_no_open_proposal',
            message = format('somebody proposed an act on %s that nobody has decided', p_receipt);
    end if;
    if treasury.settle_clearing(p_offering, array[p_receipt], p_request) = 0 then
        raise exception using errcode = 'BR008', constraint = 'confirmed_receipt_is_matched',
            message = format('%s is %s; only matched money is confirmed as final', p_receipt, r.status);
    end if;
end $$;

-- Stores what an administrator wants done with a receipt until another one decides.
create function treasury.propose_act(p_actor text, p_request text, p_offering text, p_proposal text, p_act text,
    p_receipt text, p_investment text, p_because text, p_seen bigint, p_amount_minor bigint default null,
    p_refund_reason text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
begin
    perform audit.enter(p_actor, p_request);
    r := treasury.lock_receipt(p_offering, p_receipt, p_investment);
    perform treasury.on_version(r.version, p_seen);
    if not coalesce(case p_act when 'match' then r.status = 'unmatched' when 'redeem' then r.status = 'unmatched' when 'accept_source' then r.status = 'held'
        when 'undo' then r.status in ('matched', 'cleared', 'funding')
        else r.status in ('unmatched', 'held', 'matched', 'cleared') end, false) then
        raise exception using errcode = 'BR008', constraint = 'proposed_act_fits_the_receipt',
            message = format('%s is %s', p_receipt, r.status);
    end if;
    if p_act in ('undo', 'refund') then
        perform treasury.refuse_after_issuance(p_offering, array[r.investment_id]);
    end if;
    if p_act = 'refund' and r.source_fingerprint is null then
        raise exception using errcode = 'BR008', constraint = 'refund_goes_to_its_source',
            message = format('the source of %s is not known', p_receipt);
    end if;
    insert into treasury.proposal (offering_id, proposal_id, status, act, receipt_id, receipt_version, investment_id,
        amount_minor, refund_reason, because, proposed_by)
    values (p_offering, p_proposal, 'proposed', p_act, p_receipt, r.version, nullif(p_investment, ''), p_amount_minor,
        p_refund_reason, p_because, p_actor);
end $$;

-- Carries a proposal out, or declines it; whoever made it may withdraw it and never approve it.
create function treasury.decide_act(p_actor text, p_request text, p_offering text, p_proposal text,
    p_is_approved boolean, p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    w treasury.proposal;
    r treasury.receipt;
begin
    perform audit.enter(p_actor, p_request);
    select * into w from treasury.proposal where offering_id = p_offering and proposal_id = p_proposal;
    r := treasury.lock_receipt(p_offering, w.receipt_id, w.investment_id);
    select * into w from treasury.proposal where offering_id = p_offering and proposal_id = p_proposal for update;
    perform treasury.on_version(w.version, p_seen);
    if w.status <> 'proposed' then
        raise exception using errcode = 'BR008', constraint = 'proposal_is_decided_once', message = format('%s is %s', p_proposal, w.status);
    end if;
    if p_is_approved then
        perform treasury.refuse_one_person(p_actor, w.proposed_by, 'proposal_needs_two_people');
        if r.version <> w.receipt_version then
            raise exception using errcode = 'BR008', constraint = 'proposal_is_about_the_receipt_as_it_was',
                message = format('%s has changed since it was proposed on; decline this and propose again', w.receipt_id);
        end if;
    end if;
    update treasury.proposal set status = case when p_is_approved then 'approved' else 'declined' end,
        decided_by = p_actor, decided_because = nullif(p_because, '')
    where offering_id = p_offering and proposal_id = p_proposal;
    if p_is_approved is not true then
        return;
    end if;
    case w.act
        when 'match' then
            perform treasury.match_by_hand(p_actor, p_request, p_offering, w.receipt_id, w.investment_id, w.proposed_by);
        when 'undo' then
            if r.status = 'funding' then
                perform treasury.undo_funding(r, w.because);
            else
                perform treasury.undo_match(p_actor, p_request, p_offering, w.receipt_id, w.because, w.proposed_by);
            end if;
        when 'accept_source' then
            perform treasury.accept_source(p_actor, p_request, p_offering, w.receipt_id, w.proposed_by, w.because);
            perform treasury.match(p_actor, p_request, p_offering);
        when 'redeem' then
            perform treasury.redeem_coins(p_offering, w.receipt_id);
        when 'refund' then
            perform treasury.refund_receipt(p_actor, p_request, p_offering, w.receipt_id, coalesce(w.refund_reason,
                case r.status when 'held' then 'source_is_not_approved' when 'unmatched' then 'unidentified' else 'cancellation' end),
                w.amount_minor);
    end case;
end $$;

-- Makes one receipt again of parts of one receipt that wait in the same way.
create function treasury.combine_receipts(p_actor text, p_request text, p_offering text, p_whole text, p_parts text[])
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    parts treasury.receipt[];
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    perform 1 from treasury.receipt r where r.offering_id = p_offering and r.receipt_id = any (p_parts)
    order by r.receipt_id for update;
    parts := array(select r from treasury.receipt r where r.offering_id = p_offering and r.receipt_id = any (p_parts)
        and r.status in ('unmatched', 'held') order by r.receipt_id);
    if cardinality(parts) < 2 or cardinality(parts) <> cardinality(p_parts)
        or (select count(distinct (r.root_id, r.status, r.source_accepted_by)) > 1 or bool_or(r.root_id is null)
            from unnest(parts) r) then
        raise exception using errcode = 'BR008', constraint = 'combined_parts_are_of_one_receipt',
            message = 'choose two or more parts of one receipt that wait in the same way';
    end if;
    update treasury.receipt set status = 'divided', exception = null
    where offering_id = p_offering and receipt_id = any (p_parts);
    insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency, booked_on,
        value_on, rail, clears_on, claimed_reference, source_fingerprint, sender, line_sha256, exception, root_id,
        source_accepted_by, source_accepted_because)
    select p_offering, p_whole, parts[1].statement_id, parts[1].root_id || '/' || p_whole, 'unmatched',
        (select sum(r.amount_minor) from unnest(parts) r), parts[1].currency, parts[1].booked_on, parts[1].value_on,
        parts[1].rail, parts[1].clears_on, parts[1].claimed_reference, parts[1].source_fingerprint, parts[1].sender,
        parts[1].line_sha256, parts[1].exception, parts[1].root_id, parts[1].source_accepted_by, parts[1].source_accepted_because;
    update treasury.receipt set status = parts[1].status
    where offering_id = p_offering and receipt_id = p_whole and parts[1].status = 'held';
end $$;

-- The second person's decision on a release, on the version seen; payee and gross amount are named again to approve it,
-- and the net amount where something is deducted.
create function treasury.decide_release(p_actor text, p_request text, p_offering text, p_release text,
    p_is_approved boolean, p_payee_fingerprint bytea, p_amount_minor bigint, p_seen bigint, p_net_minor bigint default null,
    p_because text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.release;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into r from treasury.release where offering_id = p_offering and release_id = p_release for update;
    perform treasury.on_version(r.version, p_seen);
    if p_is_approved then
        perform treasury.refuse_one_person(p_actor, r.proposed_by, 'release_needs_two_people');
        perform treasury.approve_release(p_actor, p_request, p_offering, p_release, p_payee_fingerprint, p_amount_minor,
            p_net_minor, p_because);
    else
        perform treasury.decline_release(p_actor, p_request, p_offering, p_release);
    end if;
end $$;

-- Returns the name of a payer by the word of the bank, after the look at it is on record.
create function treasury.view_payer(p_actor text, p_request text, p_offering text, p_receipt text, p_view text,
    p_purpose text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into treasury.payer_view (offering_id, view_id, receipt_id, status, purpose, viewed_by)
    values (p_offering, p_view, p_receipt, 'viewed', p_purpose, p_actor);
    return (select coalesce(r.sender, '') from treasury.receipt r where r.offering_id = p_offering and r.receipt_id = p_receipt);
end $$;

-- Returns the bytes of an order to the bank, after the look at them is on record.
create function treasury.view_order(p_actor text, p_request text, p_offering text, p_payout text, p_view text,
    p_purpose text) returns bytea
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from treasury.payout p where p.offering_id = p_offering and p.payout_id = p_payout) then
        raise exception using errcode = 'BR404', constraint = 'order_exists', message = format('there is no order %s', p_payout);
    end if;
    insert into treasury.order_view (offering_id, view_id, payout_id, status, purpose, viewed_by)
    values (p_offering, p_view, p_payout, 'viewed', p_purpose, p_actor);
    return (select p.content from treasury.payout p where p.offering_id = p_offering and p.payout_id = p_payout);
end $$;

-- What an investor is asked for: the reference and what is short of the amount, once instructions are released, and
-- the banking day by which it is asked for.
create view treasury.funding_card as
select f.offering_id, f.investment_id, f.reference, f.committed_minor, f.received_minor, f.short_minor, f.funding_status,
    f.clears_on, e.occurred_at as instructed_at, d.pay_by,
    (select jsonb_agg(jsonb_build_object('chain_id', a.chain_id, 'address', encode(a.address, 'hex'), 'token', encode(c.token, 'hex'))
            order by a.chain_id, c.token)
        from treasury.deposit_address a join treasury.accepted_coin c on c.offering_id = a.offering_id and c.chain_id = a.chain_id
            and c.status = 'accepted' and c.valid_from <= current_date
        where a.offering_id = f.offering_id and a.attempt_id = f.attempt_id) as deposits,
    (select jsonb_agg(n.sentence order by n.told_at desc) from treasury.notification n
        where n.offering_id = f.offering_id and n.investment_id = f.investment_id and n.told_to = 'investor'
        and not starts_with(n.code, 'instructions:')) as told,
    (select jsonb_agg(jsonb_build_object('rail', c.rail, 'until', to_char(c.until, 'HH24:MI'),
            'zone', split_part(c.zone, '/', 2)) order by c.rail desc)
        from treasury.rail_cut_off c where c.valid_from = (select max(x.valid_from) from treasury.rail_cut_off x
            where x.rail = c.rail and x.valid_from <= d.pay_by)) as cut_offs,
    w.agent, w.beneficiary, w.bank, w.bank_code, w.account, w.agreed_on, encode(w.agreement_sha256, 'hex') as agreement_sha256,
    (select n.sentence from treasury.notification n where n.offering_id = f.offering_id and n.investment_id = f.investment_id
        and n.told_to = 'investor' and n.code = 'instructions:' || w.escrow_id) as changed,
    b.then_do, b.stopped_because, b.tries_left, b.until_day,
    (select count(*) from treasury.payment_attempt a where a.offering_id = f.offering_id and a.investment_id = f.investment_id) as attempts
from treasury.funding f
join audit.event e on e.scope = f.offering_id and e.subject = f.attempt_id and e.version = 1
cross join lateral (select t.banking_days from treasury.payment_term t where t.valid_from <= e.occurred_at::date
    order by t.valid_from desc limit 1) t
cross join lateral (select treasury.banking_day(e.occurred_at::date + 1, t.banking_days - 1) as pay_by) d
left join treasury.escrow_account w on w.offering_id = f.offering_id and w.status = 'in_force'
left join lateral treasury.what_follows(f.offering_id, f.attempt_id) b on true;

-- Why each receipt waits now, whether it was named already or not.
create view treasury.waiting as
select r.offering_id, r.receipt_id, r.status, r.amount_minor, r.currency, r.rail, r.booked_on, r.value_on, r.claimed_reference,
    r.sender, r.exception, r.root_id, r.version, e.occurred_at as waits_since, p.proposal_id, p.act, p.proposed_by,
    u.goes_back_on, coalesce((select o.owner from treasury.receipt_owner o where o.offering_id = r.offering_id
        and o.receipt_id = r.receipt_id order by o.place desc limit 1), e.actor) as owner
from treasury.receipt r
join audit.event e on e.scope = r.offering_id and e.subject = r.receipt_id and e.version = 1
left join treasury.unidentified u on u.offering_id = r.offering_id and u.receipt_id = r.receipt_id
left join treasury.proposal p on p.offering_id = r.offering_id and p.receipt_id = r.receipt_id and p.status = 'proposed'
where r.status in ('unmatched', 'held');
