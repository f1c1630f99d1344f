-- What the compliance record says of an investor, for the desk that compares it with what the investor states.

-- A contradiction that compliance has looked at and accepts, with its reason; it stands until it is withdrawn.
create table compliance.statement_acceptance (
    offering_id text not null,
    acceptance_id text not null,
    investor_id text not null,
    statement text not null,
    fact text not null,
    status text not null,
    because text not null constraint acceptance_says_why check (because ~ '\S'),
    decided_by text not null,
    withdrawn_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, acceptance_id),
    constraint withdrawn_acceptance_says_why check ((status = 'withdrawn') = coalesce(withdrawn_because ~ '\S', false))
);
create unique index one_acceptance_of_a_contradiction_stands
    on compliance.statement_acceptance (offering_id, investor_id, statement, fact) where status = 'accepted';
call audit.keep('compliance.statement_acceptance', 'statement_acceptance', 'acceptance_id', 'offering_id', '{because,withdrawn_because}');

-- Facts of the record that may contradict a statement. A check that nobody has made is no fact.
create function compliance.recorded(p_offering text, p_investor text) returns setof text
language plpgsql stable rows 10 set search_path = pg_catalog, pg_temp as $$
declare
    k compliance.kyc_case;
    home text;
begin
    select * into k from compliance.kyc_case x where x.investor_id = p_investor;
    select d.country into home from portal.version_fact d
    where d.investor_id = p_investor and d.detail_digest = k.verified_digest and k.status = 'approved';
    return query
    select 'accreditation_is_refused' where exists (select from compliance.accreditation a
            where a.investor_id = p_investor and (a.status in ('declined', 'expired') or a.valid_until <= clock_timestamp()))
        or exists (select from compliance.contrary_knowledge x where x.investor_id = p_investor)
        or exists (select from compliance.clearance c where c.offering_id = p_offering and c.investor_id = p_investor and c.takes_place)
    union all
    select 'political_exposure_is_known' from compliance.risk_rating r
    where r.investor_id = p_investor and r.facts ->> 'exposure' = 'political'
    union all
    select 'purchaser_is_not_capable' from compliance.sophistication_of(p_offering, p_investor) s where s.basis = 'not_capable'
    union all
    select case when home in ('US', 'PR', 'GU', 'VI', 'AS', 'MP', 'UM') then 'residence_is_in_the_united_states'
        else 'residence_is_abroad' end where home is not null
    union all
    select 'investor_holds_for_others' where k.kind = 'nominee'
    union all
    select case when k.kind in ('individual', 'joint') then 'investor_is_a_natural_person'
        else 'investor_is_no_natural_person' end where k.kind is not null
    union all
    select 'no_representative_is_verified' where k.kind in ('entity', 'nominee', 'trust') and not exists (
        select from compliance.party p where p.investor_id = p_investor and p.role in ('representative', 'trustee')
            and p.status = 'verified' and coalesce(p.valid_until > clock_timestamp(), true))
    union all
    select format('joint_holders_are_%s', count(*)) from compliance.party p
    where p.investor_id = p_investor and p.role = 'joint_holder' and p.status = 'verified'
    having k.kind = 'joint';
end $$;

-- An officer accepts that a statement stands beside a fact of the record, and says why.
create function compliance.accept_statement(p_actor text, p_request text, p_offering text, p_acceptance text,
    p_investor text, p_statement text, p_fact text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_because, array[p_offering, p_acceptance], 0, 0);
    if p_fact is null or p_fact not in (select r from compliance.recorded(p_offering, p_investor) r) then
        raise exception using errcode = 'BR008', constraint = 'accepted_fact_is_on_record',
            message = format('the record of %s does not say %s', p_investor, coalesce(p_fact, 'nothing'));
    end if;
    insert into compliance.statement_acceptance (offering_id, acceptance_id, investor_id, statement, fact, status, because,
        decided_by)
    values (p_offering, p_acceptance, p_investor, p_statement, p_fact, 'accepted', p_because, p_actor);
end $$;

create function compliance.withdraw_acceptance(p_actor text, p_request text, p_offering text, p_acceptance text,
    p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_because, array[p_offering, p_acceptance], (select a.version from compliance.statement_acceptance a
        where a.offering_id = p_offering and a.acceptance_id = p_acceptance for update), p_seen);
    update compliance.statement_acceptance set status = 'withdrawn', withdrawn_because = p_because
    where offering_id = p_offering and acceptance_id = p_acceptance;
end $$;
