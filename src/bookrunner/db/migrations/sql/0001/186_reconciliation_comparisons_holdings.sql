-- Holdings: the chain's supply and balances, the master securityholder file, its postings and lots, and the control book have
-- the same units; a wallet of a split, a conversion, a burn or a reinvestment that is on its way has those of before or of after. A whole run names what is final on the
-- chain and not posted yet; units on their way are on neither side of the supply, nor where events are followed; what a begun
-- split or conversion has minted or burned by the block that was looked at is on the side of the control book.
-- p_chain is {"lines": {address: units}, "delivered", "block"}, null where nobody looked; with p_only, of these investments, investors and addresses alone.
create function reconciliation.holdings(p_offering text, p_only text[], p_chain jsonb) returns setof reconciliation.difference
language sql stable
begin atomic
    select case when x.units is null then 'registered_not_on_chain' when h.units is null then 'on_chain_not_registered'
        else 'units_differ' end as kind, a.address, a.address, coalesce(h.units, 0)::text, coalesce(x.units, 0)::text, cast(null as text)
    from (select f.address, f.units from registry.address_units f
        where f.offering_id = p_offering and (p_only is null or encode(f.address, 'hex') = any (p_only))) h
    full join (select decode(l.address, 'hex') as address, nullif(l.units::numeric, 0) as units
        from jsonb_each(p_chain -> 'lines') as l (address, units) where p_only is null or l.address = any (p_only)) x
        on x.address = h.address
    cross join lateral (select encode(coalesce(h.address, x.address), 'hex') as address) a
    where p_chain is not null and coalesce(x.units, 0) <> coalesce(h.units, 0)
        and not exists (select from registry.changed_place_fact p where p.offering_id = p_offering and p.status = 'begun'
            and p.address = coalesce(h.address, x.address) and p.units_after = coalesce(x.units, 0))
        and not exists (select from registry.burn_under_way b where b.offering_id = p_offering
            and b.address = coalesce(h.address, x.address) and b.units = coalesce(h.units, 0) - coalesce(x.units, 0))
        and not exists (select from registry.mint_under_way m where m.offering_id = p_offering
            and m.address = coalesce(h.address, x.address) and m.units = coalesce(x.units, 0) - coalesce(h.units, 0))
        and (p_only is null or not coalesce(x.units, 0) between coalesce(h.units, 0) and coalesce(h.units, 0) + coalesce((
            select sum(i.units) from registry.instruction_fact i where i.offering_id = p_offering and i.status = 'submitted'
                and i.address = coalesce(h.address, x.address)), 0))
    union all
    select 'supply_is_not_the_control_book', c.control_id, null, c.issued_units::text, p_chain ->> 'delivered', null
    from registry.control_fact c cross join lateral (select coalesce(sum(i.units), 0) as units from registry.instruction_fact i
        where i.offering_id = p_offering and i.status = 'submitted') f
    cross join lateral (select coalesce(sum(x.units) filter (where x.is_done or x.units < 0), 0) as least,
            coalesce(sum(x.units) filter (where x.is_done or x.units > 0), 0) as most
        from (select s.units, coalesce(s.block_number <= (p_chain ->> 'block')::bigint, false) as is_done
            from registry.split_change s where s.offering_id = p_offering) x) w
    where c.offering_id = p_offering and p_chain ->> 'delivered' is not null
        and not (p_chain ->> 'delivered')::numeric between c.issued_units + w.least and c.issued_units + f.units + w.most;
end;

-- The books' own units: master securityholder file, postings, lots and control book, and what each position shows of them.
create function reconciliation.holdings_in_books(p_offering text, p_only text[]) returns setof reconciliation.difference
language sql stable parallel safe
begin atomic
    select r.kind, r.control_id, cast(null as text), r.left_units::text, r.right_units::text, cast(null as text)
    from registry.book_comparison r where r.offering_id = p_offering and r.left_units <> r.right_units
    union all
    select d.kind, h.holding_id, h.investor_id, h.units::text, d.units::text, null
    from registry.holding_parts h cross join lateral (values ('holding_is_not_its_postings', h.posted_units),
        ('holding_is_not_its_lots', h.lot_units)) as d (kind, units)
    where h.offering_id = p_offering and (p_only is null or h.investor_id = any (p_only))
        and (h.units <> h.posted_units or h.units <> h.lot_units) and h.units <> d.units
    union all
    select d.kind, n.investment_id, n.investment_id, d.left_value, d.right_value, null
    from (select i.investment_id, i.units, i.status, x.posted_units, nullif(x.status, 'stopped') as instruction,
            pos.holding_is_registered, pos.issuance
        from engine.investment i
        join engine.position pos using (offering_id, investment_id)
        left join registry.instruction_posting x on x.offering_id = p_offering and x.investment_id = i.investment_id
            and (x.status <> 'stopped' or x.posted_units is not null)
        where i.offering_id = p_offering and (p_only is null or i.investment_id = any (p_only))) n
    cross join lateral (values
        ('closed_without_a_posting', n.status = 'closed_successfully' and n.posted_units is distinct from n.units, n.units::text, n.posted_units::text),
        ('posted_without_a_closing', n.posted_units is not null and n.status not in ('legally_confirmed', 'closed_successfully'),
            n.posted_units::text, n.status),
        ('position_shows_another_holding', n.holding_is_registered <> (n.posted_units is not null)
            or (n.issuance = 'registered') <> coalesce(n.instruction = 'posted', false),
            concat_ws(' ', n.issuance, n.holding_is_registered), concat_ws(' ', n.instruction, n.posted_units)))
        as d (kind, differs, left_value, right_value)
    where (n.status = 'closed_successfully' and n.posted_units is distinct from n.units
            or n.posted_units is not null and n.status not in ('legally_confirmed', 'closed_successfully')
            or n.holding_is_registered <> (n.posted_units is not null)
            or (n.issuance = 'registered') <> coalesce(n.instruction = 'posted', false)) and d.differs;
end;
