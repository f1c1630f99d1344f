-- What is done with filings: the engine opens and dates them by facts; people fill, prepare, record and end them.

-- What a filing needs for each move, whoever makes it.
create function engine.filing_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    is_by_process constant boolean := coalesce(current_setting('bookrunner.actor', true), '') in ('', 'process');
    lacking text[];
begin
    if tg_op = 'UPDATE' and (old.clock, old.form, old.period, old.place) is distinct from (new.clock, new.form, new.period, new.place) then
        raise exception using errcode = 'BR006', constraint = 'filing_is_of_one_fact',
            message = format('%s is owed for one fact', old.filing_id);
    end if;
    if (tg_op = 'INSERT' or (old.fact_on, old.fact_source, old.due_on, old.rule_id, old.rule_version) is distinct from
            (new.fact_on, new.fact_source, new.due_on, new.rule_id, new.rule_version))
        and not exists (select from engine.filings_owed(new.offering_id) w where (w.clock, w.form, w.period, w.place) =
            (new.clock, new.form, new.period, new.place) and (w.fact_on, w.fact_source, w.due_on, w.rule_id, w.rule_version)
            is not distinct from (new.fact_on, new.fact_source, new.due_on, new.rule_id, new.rule_version)) then
        raise exception using errcode = 'BR008', constraint = 'filing_is_owed_by_its_fact',
            message = format('no fact of %s starts %s on that day', new.offering_id, new.clock);
    end if;
    if tg_op = 'UPDATE' and (new.pack, new.prepared_by) is distinct from (old.pack, old.prepared_by) and (new.status = 'ending'
        or old.status = 'ending' and new.status <> 'not_owed' or old.status = 'prepared' and new.status in ('prepared', 'filed')) then
        raise exception using errcode = 'BR006', constraint = 'pack_stays_as_prepared',
            message = format('the pack of %s is the one that was prepared', old.filing_id);
    end if;
    if tg_op = 'INSERT' or old.status = new.status then
        return new;
    end if;
    if (old.status = 'not_owed' or old.status = 'prepared' and new.status = 'due')
        and not exists (select from engine.filings_owed(new.offering_id) w where w.clock = new.clock and w.period = new.period) then
        raise exception using errcode = 'BR008', constraint = 'filing_is_owed_by_its_fact',
            message = format('no fact of %s starts %s', new.offering_id, new.clock);
    end if;
    if old.status in ('ending', 'not_owed') and new.status = 'due' and is_by_process and old.ended_by is not null then
        raise exception using errcode = 'BR010', constraint = 'ended_filing_is_owed_again_by_a_person',
            message = format('%s ended %s', old.ended_by, old.filing_id);
    end if;
    if new.status = 'prepared' and old.status = 'due' then
        lacking := engine.filing_unfilled(new.offering_id, new.filing_id);
        if lacking <> '{}' then
            raise exception using errcode = 'BR008', constraint = 'prepared_pack_is_filled',
                message = format('nothing fills %s', array_to_string(lacking, ', '));
        end if;
    end if;
    if new.status = 'prepared' and old.status = 'due' and new.pack is distinct from engine.filing_text(new.offering_id, new.filing_id) then
        raise exception using errcode = 'BR008', constraint = 'pack_is_of_the_facts_now',
            message = format('a fact of %s is another one by now', new.filing_id);
    end if;
    if new.status in ('prepared', 'filed') and is_by_process then
        raise exception using errcode = 'BR010', constraint = 'filing_is_made_by_a_person',
            message = format('nobody is named who made %s', new.filing_id);
    end if;
    if new.filed_on > engine.filing_day(clock_timestamp()) then
        raise exception using errcode = 'BR008', constraint = 'filing_is_recorded_after_it_was_made',
            message = format('%s is ahead', new.filed_on);
    end if;
    if new.status = 'not_owed' and (old.status = 'ending' or new.ended_by is not null)
        and (old.status, old.ended_by) is distinct from ('ending', new.ended_by) then
        raise exception using errcode = 'BR008', constraint = 'ended_filing_needs_two_people',
            message = format('nobody proposed that %s is not owed', new.filing_id);
    end if;
    if new.status in ('ending', 'not_owed') and (is_by_process or new.ended_by is null) and exists (select from engine.filings_owed(new.offering_id) w
        where w.clock = new.clock and w.period = new.period) then
        raise exception using errcode = 'BR010', constraint = 'owed_filing_is_ended_by_a_person',
            message = format('the fact of %s stands', new.filing_id);
    end if;
    return new;
end $$;

create trigger filing_stands before insert or update on engine.filing for each row execute function engine.filing_stands();
alter table engine.filing enable always trigger filing_stands;

-- Brings the filings of one offer to its facts: opens those that are owed, dates them anew, ends those whose fact is gone and
-- owes them again when it stands again. A prepared pack stays as it is, also when its fact goes: it may have been filed. What a person
-- proposed to end waits for another person. Who looks again changes nothing. Returns how many it touched.
create function engine.follow_facts(p_offering text) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    opened integer;
    dated integer;
    ended integer;
    again integer;
begin
    perform 1 from engine.offer o where o.offering_id = p_offering for no key update;
    update engine.filing f set status = 'due', because = 'its fact stands again', fact_on = w.fact_on, fact_source = w.fact_source,
        due_on = w.due_on, rule_id = w.rule_id, rule_version = w.rule_version
    from engine.filings_owed(p_offering) w
    where f.offering_id = p_offering and f.clock = w.clock and f.period = w.period and f.status = 'not_owed' and f.ended_by is null;
    get diagnostics again = row_count;
    insert into engine.filing (offering_id, filing_id, clock, form, period, place, status, fact_on, fact_source, due_on, rule_id, rule_version)
    select p_offering, 'fil_' || substr(encode(sha256(convert_to(concat_ws('/', p_offering, w.clock, w.period), 'UTF8')), 'hex'), 1, 26),
        w.clock, w.form, w.period, w.place, 'due', w.fact_on, w.fact_source, w.due_on, w.rule_id, w.rule_version
    from engine.filings_owed(p_offering) w
    where not exists (select from engine.filing f where f.offering_id = p_offering and f.clock = w.clock and f.period = w.period)
    order by w.clock, w.period;
    get diagnostics opened = row_count;
    update engine.filing f set fact_on = w.fact_on, fact_source = w.fact_source, due_on = w.due_on, rule_id = w.rule_id,
        rule_version = w.rule_version
    from engine.filings_owed(p_offering) w
    where f.offering_id = p_offering and f.clock = w.clock and f.period = w.period and f.status in ('due', 'prepared', 'ending')
        and (f.fact_on, f.fact_source, f.due_on, f.rule_id, f.rule_version)
            is distinct from (w.fact_on, w.fact_source, w.due_on, w.rule_id, w.rule_version);
    get diagnostics dated = row_count;
    update engine.filing f set status = 'not_owed', because = 'its fact is gone'
    where f.offering_id = p_offering and f.status = 'due'
        and not exists (select from engine.filings_owed(p_offering) w where w.clock = f.clock and w.period = f.period);
    get diagnostics ended = row_count;
    return again + opened + dated + ended;
end $$;

-- The offers that a clock binds.
create function engine.bound_offers() returns setof text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select o.offering_id from engine.offer o
    where o.status not in ('new', 'draft', 'legal_review', 'legal_declined')
        and exists (select from engine.filing_clock c where o.exemption = any (c.exemptions))
    order by o.offering_id;
end;

-- The same for these offers, or for every one that a clock binds.
create function engine.open_filings(p_actor text, p_request text, p_offerings text[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    bound text;
    touched integer := 0;
begin
    perform audit.enter(p_actor, p_request);
    for bound in select b from engine.bound_offers() b where p_offerings is null or b = any (p_offerings) order by b loop
        touched := touched + engine.follow_facts(bound);
    end loop;
    return touched;
end $$;

-- A person states a fact that no book holds, on a document; what it owes is opened in the same breath.
create function engine.state_filing_fact(p_actor text, p_request text, p_offering text, p_fact_id text, p_fact text, p_place text,
    p_happened_on date, p_because text, p_evidence_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    insert into engine.filing_fact (offering_id, fact_id, fact, place, happened_on, because, evidence_sha256, stated_by)
    values (p_offering, p_fact_id, p_fact, p_place, p_happened_on, p_because, p_evidence_sha256, p_actor);
    perform engine.follow_facts(p_offering);
end $$;

-- A filing that is at the version that was seen, locked behind its offer.
create function engine.seen_filing(p_offering text, p_filing text, p_seen bigint) returns engine.filing
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    f engine.filing;
begin
    perform 1 from engine.offer o where o.offering_id = p_offering for no key update;
    select * into f from engine.filing x where x.offering_id = p_offering and x.filing_id = p_filing for update;
    if f.filing_id is null then
        raise exception using errcode = 'BR404', constraint = 'filing_exists',
            message = format('there is no filing %s of %s', p_filing, p_offering);
    end if;
    if p_seen is distinct from f.version then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen',
            message = format('the filing is at version %s', f.version);
    end if;
    return f;
end $$;

-- Fills an item that no book holds, with the source of the value. A pack that was prepared is open again.
create function engine.fill_filing(p_actor text, p_request text, p_offering text, p_filing text, p_code text, p_value text,
    p_source text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    perform engine.seen_filing(p_offering, p_filing, (select x.version from engine.filing x
        where x.offering_id = p_offering and x.filing_id = p_filing));
    if not exists (select from engine.filing f join engine.filing_item i using (form)
        where f.offering_id = p_offering and f.filing_id = p_filing and f.status in ('due', 'prepared')
            and i.code = p_code and i.found is null) then
        raise exception using errcode = 'BR008', constraint = 'filled_item_is_open',
            message = format('%s of %s is no item that a person fills', p_code, p_filing);
    end if;
    insert into engine.filing_value (offering_id, filing_id, code, ordinal, value, source, stated_by)
    select p_offering, p_filing, p_code, 1 + count(*), p_value, p_source, p_actor from engine.filing_value v
    where v.offering_id = p_offering and v.filing_id = p_filing and v.code = p_code;
    update engine.filing set status = 'due', because = 'an item was filled', pack = null, pack_sha256 = null, prepared_by = null
    where offering_id = p_offering and filing_id = p_filing and status = 'prepared';
end $$;

-- Says that the pack is ready; refused while a mandatory item is open.
create function engine.prepare_filing(p_actor text, p_request text, p_offering text, p_filing text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    f engine.filing;
    said text;
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    f := engine.seen_filing(p_offering, p_filing, p_seen);
    said := engine.filing_text(p_offering, p_filing);
    update engine.filing set status = 'prepared', pack = said, pack_sha256 = sha256(convert_to(said, 'UTF8')), prepared_by = p_actor
    where offering_id = p_offering and filing_id = f.filing_id;
end $$;

-- A person opens a filing again: a prepared pack whose facts have changed since, or one that was said not to be owed, confirmed or not.
-- Where nobody confirmed it, its pack is prepared as it was; that of a fact that is gone is never dropped.
create function engine.reopen_filing(p_actor text, p_request text, p_offering text, p_filing text, p_because text, p_seen bigint)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    f engine.filing;
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    f := engine.seen_filing(p_offering, p_filing, p_seen);
    if f.status = 'due' then
        raise exception using errcode = 'BR008', constraint = 'opened_filing_was_prepared_or_ended',
            message = format('%s is open', p_filing);
    end if;
    if f.status = 'ending' and f.pack is not null then
        update engine.filing set status = 'prepared', because = p_because, ended_by = null
        where offering_id = p_offering and filing_id = f.filing_id;
    else
        update engine.filing set status = 'due', because = p_because, pack = null, pack_sha256 = null, prepared_by = null,
            ended_by = null, end_confirmed_by = null
        where offering_id = p_offering and filing_id = f.filing_id;
    end if;
    perform engine.follow_facts(p_offering);
end $$;

-- Records that a person filed it: on which day, under which number, and the digest of what proves it. The next amendment is
-- counted from here.
create function engine.record_filing(p_actor text, p_request text, p_offering text, p_filing text, p_filed_on date, p_reference text,
    p_proof_sha256 bytea, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    f engine.filing;
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    f := engine.seen_filing(p_offering, p_filing, p_seen);
    update engine.filing set status = 'filed', filed_by = p_actor, filed_on = p_filed_on, reference = p_reference,
        proof_sha256 = p_proof_sha256, because = null
    where offering_id = p_offering and filing_id = f.filing_id;
    perform engine.follow_facts(p_offering);
end $$;

-- A person says why a filing is owed no more, such as an update that the platform itself made; it is owed until another confirms it.
create function engine.end_filing(p_actor text, p_request text, p_offering text, p_filing text, p_because text, p_seen bigint)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    f engine.filing;
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    f := engine.seen_filing(p_offering, p_filing, p_seen);
    update engine.filing set status = 'ending', because = p_because, ended_by = p_actor
    where offering_id = p_offering and filing_id = f.filing_id;
end $$;

-- A second person confirms that a filing is not owed, for the reason that was given.
create function engine.confirm_filing_end(p_actor text, p_request text, p_offering text, p_filing text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    f engine.filing;
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    f := engine.seen_filing(p_offering, p_filing, p_seen);
    update engine.filing set status = 'not_owed', end_confirmed_by = p_actor, pack = null, pack_sha256 = null, prepared_by = null
    where offering_id = p_offering and filing_id = f.filing_id;
end $$;

-- The filings with what each clock says. A day is missed when it has passed without a filing, in New York.
create view engine.filing_standing as
select f.offering_id, f.filing_id, f.clock, f.form, f.period, f.place, f.status, f.fact_on, f.fact_source, f.due_on, f.rule_id, f.rule_version,
    f.prepared_by, f.pack_sha256, f.filed_by, f.filed_on, f.reference, f.proof_sha256, f.because, f.ended_by, f.version, c.citation, c.calendar, c.sentence,
    f.status in ('due', 'prepared', 'ending') and coalesce(f.due_on < engine.filing_day(clock_timestamp()), false) as is_missed,
    coalesce(f.filed_on > f.due_on, false) as is_late
from engine.filing f join engine.filing_clock c using (clock);

-- What holders may see of it: the form, its day and whether it was missed.
create view engine.report_owed as
select s.offering_id, s.filing_id, s.form, s.sentence, s.due_on, s.is_missed, s.filed_on, s.is_late
from engine.filing_standing s where s.status <> 'not_owed';
