-- Each comparison as a full join of two keepers' views; a difference is named, owned and dated. Whole books are
-- hashed: before their first statistics the planner takes them for a few rows and walks one for each row of the other.

create function reconciliation.differences(p_offering text, p_chain jsonb) returns table (comparison text,
    subject_id text, kind text, left_value text, right_value text, owner text)
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off
begin atomic
    select 'identity', s.investment_id, 'claimed_is_not_verified', encode(f.detail_digest, 'hex'),
        coalesce(encode(k.verified_digest, 'hex'), 'none'), 'compliance'
    from engine.investment s join portal.profile_fact f using (investor_id)
    left join compliance.identity_fact k using (investor_id)
    where s.offering_id = p_offering and k.verified_digest is distinct from f.detail_digest
        and s.status in ('confirmed', 'legally_confirmed', 'closed_successfully')
    union all
    select 'subscriptions', i.investment_id, 'amount_is_not_the_agreed_one', i.amount_minor::text,
        coalesce(a.amount_minor::text, 'none'), 'subscription'
    from engine.investment i left join subscription.agreement_fact a on a.offering_id = i.offering_id
        and a.investment_id = i.investment_id and a.status in ('investor_signed', 'countersigned')
    where i.offering_id = p_offering and i.status in ('legally_confirmed', 'closed_successfully')
        and a.amount_minor is distinct from i.amount_minor
    union all
    select 'payments', r.receipt_id, coalesce(r.exception, 'waits_for_matching'), r.amount_minor::text, 'none', 'treasury'
    from treasury.receipt_fact r where r.offering_id = p_offering and r.status in ('unmatched', 'held')
    union all
    select 'payments', i.investment_id, 'cleared_is_not_the_committed_amount', pos.cleared_minor::text,
        i.amount_minor::text, 'treasury'
    from engine.investment i join engine.position pos using (offering_id, investment_id)
    where i.offering_id = p_offering and i.status = 'closed_successfully' and pos.cleared_minor <> i.amount_minor
    union all
    select 'payments', 'ledger', 'statement_is_not_the_ledger', b.amount_minor::text, st.closing_minor::text, 'treasury'
    from treasury.trial_balance b join engine.offer o using (offering_id), lateral (select f.closing_minor from treasury.statement_fact f
        where f.offering_id = p_offering order by f.closed_on desc, f.bank_statement_id desc limit 1) st
    where b.offering_id = p_offering and b.account = 'asset:escrow_bank' and b.currency = o.currency
        and b.amount_minor + coalesce((select sum(r.amount_minor) from treasury.release_fact r
            where r.offering_id = p_offering and r.status = 'sent'), 0)
        + coalesce((select sum(f.amount_minor) from treasury.refund_fact f
            where f.offering_id = p_offering and f.currency = o.currency and f.status = 'sent'), 0)
        - coalesce((select d.amount_minor from treasury.trial_balance d where d.offering_id = p_offering
            and d.account = 'liab:bank_overdraft' and d.currency = o.currency), 0) <> st.closing_minor
    union all
    select 'payments', a.allocation_id, 'settlement_is_overdue', audit.instant(a.settlement_due_at), a.status, 'treasury'
    from engine.allocation a where a.offering_id = p_offering and a.settlement_due_at <= now() and a.status = 'escrow_initiated'
    union all
    select 'subscriptions', n.intake_id, 'approved_intake_is_not_entered', n.status, 'none', 'engine'
    from engine.intake n where n.offering_id = p_offering and n.status = 'approved' and not exists (select from engine.allocation a
        where a.offering_id = p_offering and a.intake_id = n.intake_id)
    union all
    select 'payments', a.allocation_id, 'escrow_is_not_initiated', a.status, coalesce(e.status, 'none'), 'treasury'
    from engine.allocation a left join treasury.initiation_fact e using (offering_id, allocation_id)
    where a.offering_id = p_offering and (a.status, coalesce(e.status, '')) in (('escrow_initiated', ''), ('funded', ''), ('funded', 'initiated'))
    union all
    select 'wallets', i.investment_id, 'claimed_is_not_linked', encode(c.address, 'hex'),
        coalesce(encode(w.address, 'hex'), 'none'), 'registry'
    from engine.investment i join portal.wallet_claimed c on c.offering_id = i.offering_id
        and c.investor_id = i.investor_id and c.status = 'claimed' and not exists (select from registry.wallet_fact was
            where was.offering_id = c.offering_id and split_part(was.claim_fact, '@', 1) = c.claim_id and was.status in ('superseded', 'joined'))
    left join registry.wallet_fact w on w.offering_id = i.offering_id and w.investor_id = i.investor_id and w.status = 'linked'
    where i.offering_id = p_offering and i.status in ('legally_confirmed', 'closed_successfully')
        and w.address is distinct from c.address
        and not (w.address is not null and exists (select from registry.wallet_fact was where was.offering_id = c.offering_id
            and split_part(was.claim_fact, '@', 1) = c.claim_id and was.status in ('revoked', 'rejected')))
    union all
    select 'holdings', coalesce(h.address, x.address), case when x.address is null then 'registered_not_on_chain'
            when h.address is null then 'on_chain_not_registered' else 'units_differ' end,
        coalesce(h.units::text, '0'), coalesce(x.units::text, '0'), 'registry'
    from (select encode(f.address, 'hex') as address, f.units from registry.address_units f
        where f.offering_id = p_offering) h
    full join jsonb_to_recordset(p_chain) as x (address text, units bigint) on x.address = h.address
    where p_chain is not null and h.units is distinct from x.units::numeric
    union all
    select 'transfers', f.observed_id, case when f.status = 'explained' then 'transfer_waits_for_a_second_person'
            when f.from_address = decode(repeat('00', 20), 'hex') then 'issue_without_an_instruction'
            when f.seller_id is null or f.buyer_id is null then 'transfer_to_an_unknown_wallet' else 'transfer_without_authority' end,
        f.units::text, 'none', f.owner
    from registry.observed_fact f where f.offering_id = p_offering and f.status not in ('matched', 'resolved')
    union all
    select 'transfers', u.movement_id, 'units_went_in_their_period', u.restricted_units::text, u.units::text, 'registry'
    from registry.restricted_use_fact u where u.offering_id = p_offering
    union all
    select 'holdings', c.control_id, 'control_book_is_not_the_register', c.issued_units::text, s.units::text, 'registry'
    from registry.control_fact c, lateral (select coalesce(sum(h.units), 0) as units from registry.holding_fact h
        where h.offering_id = p_offering) s
    where c.offering_id = p_offering and c.issued_units <> s.units
    union all
    select 'position', pos.investment_id, 'position_is_not_the_books', encode(pos.profile_hash, 'hex'),
        encode(f.chain_head, 'hex'), 'engine'
    from engine.position pos join portal.profile_fact f using (investor_id)
    where pos.offering_id = p_offering and pos.profile_hash is distinct from f.chain_head
    union all
    select 'position', pos.investment_id, 'position_is_not_the_clearance', encode(pos.clearance_hash, 'hex'),
        encode(c.chain_head, 'hex'), 'engine'
    from engine.position pos join compliance.clearance_fact c using (offering_id, investor_id)
    where pos.offering_id = p_offering and pos.clearance_hash is distinct from c.chain_head
    union all
    select 'position', pos.investment_id, 'position_stands_at_its_facts', pos.standing::text, engine.stands_at(pos)::text, 'engine'
    from engine.position pos
    where pos.offering_id = p_offering and pos.standing <> engine.stands_at(pos)
    union all
    select 'archive', f.sha256, 'archived_bytes_are_not_their_hash', f.sha256, f.found_sha256, 'subscription'
    from subscription.damage_fact f where f.offering_id = p_offering and f.status = 'found';
end;

-- Runs the comparisons: new differences become breaks, breaks that agree again are resolved by this run.
create function reconciliation.run(p_actor text, p_request text, p_offering text, p_run text, p_chain jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    seen jsonb;
    found_now integer;
    resolved_now integer;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer where offering_id = p_offering for share;
    select coalesce(jsonb_agg(to_jsonb(d)), '[]') into seen from reconciliation.differences(p_offering, p_chain) d;
    update reconciliation.break b set status = 'resolved'
    where b.offering_id = p_offering and b.status = 'open'
        and (p_chain is not null or b.comparison <> 'holdings')
        and not exists (select from jsonb_to_recordset(seen) as d (comparison text, subject_id text, kind text)
            where (d.comparison, d.subject_id, d.kind) = (b.comparison, b.subject_id, b.kind));
    get diagnostics resolved_now = row_count;
    update reconciliation.break b set status = 'open', left_value = d.left_value, right_value = d.right_value
    from jsonb_to_recordset(seen) as d (comparison text, subject_id text, kind text, left_value text, right_value text)
    where b.offering_id = p_offering and (d.comparison, d.subject_id, d.kind) = (b.comparison, b.subject_id, b.kind)
        and (b.status = 'resolved' or (b.left_value, b.right_value) is distinct from (d.left_value, d.right_value))
        and b.status <> 'accepted';
    insert into reconciliation.break (offering_id, break_id, comparison, subject_id, kind, left_value, right_value, owner, status)
    select p_offering, 'brk_' || substr(p_run, 5) || '_' || row_number() over (order by d.comparison, d.subject_id, d.kind),
        d.comparison, d.subject_id, d.kind, d.left_value, d.right_value, d.owner, 'open'
    from jsonb_to_recordset(seen) as d (comparison text, subject_id text, kind text, left_value text, right_value text, owner text)
    where not exists (select from reconciliation.break b where b.offering_id = p_offering
        and (d.comparison, d.subject_id, d.kind) = (b.comparison, b.subject_id, b.kind));
    get diagnostics found_now = row_count;
    insert into reconciliation.run (offering_id, run_id, compared, found, resolved)
    select p_offering, p_run, count(*), found_now, resolved_now from engine.investment where offering_id = p_offering;
    return seen;
end $$;
