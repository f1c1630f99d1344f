-- Wallets: the wallet that an investor claimed in the portal is the one that the agent linked, the position shows it, and
-- units went to no other. With p_only, of these investments alone.
create function reconciliation.wallets(p_offering text, p_only text[]) returns setof reconciliation.difference
language sql stable parallel safe
begin atomic
    with known as (
        select i.investment_id, i.status in ('legally_confirmed', 'closed_successfully') as is_bound, w.address, pos.wallet_is_linked,
            x.address as instructed, c.claim_id, was.mapping_id as once_had
        from engine.investment i
        join engine.position pos using (offering_id, investment_id)
        left join registry.instruction_fact x on x.offering_id = p_offering and x.investment_id = i.investment_id
            and x.status in ('prepared', 'submitted', 'posted')
        left join registry.wallet_fact w on w.offering_id = p_offering and w.investor_id = i.investor_id and w.status = 'linked'
        left join portal.wallet_claimed c on c.offering_id = p_offering and c.investor_id = i.investor_id and c.address = w.address
        left join registry.wallet_fact was on was.offering_id = p_offering and was.investor_id = i.investor_id and was.address = x.address
            and was.status in ('linked', 'joined', 'superseded', 'revoked')
        where i.offering_id = p_offering and (p_only is null or i.investment_id = any (p_only))),
    judged as (
        select n.*, n.wallet_is_linked <> (n.address is not null) as shows_another,
            n.is_bound and n.address is not null and n.claim_id is null as is_unclaimed,
            n.instructed is not null and n.once_had is null as went_elsewhere
        from known n)
    select d.kind, j.investment_id, j.investment_id, d.left_value, d.right_value, cast(null as text)
    from judged j cross join lateral (values
        ('position_shows_another_wallet', j.shows_another, j.wallet_is_linked::text, coalesce(encode(j.address, 'hex'), 'none')),
        ('linked_is_not_claimed', j.is_unclaimed, null, encode(j.address, 'hex')),
        ('units_went_to_another_wallet', j.went_elsewhere, encode(j.instructed, 'hex'), encode(j.address, 'hex')))
        as d (kind, differs, left_value, right_value)
    where (j.shows_another or j.is_unclaimed or j.went_elsewhere) and d.differs
    union all
    select 'claimed_is_not_linked', i.investment_id, i.investment_id, encode(c.address, 'hex'), encode(w.address, 'hex'), null
    from portal.wallet_claimed c
    join engine.investment i on i.offering_id = p_offering and i.investor_id = c.investor_id
        and i.status in ('legally_confirmed', 'closed_successfully')
    left join registry.wallet_fact w on w.offering_id = p_offering and w.investor_id = c.investor_id and w.status = 'linked'
    left join registry.wallet_fact was on was.offering_id = p_offering and was.investor_id = c.investor_id
        and split_part(was.claim_fact, '@', 1) = c.claim_id
        and (was.status in ('superseded', 'joined') or w.address is not null and was.status in ('revoked', 'rejected'))
    where c.offering_id = p_offering and c.status = 'claimed' and w.address is distinct from c.address and was.mapping_id is null
        and (p_only is null or i.investment_id = any (p_only));
end;
