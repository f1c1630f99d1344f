-- Lines of a redemption that were let go: their price is not owed, and their capital stays with the class.

create view engine.released_line as
select l.offering_id, l.distribution_id, l.line_id, l.payee_id, l.units, l.net_minor from registry.line_release_fact x
join engine.redemption r on r.offering_id = x.offering_id and r.buyback_id = x.buyback_id
join engine.distribution d on d.offering_id = r.offering_id and d.distribution_id = r.distribution_id and d.status in ('paying', 'paid')
join engine.distribution_line l on l.offering_id = r.offering_id and l.distribution_id = r.distribution_id and l.holding_id = x.holding_id
where x.status = 'released';

-- The part of the capital of a redemption that stays, by the units that do.
create function engine.capital_let_go(r engine.redemption) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select coalesce(div(r.capital_minor * sum(l.units) filter (where x.line_id is not null), sum(l.units)), 0)::bigint
    from engine.distribution_line l left join engine.released_line x on x.offering_id = l.offering_id and x.line_id = l.line_id
    where l.offering_id = r.offering_id and l.distribution_id = r.distribution_id;
end;
