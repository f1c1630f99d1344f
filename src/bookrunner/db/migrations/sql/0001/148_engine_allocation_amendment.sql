-- Amendments of a published offer. Price, units and currency stay locked; an amendment says what else has changed.

-- Which rule says how long an investor may take to reconfirm; its number is a dated version among the rules.
create table engine.reconfirmation_rule (
    exemption text primary key,
    rule_id text not null
);

insert into engine.reconfirmation_rule (exemption, rule_id) values
    ('reg_cf', 'us.regcf.reconfirm_within'), ('reg_a_tier_2', 'house.reconfirm_within'),
    ('reg_a_tier_1', 'house.reconfirm_within'),
    ('506(b)', 'house.reconfirm_within'), ('506(c)', 'house.reconfirm_within'), ('reg_s', 'house.reconfirm_within'),
    ('eu_crowdfunding', 'house.reconfirm_within');
call audit.append_only('engine.reconfirmation_rule');

-- The end of the window that opens at a moment: the last day counts to its end in New York.
create function engine.reconfirmation_due(p_rule compliance.rule, p_at timestamptz) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp
return (1 + case p_rule.unit
    when 'business_days' then compliance.business_day_after('us_federal_business',
        (p_at at time zone 'America/New_York')::date, p_rule.value)
    when 'calendar_days' then (p_at at time zone 'America/New_York')::date + p_rule.value::integer end
    )::timestamp at time zone 'America/New_York';

create function engine.propose_amendment(p_actor text, p_request text, p_offering text, p_amendment text,
    p_is_material boolean, p_sentence text, p_document_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    if not exists (select from engine.offer o where o.offering_id = p_offering
        and o.status in ('published', 'legally_closed')) then
        raise exception using errcode = 'BR002', constraint = 'amended_offer_is_published',
            message = format('%s is not published, or is closed', p_offering);
    end if;
    insert into engine.amendment (offering_id, amendment_id, ordinal, status, is_material, sentence, document_sha256, proposed_by)
    select p_offering, p_amendment, 1 + count(*), 'proposed', p_is_material, p_sentence, p_document_sha256, p_actor
    from engine.amendment a where a.offering_id = p_offering;
end $$;

-- A second person decides. A material change is announced, with the window of the offer's exemption (for Regulation
-- Crowdfunding 17 CFR 227.304(c)); another one is recorded.
create function engine.decide_amendment(p_actor text, p_request text, p_offering text, p_amendment text,
    p_is_accepted boolean, p_because text, p_seen bigint) returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a engine.amendment;
    r compliance.rule;
    due timestamptz;
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    -- A closing that freezes at this moment comes before or after the announcement, never between.
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    select * into a from engine.amendment x where x.offering_id = p_offering and x.amendment_id = p_amendment for update;
    if a.status is null then
        raise exception using errcode = 'BR404', constraint = 'amendment_exists',
            message = format('there is no amendment %s in %s', p_amendment, p_offering);
    end if;
    if p_seen is distinct from a.version then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen',
            message = format('the amendment is at version %s', a.version);
    end if;
    if p_is_accepted and a.is_material then
        r := compliance.rule_at((select x.rule_id from engine.reconfirmation_rule x join engine.offer o using (exemption)
            where o.offering_id = p_offering), clock_timestamp());
        due := engine.reconfirmation_due(r, clock_timestamp());
        if r.unit = 'business_days' and due > (select max(h.day) from compliance.holiday h
            where h.calendar = 'us_federal_business') then
            raise exception using errcode = 'BR008', constraint = 'window_is_in_the_calendar',
                message = format('%s does not end inside the calendar', r.rule_id);
        end if;
    end if;
    update engine.amendment set decided_by = p_actor, because = p_because, rule_id = r.rule_id,
        rule_version = r.rule_version, due_at = due,
        status = case when p_is_accepted is not true then 'declined' when a.is_material then 'announced' else 'recorded' end
    where offering_id = p_offering and amendment_id = p_amendment;
    return due;
end $$;

-- Every investor with a live investment has been asked, which the answer to the announcement says.
create function engine.mark_put(p_actor text, p_request text, p_offering text, p_amendment text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from audit.reaction r where r.consumer = 'process.ask' and r.scope = p_offering
        and r.subject = p_amendment and r.result = 'done') then
        raise exception using errcode = 'BR008', constraint = 'investors_are_asked',
            message = format('nobody has asked the investors about %s', p_amendment);
    end if;
    update engine.amendment set status = 'put_to_investors'
    where offering_id = p_offering and amendment_id = p_amendment and status = 'announced';
end $$;

-- Cancels who said no to a material change, or nothing inside the window; a return of the money follows from the event.
-- One in a running closing waits until it has left the set.
create function engine.cancel_unreconfirmed(p_actor text, p_request text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    ended integer;
begin
    perform audit.enter(p_actor, p_request);
    with silent as materialized (
        select i.offering_id, i.investment_id from engine.investment i join engine.position pos using (offering_id, investment_id)
        where i.status in ('new', 'confirmed', 'legally_confirmed', 'cancellation_requested') and pos.issuance = 'open'
            and (i.offering_id, i.investment_id) in (select f.offering_id, f.investment_id
                from subscription.reconfirmation_fact f where f.status in ('declined', 'lapsed'))
            and not exists (select from engine.closing_member m where m.offering_id = i.offering_id
                and m.investment_id = i.investment_id and m.status <> 'left')
        order by i.offering_id, i.investment_id for update of pos, i)
    update engine.investment i set status = 'cancelled_by_manager', remembered_status = null from silent s
    where i.offering_id = s.offering_id and i.investment_id = s.investment_id;
    get diagnostics ended = row_count;
    return ended;
end $$;
