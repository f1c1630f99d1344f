-- The end of an instrument: an offer is exited when nobody holds a unit of it and nothing is owed, open or different.

-- Everything that keeps an offer from its exit, in the order in which it is said; none when it may be exited.
create function engine.exit_hindrances(p_offering text) returns table (place integer, rule text, open bigint)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with found as (
        select 10 as place, 'exit_leaves_no_units_outstanding' as rule, coalesce(sum(h.units), 0)::bigint as open
        from registry.holding h where h.offering_id = p_offering
        union all
        select 20, 'exit_leaves_no_units_under_way', (select count(*) from registry.units_under_way(p_offering))
            + (select count(*) from registry.split s where s.offering_id = p_offering
                and (s.status in ('proposed', 'approved', 'begun') or s.status = 'executed' and not exists (
                    select from engine.followed_split f where f.offering_id = s.offering_id and f.split_id = s.split_id)))
            + (select count(*) from registry.conversion_class c where c.offering_id = p_offering and c.status in ('proposed', 'approved'))
        union all
        select 30, 'exit_leaves_no_distribution_open', count(*) from engine.distribution d
        where d.offering_id = p_offering and d.status in ('draft', 'approved', 'paying')
        union all
        select 40, 'exit_leaves_no_payment_under_way', (select count(*) from treasury.disbursement d where d.offering_id = p_offering and d.status <> 'paid')
            + (select count(*) from treasury.lieu_standing s where s.offering_id = p_offering and not s.is_started)
            + (select count(*) from treasury.refund f where f.offering_id = p_offering and f.status in ('created', 'sent', 'bounced'))
            + (select count(*) from treasury.release r where r.offering_id = p_offering and r.status in ('proposed', 'approved', 'sent'))
            + (select count(*) from treasury.tax_remittance m where m.offering_id = p_offering and m.status not in ('settled', 'declined'))
        union all
        select 44, 'exit_leaves_no_tax_withheld', coalesce(sum(b.amount_minor), 0)::bigint from treasury.balance b
        where b.offering_id = p_offering and b.account = 'liab:withheld_tax'
        union all
        select 46, 'exit_leaves_no_price_to_repay', count(*) from registry.rescission c
        where c.offering_id = p_offering and c.status = 'done' and c.price_minor is not null
        union all
        select 48, 'exit_leaves_no_money_in_escrow', coalesce(sum(b.amount_minor), 0)::bigint from treasury.balance b
        where b.offering_id = p_offering and (b.account = 'asset:clawback_receivable'
            or starts_with(b.account, 'liab:') and b.account <> all (array['liab:transfer_fees', 'liab:withheld_tax']))
        union all
        select 50, 'exit_leaves_no_vote_open', count(*) from engine.vote v where v.offering_id = p_offering and v.status in ('proposed', 'open')
        union all
        select 60, 'exit_leaves_no_break_open', (select count(*) from reconciliation.break b where b.offering_id = p_offering and b.status <> 'verified')
            + (select count(*) from registry.record_difference d where d.offering_id = p_offering and d.status = 'open')
            + (select count(*) from registry.observed_transfer o where o.offering_id = p_offering and o.status not in ('matched', 'resolved')))
    select f.place, f.rule, f.open from found f where f.open > 0 order by f.place;
end;

-- The wall of the exit, whoever writes it; the message names every reason, the refusal the first.
create function engine.exit_leaves_nothing_open() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    hindered record;
begin
    select (array_agg(h.rule order by h.place))[1] as rule, string_agg(h.rule || ' ' || h.open, ', ' order by h.place) as all_of_them
    into hindered from engine.exit_hindrances(new.offering_id) h;
    if hindered.rule is not null then
        raise exception using errcode = 'BR008', constraint = hindered.rule,
            message = format('%s is not exited: %s', new.offering_id, hindered.all_of_them);
    end if;
    return new;
end $$;
create trigger exit_leaves_nothing_open before update on engine.offer
    for each row when (new.status = 'exited' and old.status = 'closed_successfully') execute function engine.exit_leaves_nothing_open();
alter table engine.offer enable always trigger exit_leaves_nothing_open;
