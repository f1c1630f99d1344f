-- Events against state: every record is rebuilt from its events and must be in the state that they build, at their last version
-- and head; every event follows the one before it, has its own hash, and tells of a move that a machine lists for its keeper.

-- The records of an offer and of its investors; with p_only, those of these investments and investors, and those of the whole offer.
create function reconciliation.records(p_offering text, p_only text[]) returns table (machine text, scope text, subject text,
    about text, status text, version bigint, head bytea)
language sql stable
begin atomic
    with listed as (
        select i.investment_id, i.investor_id, i.status, i.version, i.chain_head from engine.investment i
        where i.offering_id = p_offering and (p_only is null or i.investment_id = any (p_only))),
    people as (select distinct l.investor_id from listed l)
    select 'offer', o.offering_id, o.offering_id, cast(null as text), o.status, o.version, o.chain_head
    from engine.offer o where o.offering_id = p_offering
    union all
    select 'closing', c.offering_id, c.closing_id, null, c.status, c.version, c.chain_head
    from engine.closing c where c.offering_id = p_offering
    union all
    select 'control_book', c.offering_id, c.control_id, null, 'open', c.version, c.chain_head
    from registry.control_fact c where c.offering_id = p_offering
    union all
    select 'investment', p_offering, l.investment_id, l.investment_id, l.status, l.version, l.chain_head from listed l
    union all
    select 'closing_member', m.offering_id, m.member_id, m.investment_id, m.status, m.version, m.chain_head
    from engine.closing_member m where m.offering_id = p_offering and (p_only is null or m.investment_id = any (p_only))
    union all
    select 'profile', f.investor_id, f.investor_id, f.investor_id, f.status, f.version, f.chain_head
    from portal.profile_fact f join people using (investor_id)
    union all
    select 'kyc_case', f.investor_id, f.case_id, f.investor_id, f.status, f.version, f.chain_head
    from compliance.identity_fact f join people using (investor_id)
    union all
    select 'clearance', f.offering_id, f.clearance_id, f.investor_id, f.status, f.version, f.chain_head
    from compliance.clearance_fact f where f.offering_id = p_offering and (p_only is null or f.investor_id = any (p_only))
    union all
    select 'wallet_claim', f.offering_id, f.claim_id, f.investor_id, f.status, f.version, f.chain_head
    from portal.wallet_claimed f where f.offering_id = p_offering and (p_only is null or f.investor_id = any (p_only))
    union all
    select 'agreement', f.offering_id, f.agreement_id, f.investment_id, f.status, f.version, f.chain_head
    from subscription.agreement_fact f where f.offering_id = p_offering and (p_only is null or f.investment_id = any (p_only))
    union all
    select 'allocation_approval', f.offering_id, f.approval_id, f.investment_id, f.status, f.version, f.chain_head
    from subscription.allocation_fact f where f.offering_id = p_offering and (p_only is null or f.investment_id = any (p_only))
    union all
    select 'receipt', f.offering_id, f.receipt_id, f.investment_id, f.status, f.version, f.chain_head
    from treasury.receipt_fact f where f.offering_id = p_offering and (p_only is null or f.investment_id is null or f.investment_id = any (p_only))
    union all
    select 'payment_attempt', f.offering_id, f.attempt_id, f.investment_id, f.status, f.version, f.chain_head
    from treasury.attempt_fact f where f.offering_id = p_offering and (p_only is null or f.investment_id = any (p_only))
    union all
    select 'release', f.offering_id, f.release_id, null, f.status, f.version, f.chain_head
    from treasury.release_fact f where f.offering_id = p_offering
    union all
    select 'wallet_mapping', f.offering_id, f.mapping_id, f.investor_id, f.status, f.version, f.chain_head
    from registry.wallet_fact f where f.offering_id = p_offering and (p_only is null or f.investor_id = any (p_only))
    union all
    select 'issuance_instruction', f.offering_id, f.instruction_id, f.investment_id, f.status, f.version, f.chain_head
    from registry.instruction_fact f where f.offering_id = p_offering and (p_only is null or f.investment_id = any (p_only))
    union all
    select 'holding', f.offering_id, f.holding_id, f.investor_id, f.status, f.version, f.chain_head
    from registry.holding_fact f where f.offering_id = p_offering and (p_only is null or f.investor_id = any (p_only));
end;

create function reconciliation.history(p_offering text, p_only text[]) returns setof reconciliation.difference
language sql stable
begin atomic
    with told as (
        select r.machine, r.scope, r.subject, e.version, e.kind, e.keeper, e.hash, e.prev_hash, e.canonical,
            audit.payload_of(e.canonical) ->> 'status' as says
        from reconciliation.records(p_offering, p_only) r join audit.event e using (scope, subject)),
    built as (
        select t.*, t.says is null as keeps, first_value(t.says) over kept as status
        from (select t.*, count(t.says) over (partition by t.scope, t.subject order by t.version) as place from told t) t
        window kept as (partition by t.scope, t.subject, t.place order by t.version)),
    followed as (
        select b.*, lag(b.hash) over chain as before_hash, coalesce(lag(b.version) over chain, 0) as before_version,
            coalesce(lag(b.status) over chain, '') as before_status
        from built b window chain as (partition by b.scope, b.subject order by b.version)),
    wrong as (
        select f.*, array_remove(array[
            case when f.version <> f.before_version + 1 or f.prev_hash <> coalesce(f.before_hash, audit.genesis(f.subject)) then 'chain_is_broken' end,
            case when f.hash <> sha256(f.prev_hash || convert_to(f.canonical, 'UTF8')) then 'event_is_not_its_hash' end,
            case when not exists (select from engine.transition x where x.machine = f.machine and x.from_state = f.before_status
                and x.to_state = f.status and x.role = f.keeper and f.kind = x.machine || '.' || x.trigger) then 'move_is_not_listed' end],
            null) as differs
        from followed f),
    last as (
        select distinct on (f.scope, f.subject) f.scope, f.subject, f.version, f.hash, f.status
        from followed f order by f.scope, f.subject, f.version desc)
    select d.kind, w.subject || '@' || w.version, r.about, w.before_status || ' > ' || w.status, w.kind, m.keeper
    from wrong w cross join lateral unnest(w.differs) d (kind)
    join reconciliation.records(p_offering, p_only) r using (machine, scope, subject) join engine.machine m using (machine)
    where w.differs <> '{}'
    union all
    select d.kind, r.subject, r.about, d.left_value, d.right_value, m.keeper
    from reconciliation.records(p_offering, p_only) r join engine.machine m using (machine)
    left join last l using (scope, subject)
    cross join lateral (values
        ('record_has_no_events', l.version is null, r.status, null),
        ('state_is_not_its_events', l.status <> r.status, r.status, l.status),
        ('record_is_not_its_last_event', l.version <> r.version or l.hash is distinct from r.head and l.version is not null,
            r.version::text || ' ' || encode(r.head, 'hex'), l.version::text || ' ' || encode(l.hash, 'hex')))
        as d (kind, differs, left_value, right_value)
    where (l.version is null or l.status <> r.status or l.version <> r.version or l.hash <> r.head) and d.differs;
end;
