-- What the chain's own rules say of moving units, answered from the register.

-- Every rule that keeps a line {seller, buyer, units} from moving now, in the order in which the token asks. A line without
-- a row may move. Without a seller, units come from the treasury wallet.
create function registry.restraint_refusals(p_offering text, p_lines jsonb) returns table (line integer, place integer,
    rule text, detail text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    with lines as (
        select l.ordinality::integer as line, l.value ->> 'seller' as seller, l.value ->> 'buyer' as buyer,
            (l.value ->> 'units')::bigint as units
        from jsonb_array_elements(p_lines) with ordinality l),
    facts as (
        select l.line, l.seller, l.units, registry.is_paused(p_offering) as is_paused,
            registry.is_account_frozen(p_offering, l.seller) as seller_is_frozen,
            registry.is_account_frozen(p_offering, l.buyer) as buyer_is_frozen,
            registry.free_units(p_offering, l.seller) as free_units,
            coalesce(h.units, 0) as held_units,
            registry.linked_address(p_offering, l.buyer) is not null as buyer_is_linked
        from lines l left join registry.holding h on h.offering_id = p_offering and h.investor_id = l.seller)
    select f.line, r.place, r.rule, r.detail
    from facts f cross join lateral (values
        (5, 'units_are_positive', f.units <= 0, ''),
        (10, 'security_is_not_paused', f.is_paused, ''),
        (20, 'seller_account_is_not_frozen', f.seller_is_frozen, ''),
        (30, 'buyer_account_is_not_frozen', f.buyer_is_frozen, ''),
        (40, 'seller_holds_the_units', f.seller is not null and f.units > f.held_units, f.held_units || ' units are held'),
        (50, 'units_are_not_frozen', f.seller is not null and f.units > f.free_units and f.units <= f.held_units, f.free_units || ' units are free'),
        (60, 'buyer_wallet_is_linked', not f.buyer_is_linked, '')) r (place, rule, is_broken, detail)
    where r.is_broken
    order by f.line, r.place;
end;
