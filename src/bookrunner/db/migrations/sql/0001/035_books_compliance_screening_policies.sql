-- What an offer asks of the screenings of its subjects, proposed by one person and adopted by another.

-- From which score on an offer's subjects alert, how long a changed list may wait, how old a screening may be.
create table compliance.screening_policy (
    offering_id text not null,
    policy_no integer not null check (policy_no > 0),
    person_bp integer not null,
    other_bp integer not null,
    list_lag interval not null,
    age interval not null,
    proposed_by text not null,
    adopted_by text not null,
    because text not null,
    adopted_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, policy_no),
    constraint screening_policy_needs_two_people check (audit.person_of(proposed_by) <> audit.person_of(adopted_by)),
    constraint threshold_can_alert check (person_bp between 5000 and 9900 and other_bp between 5000 and 9900),
    constraint screening_age_is_in_bounds check (age between interval '1 day' and interval '366 days'
        and list_lag between interval '0' and interval '7 days')
);
call audit.append_only('compliance.screening_policy');

create table compliance.screening_policy_change (
    offering_id text not null,
    change_id text not null,
    status text not null,
    policy jsonb not null,
    proposed_by text not null,
    decided_by text,
    because text not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, change_id),
    constraint policy_change_needs_two_people check (audit.person_of(decided_by) is distinct from audit.person_of(proposed_by) or decided_by is null)
);
call audit.keep('compliance.screening_policy_change', 'screening_policy_change', 'change_id', 'offering_id');

-- The policy of an offer now; the house's own where the offer has none.
create function compliance.policy_of(p_offering text) returns compliance.screening_policy
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    p compliance.screening_policy;
    moment timestamptz := clock_timestamp();
begin
    select * into p from compliance.screening_policy where offering_id = p_offering order by policy_no desc limit 1;
    if not found then
        p.person_bp := compliance.rule_value('house.screening.person', moment);
        p.other_bp := compliance.rule_value('house.screening.other', moment);
        p.list_lag := compliance.after_rule('house.rescreen_within', moment) - moment;
        p.age := compliance.after_rule('house.screening_validity', moment) - moment;
    end if;
    return p;
end $$;

-- A person proposes the policy of an offer; until somebody else adopts it, nothing changes.
create function compliance.propose_screening_policy(p_actor text, p_request text, p_offering text, p_change text,
    p_policy jsonb, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.by_a_person(p_actor, p_because);
    insert into compliance.screening_policy_change (offering_id, change_id, status, policy, proposed_by, because)
    values (p_offering, p_change, 'proposed', p_policy, p_actor, p_because);
end $$;

-- A second person adopts or declines a proposed policy. What was screened from a higher threshold is screened again; a
-- hit that stands is decided as a hit, whatever the policy says from then on.
create function compliance.decide_screening_policy(p_actor text, p_request text, p_offering text, p_change text,
    p_is_adopted boolean, p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    x compliance.screening_policy_change;
    c record;
begin
    perform audit.enter(p_actor, p_request);
    select * into x from compliance.screening_policy_change
    where offering_id = p_offering and change_id = p_change for update;
    perform compliance.decide(p_actor, p_because, array[p_offering, p_change], x.version, p_seen);
    update compliance.screening_policy_change set decided_by = p_actor,
        status = case when p_is_adopted then 'adopted' else 'declined' end
    where offering_id = p_offering and change_id = p_change;
    if p_is_adopted is not true then
        return;
    end if;
    insert into compliance.screening_policy (offering_id, policy_no, person_bp, other_bp, list_lag, age, proposed_by,
        adopted_by, because)
    select p_offering, 1 + count(*), (x.policy ->> 'person_bp')::integer, (x.policy ->> 'other_bp')::integer,
        make_interval(hours => (x.policy ->> 'list_lag_hours')::integer),
        make_interval(days => (x.policy ->> 'age_days')::integer), x.proposed_by, p_actor, x.because
    from compliance.screening_policy where offering_id = p_offering;
    perform compliance.enlist(array(select distinct s.id
        from compliance.clearance y, compliance.subjects_of(y.investor_id) s (id) where y.offering_id = p_offering
            and not compliance.is_screened_by(compliance.policy_of(p_offering), array[s.id])), 'change', clock_timestamp());
    for c in select y.investor_id from compliance.clearance y where y.offering_id = p_offering order by y.investor_id loop
        perform compliance.compute_one(p_offering, c.investor_id);
    end loop;
end $$;
