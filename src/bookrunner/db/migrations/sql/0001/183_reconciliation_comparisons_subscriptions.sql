-- Subscriptions: every investment of the portal's list has the agreement, the approval and the executed file that it says, and
-- the archive still has the bytes. With p_only, of these investments alone.
create function reconciliation.subscriptions(p_offering text, p_only text[]) returns setof reconciliation.difference
language sql stable parallel safe
begin atomic
    with known as (
        select i.investment_id, i.status in ('legally_confirmed', 'closed_successfully') as is_bound, i.units, i.amount_minor,
            a.agreement_id, a.units as agreed_units, a.amount_minor as agreed_minor,
            coalesce(a.status in ('investor_signed', 'countersigned'), false) as is_signed,
            coalesce(a.status = 'countersigned', false) as is_countersigned, a.profile_digest, l.units as approved_units,
            l.approval_id is not null as is_approved, pos.agreement_is_signed, pos.agreement_is_countersigned, pos.agreed_digest,
            pos.allocation_is_approved
        from engine.investment i
        join engine.position pos using (offering_id, investment_id)
        left join subscription.agreement_fact a on a.offering_id = p_offering and a.investment_id = i.investment_id
            and a.status in ('draft', 'sent', 'investor_signed', 'countersigned')
        left join subscription.allocation_fact l on l.offering_id = p_offering and l.investment_id = i.investment_id
            and l.status = 'approved'
        where i.offering_id = p_offering and (p_only is null or i.investment_id = any (p_only))),
    judged as (
        select n.*, n.is_bound and (not n.is_signed or n.agreed_minor <> n.amount_minor) as is_of_another_amount,
            n.is_bound and n.is_signed and n.agreed_units <> n.units as is_of_other_units,
            n.is_bound and n.approved_units is distinct from n.units as is_approved_otherwise,
            n.agreement_is_signed <> n.is_signed or n.agreement_is_countersigned <> n.is_countersigned
                or n.agreed_digest is distinct from n.profile_digest and n.is_signed as shows_another_agreement,
            n.allocation_is_approved <> n.is_approved as shows_another_approval
        from known n)
    select d.kind, j.investment_id, j.investment_id, d.left_value, d.right_value, cast(null as text)
    from judged j cross join lateral (values
        ('amount_is_not_the_agreed_one', j.is_of_another_amount, j.amount_minor::text, case when j.is_signed then j.agreed_minor::text end),
        ('units_are_not_the_agreed_ones', j.is_of_other_units, j.units::text, j.agreed_units::text),
        ('units_are_not_the_approved_ones', j.is_approved_otherwise, j.units::text, j.approved_units::text),
        ('position_shows_another_agreement', j.shows_another_agreement,
            concat_ws(' ', j.agreement_is_signed, j.agreement_is_countersigned, encode(j.agreed_digest, 'hex')),
            concat_ws(' ', j.is_signed, j.is_countersigned, encode(j.profile_digest, 'hex'))),
        ('position_shows_another_approval', j.shows_another_approval, j.allocation_is_approved::text, j.is_approved::text))
        as d (kind, differs, left_value, right_value)
    where (j.is_of_another_amount or j.is_of_other_units or j.is_approved_otherwise or j.shows_another_agreement
            or j.shows_another_approval) and d.differs
    union all
    select d.kind, x.agreement_id, x.investment_id, d.left_value, d.right_value, null
    from subscription.execution_fact x cross join lateral (values
        ('signatures_are_missing', x.signatures < 2, x.signatures::text, '2'),
        ('executed_file_is_not_archived', x.executed_sha256 is distinct from x.computed_sha256,
            encode(x.executed_sha256, 'hex'), encode(x.computed_sha256, 'hex')))
        as d (kind, differs, left_value, right_value)
    where x.offering_id = p_offering and (p_only is null or x.investment_id = any (p_only)) and not x.is_archived
        and (x.signatures < 2 or x.executed_sha256 is distinct from x.computed_sha256) and d.differs
    union all
    select 'agreement_of_no_investment', a.agreement_id, a.investment_id, a.amount_minor::text, null, null
    from subscription.agreement_fact a left join engine.investment i using (offering_id, investment_id)
    where a.offering_id = p_offering and a.status in ('investor_signed', 'countersigned') and i.investment_id is null
        and (p_only is null or a.investment_id = any (p_only))
    union all
    select 'approved_intake_is_not_entered', n.intake_id, null, n.status, null, null
    from engine.intake n
    where n.offering_id = p_offering and n.status = 'approved'
        and not exists (select from engine.allocation a where a.offering_id = p_offering and a.intake_id = n.intake_id);
end;

-- The archive still has the bytes: each file is read, and hashed anew.
create function reconciliation.agreement_bytes(p_offering text, p_only text[]) returns setof reconciliation.difference
language sql stable
begin atomic
    select 'agreement_bytes_are_not_their_hash', b.agreement_id, b.investment_id, encode(b.sha256, 'hex'), encode(b.found_sha256, 'hex'), cast(null as text)
    from subscription.damaged_reading b
    where b.offering_id = p_offering and (p_only is null or b.investment_id = any (p_only))
        -- What the round of the archive has found is named by its own comparison.
        and not exists (select from subscription.damage_fact f where f.offering_id = p_offering and f.status = 'found'
            and f.sha256 = encode(b.sha256, 'hex'));
end;
