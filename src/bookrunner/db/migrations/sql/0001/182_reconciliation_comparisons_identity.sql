-- Identity and compliance: the portal's profile, the verified identity and the clearance of each investor agree, and the
-- position shows what they say. With p_only, of these investments alone. First what differs, then both values of what does.
create function reconciliation.identity(p_offering text, p_only text[]) returns setof reconciliation.difference
language sql stable parallel safe
begin atomic
    with known as (
        select i.investment_id, i.investor_id, i.status in ('confirmed', 'legally_confirmed', 'closed_successfully') as is_bound,
            coalesce(f.status = 'complete', false) as is_complete, f.detail_digest, f.chain_head as profile_head,
            k.status as identity_status, k.verified_digest, coalesce(c.status = 'clear', false) as is_clear,
            c.verified_digest as cleared_digest, c.valid_until, c.chain_head as clearance_head, pos.profile_is_complete,
            pos.profile_digest, pos.profile_hash, pos.investor_is_cleared, pos.verified_digest as shown_digest, pos.cleared_until,
            pos.clearance_hash
        from engine.investment i
        join engine.position pos using (offering_id, investment_id)
        left join portal.profile_fact f on f.investor_id = i.investor_id
        left join compliance.identity_fact k on k.investor_id = i.investor_id
        left join compliance.clearance_fact c on c.offering_id = p_offering and c.investor_id = i.investor_id
        where i.offering_id = p_offering and (p_only is null or i.investment_id = any (p_only))),
    judged as (
        select n.*, n.is_bound and n.detail_digest is null as is_unknown,
            n.is_bound and n.detail_digest is not null and n.detail_digest is distinct from n.verified_digest as is_unverified,
            n.is_clear and n.identity_status is distinct from 'approved' as is_unidentified,
            n.is_clear and n.identity_status = 'approved' and n.cleared_digest is distinct from n.verified_digest as is_another,
            n.profile_hash is distinct from n.profile_head as shows_another_version,
            n.profile_is_complete <> n.is_complete or n.profile_digest is distinct from n.detail_digest as shows_another_profile,
            n.clearance_hash is distinct from n.clearance_head as shows_an_old_clearance,
            n.investor_is_cleared <> n.is_clear or n.shown_digest is distinct from n.cleared_digest
                or n.cleared_until is distinct from n.valid_until as shows_another_clearance
        from known n)
    select d.kind, j.investment_id, j.investment_id, d.left_value, d.right_value, cast(null as text)
    from judged j cross join lateral (values
        ('investor_has_no_profile', j.is_unknown, j.investor_id, null),
        ('claimed_is_not_verified', j.is_unverified, encode(j.detail_digest, 'hex'), encode(j.verified_digest, 'hex')),
        ('cleared_without_identity', j.is_unidentified, 'clear', j.identity_status),
        ('cleared_as_another_person', j.is_another, encode(j.cleared_digest, 'hex'), encode(j.verified_digest, 'hex')),
        ('position_is_not_the_books', j.shows_another_version, encode(j.profile_hash, 'hex'), encode(j.profile_head, 'hex')),
        ('position_shows_another_profile', j.shows_another_profile,
            concat_ws(' ', j.profile_is_complete, encode(j.profile_digest, 'hex')),
            concat_ws(' ', j.is_complete, encode(j.detail_digest, 'hex'))),
        ('position_is_not_the_clearance', j.shows_an_old_clearance, encode(j.clearance_hash, 'hex'), encode(j.clearance_head, 'hex')),
        ('position_shows_another_clearance', j.shows_another_clearance,
            concat_ws(' ', j.investor_is_cleared, encode(j.shown_digest, 'hex'), audit.instant(j.cleared_until)),
            concat_ws(' ', j.is_clear, encode(j.cleared_digest, 'hex'), audit.instant(j.valid_until))))
        as d (kind, differs, left_value, right_value)
    where (j.is_unknown or j.is_unverified or j.is_unidentified or j.is_another or j.shows_another_version or j.shows_another_profile
            or j.shows_an_old_clearance or j.shows_another_clearance) and d.differs;
end;
