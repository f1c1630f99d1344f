-- After events: what they touch is compared again, and no more. The feed says what happened; a row remembers how far it was followed.

create table reconciliation.followed (
    follower text primary key,
    last_seq bigint not null
);
insert into reconciliation.followed (follower, last_seq) values ('feed', 0);

-- What the events behind the place that was reached touch, up to p_most of them: per offer its investments with their investors
-- and wallets, and whether units may have moved. An event is of each investment that an event of its record has named, or of all
-- investments of its investor; one who holds without an investment is touched alone. Breaks touch nothing, and neither do terms and
-- notices.
create function reconciliation.touched(p_most integer) returns table (last_seq bigint, offering_id text, is_about_units boolean, only_these text[])
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with told as (
        select f.seq, e.scope, e.subject, e.version, split_part(e.kind, '.', 1) as machine
        from audit.feed f join audit.event e using (scope, subject, version)
        where f.seq > (select w.last_seq from reconciliation.followed w where w.follower = 'feed')
        order by f.seq limit p_most),
    records as (
        select t.machine, t.scope, t.subject, max(t.version) as version from told t
        where t.machine not in ('break', 'break_reminder', 'offer', 'terms', 'notice') group by t.machine, t.scope, t.subject),
    named as (
        select distinct r.machine, r.scope, r.subject, p.says ->> 'investment_id' as investment_id, p.says ->> 'investor_id' as investor_id
        from records r join audit.event x on x.scope = r.scope and x.subject = r.subject and x.version <= r.version
        cross join lateral (select audit.payload_of(x.canonical) as says offset 0) p),
    hit as (
        select i.offering_id, i.investment_id, i.investor_id
        from named n join engine.investment i on i.offering_id = n.scope and i.investment_id in (n.subject, n.investment_id)
        union
        select i.offering_id, i.investment_id, i.investor_id
        from named n join engine.investment i on i.investor_id in (n.scope, n.investor_id)
        where i.investor_id = n.scope or i.offering_id = n.scope
        union
        select o.offering_id, n.investor_id, n.investor_id
        from named n join engine.offer o on o.offering_id = n.scope where n.investor_id is not null),
    offers as (
        select h.offering_id from hit h union select o.offering_id from named n join engine.offer o on o.offering_id = n.scope)
    select (select max(t.seq) from told t), o.offering_id,
        exists (select from named n where n.scope = o.offering_id and n.machine in
            ('holding', 'issuance_instruction', 'chain_transaction', 'observed_transfer', 'transfer_request', 'control_book', 'control_action')),
        array(select h.investment_id from hit h where h.offering_id = o.offering_id
            union select h.investor_id from hit h where h.offering_id = o.offering_id)
    from offers o
    union all
    select max(t.seq), null, false, '{}' from told t having max(t.seq) is not null
    order by 2;
end;

-- The wallets of these investors that the register knows to have had units, in hexadecimal.
create function reconciliation.addresses_of(p_offering text, p_only text[]) returns setof text
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select encode(w.address, 'hex') from registry.wallet_fact w where w.offering_id = p_offering and w.investor_id = any (p_only)
    union select encode(x.address, 'hex') from registry.instruction_fact x where x.offering_id = p_offering and x.investor_id = any (p_only);
end;

-- Says that the feed was followed up to this place; one that others have passed stays.
create function reconciliation.follow(p_actor text, p_request text, p_seq bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update reconciliation.followed set last_seq = greatest(last_seq, p_seq) where follower = 'feed';
end $$;
