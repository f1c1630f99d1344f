-- What an issuer reads of its own filings, behind row security.

call issuer.keep_apart('engine.filing', 'offering_id in (select issuer.own_offers())');
-- The clocks are law and not somebody's rows.
call issuer.keep_apart('engine.filing_clock', 'true');
grant select on engine.filing, engine.filing_clock to issuer;
grant execute on function engine.filing_day(timestamptz) to issuer;

create view issuer.filing with (security_invoker = true) as
select f.offering_id, f.filing_id, f.clock, f.form, f.period, f.place, f.status, f.fact_on, f.fact_source, f.due_on, f.rule_id, f.rule_version,
    f.prepared_by, f.pack_sha256, f.filed_by, f.filed_on, f.reference, f.proof_sha256, f.because, f.ended_by, f.version, c.citation, c.calendar, c.sentence,
    f.status in ('due', 'prepared', 'ending') and coalesce(f.due_on < engine.filing_day(clock_timestamp()), false) as is_missed,
    coalesce(f.filed_on > f.due_on, false) as is_late
from engine.filing f join engine.filing_clock c using (clock);

-- The pack of a filing of its own; of another's, nothing.
create function issuer.filing_pack(p_filing text) returns table (place integer, code text, sentence text, citation text,
    is_mandatory boolean, is_found boolean, value text, unit text, source text, stated_by text, differs boolean, value_now text,
    unit_now text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select p.* from engine.filing f cross join lateral engine.filing_shown(f.offering_id, f.filing_id) p
    where f.filing_id = p_filing and f.offering_id in (select issuer.own_offers());
end;

grant select on issuer.filing to issuer;
grant execute on function issuer.filing_pack(text) to issuer;
