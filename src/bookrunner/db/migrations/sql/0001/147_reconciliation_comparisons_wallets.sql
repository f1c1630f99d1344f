-- Wallets: the wallet that an investor claimed in the portal is the one that the agent linked, the position shows it, and
-- units went to no other. With p_only, of these investments alone.
create function reconciliation.wallets(p_offering text, p_only text[]) returns setof reconciliation.difference
language sql stable
begin atomic
    with known as (
        select i.investment_id, i.investor_id, i.status in ('legally_confirmed', 'closed_successfully') as is_bound,
            w.address, w.claim_fact, pos.wallet_is_linked, x.address as instructed
        from engine.investment i
        join engine.position pos using (offering_id, investment_id)
        left join registry.wallet_fact w on w.offering_id = p_offering and w.investor_id = i.investor_id and w.status = 'linked'
        left join registry.instruction_fact x on x.offering_id = p_offering and x.investment_id = i.investment_id
            and x.status in ('prepared', 'submitted', 'posted')
        where i.offering_id = p_offering and (p_only is null or i.investment_id = any (p_only)))
    select 'position_shows_another_wallet', n.investment_id, n.investment_id, n.wallet_is_linked::text,
        coalesce(encode(n.address, 'hex'), 'none'), cast(null as text)
    from known n where n.wallet_is_linked <> (n.address is not null)
    union all
    select 'linked_is_not_claimed', n.investment_id, n.investment_id, null, encode(n.address, 'hex'), null
    from known n where n.is_bound and n.address is not null and not exists (select from portal.wallet_claimed c
        where c.offering_id = p_offering and c.investor_id = n.investor_id and c.address = n.address)
    union all
    select 'units_went_to_another_wallet', n.investment_id, n.investment_id, encode(n.instructed, 'hex'), encode(n.address, 'hex'), null
    from known n where n.instructed is not null and n.instructed is distinct from n.address and not exists (
        select from registry.wallet_fact was where was.offering_id = p_offering and was.investor_id = n.investor_id
            and was.address = n.instructed and was.status in ('linked', 'joined', 'superseded', 'revoked'))
    union all
    select 'claimed_is_not_linked', n.investment_id, n.investment_id, encode(c.address, 'hex'), encode(n.address, 'hex'), null
    from known n join portal.wallet_claimed c on c.offering_id = p_offering and c.investor_id = n.investor_id and c.status = 'claimed'
    where n.is_bound and n.address is distinct from c.address
        and not exists (select from registry.wallet_fact was where was.offering_id = p_offering
            and split_part(was.claim_fact, '@', 1) = c.claim_id
            and (was.status in ('superseded', 'joined') or n.address is not null and was.status in ('revoked', 'rejected')));
end;
