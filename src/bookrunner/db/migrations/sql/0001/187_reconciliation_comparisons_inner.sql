-- What the keepers' own records say against each other: transfers, the ledger, the position row, the archive.

create function reconciliation.transfers(p_offering text) returns setof reconciliation.difference
language sql stable
begin atomic
    select case when f.status = 'explained' then 'transfer_waits_for_a_second_person'
            when f.from_address = decode(repeat('00', 20), 'hex') then 'issue_without_an_instruction'
            when f.seller_id is null or f.buyer_id is null then 'transfer_to_an_unknown_wallet' else 'transfer_without_authority' end,
        f.observed_id, cast(null as text), f.units::text, cast(null as text), f.owner
    from registry.observed_fact f where f.offering_id = p_offering and f.status not in ('matched', 'resolved')
    union all
    select 'units_went_in_their_period', u.movement_id, null, u.restricted_units::text, u.units::text, null
    from registry.restricted_use_fact u where u.offering_id = p_offering;
end;

-- The bank's closing balance is the ledger's with what is on its way, and each balance is the sum of its entries.
create function reconciliation.ledger(p_offering text) returns setof reconciliation.difference
language sql stable
begin atomic
    select 'statement_is_not_the_ledger', 'ledger', cast(null as text), b.amount_minor::text, st.closing_minor::text, cast(null as text)
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
    select 'balance_is_not_its_entries', concat_ws(' ', coalesce(b.account, e.account), coalesce(b.currency, e.currency)), null,
        b.amount_minor::text, e.amount_minor::text, null
    from (select t.account, t.currency, t.amount_minor from treasury.trial_balance t where t.offering_id = p_offering) b
    full join (select s.account, s.currency, s.amount_minor from treasury.entry_sum s where s.offering_id = p_offering) e
        on e.account = b.account and e.currency = b.currency
    where coalesce(b.amount_minor, 0) <> coalesce(e.amount_minor, 0)
    union all
    select 'lost_wallet_is_not_made_good', concat_ws(' ', l.loss_id, l.distribution_id), null, l.good_minor::text, l.amount_minor::text, null
    from treasury.lost_standing l where l.offering_id = p_offering and l.open_minor > 0;
end;

-- The bits of a position are what its columns say.
create function reconciliation.position_bits(p_offering text, p_only text[]) returns setof reconciliation.difference
language sql stable parallel safe
begin atomic
    select 'position_stands_at_its_facts', pos.investment_id, pos.investment_id, pos.standing::text, engine.stands_at(pos)::text, cast(null as text)
    from engine.position pos
    where pos.offering_id = p_offering and (p_only is null or pos.investment_id = any (p_only)) and pos.standing <> engine.stands_at(pos);
end;

-- What the round of the archive found, which reads a part of all files each minute.
create function reconciliation.archive(p_offering text) returns setof reconciliation.difference
language sql stable
begin atomic
    select 'archived_bytes_are_not_their_hash', f.sha256, cast(null as text), f.sha256, f.found_sha256, cast(null as text)
    from subscription.damage_fact f where f.offering_id = p_offering and f.status = 'found';
end;
