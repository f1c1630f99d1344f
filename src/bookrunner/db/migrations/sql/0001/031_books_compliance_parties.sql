-- Which people and papers each kind of investor needs, and those that are on file.

create table compliance.kind_requirement (
    kind text not null,
    form text not null default '',
    what text not null check (what in ('party', 'document')),
    code text not null,
    at_least integer not null check (at_least > 0),
    sentence text not null,
    effective_from date not null default '2020-01-01',
    effective_to date,
    primary key (kind, form, what, code, effective_from)
);

insert into compliance.kind_requirement (kind, form, what, code, at_least, sentence) values
    ('joint', '', 'party', 'joint_holder', 2, 'Each of the joint holders.'),
    ('entity', '', 'party', 'representative', 1, 'The person who signs for the entity.'),
    ('entity', '', 'document', 'formation', 1, 'The paper that formed the entity.'),
    ('entity', 'llc', 'document', 'operating_agreement', 1, 'The operating agreement.'),
    ('entity', 'corporation', 'document', 'bylaws', 1, 'The bylaws.'),
    ('entity', 'corporation', 'document', 'board_resolution', 1, 'The resolution to invest.'),
    ('entity', 'partnership', 'document', 'partnership_agreement', 1, 'The partnership agreement.'),
    ('entity', 'fund', 'document', 'fund_documents', 1, 'The constitutive documents of the fund.'),
    ('trust', '', 'party', 'trustee', 1, 'Each acting trustee.'),
    ('trust', '', 'document', 'trust_agreement', 1, 'The trust agreement.'),
    ('retirement', '', 'party', 'custodian', 1, 'The custodian that holds the account.'),
    ('retirement', '', 'document', 'custodial_agreement', 1, 'The agreement with the custodian.'),
    ('nominee', '', 'party', 'representative', 1, 'The person who signs for the nominee.'),
    ('nominee', '', 'document', 'holder_statement', 1, 'The statement of who is behind each unit.');
call audit.append_only('compliance.kind_requirement');

-- A person beside or behind an investor; known by an id, the name stays sealed.
create table compliance.party (
    investor_id text not null,
    party_id text not null,
    role text not null constraint party_role_is_known
        check (role in ('joint_holder', 'representative', 'trustee', 'custodian', 'beneficiary', 'grantor')),
    status text not null,
    account_id text,
    scope text[] not null default '{}',
    authority_sha256 bytea,
    valid_from timestamptz not null default clock_timestamp(),
    valid_until timestamptz,
    evidence_sha256 bytea,
    ended_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (investor_id, party_id),
    constraint representative_has_recorded_authority
        check (role <> 'representative' or (authority_sha256 is not null and scope <> '{}')),
    constraint authority_ends_after_it_begins check (valid_until is null or valid_until > valid_from),
    constraint verified_party_has_evidence check (status <> 'verified' or evidence_sha256 is not null),
    constraint party_ends_for_a_reason check ((status = 'ended') = (ended_because is not null))
);

create index party_of_account on compliance.party (account_id) where account_id is not null;

create table compliance.document (
    investor_id text not null,
    document_id text not null,
    code text not null,
    status text not null,
    sha256 bytea not null constraint document_is_named_by_its_digest check (octet_length(sha256) = 32),
    issued_on date,
    valid_until timestamptz,
    decided_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (investor_id, document_id),
    constraint rejected_document_has_its_reason check (status <> 'rejected' or decided_because is not null)
);

call audit.keep('compliance.party', 'party', 'party_id', 'investor_id');
call audit.keep('compliance.document', 'kyc_document', 'document_id', 'investor_id');

-- What the investor's kind and form need and is not on file now, with the number that is missing.
create function compliance.open_requirements(p_investor text) returns table (what text, code text, needed integer,
    missing integer, sentence text)
language plpgsql stable rows 5 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select n.what, n.code, n.at_least, n.at_least - n.have, n.sentence from (
        select r.what, r.code, r.at_least, r.sentence,
            case r.what when 'party' then (
                select count(*) from compliance.party p where p.investor_id = p_investor and p.role = r.code
                    and p.status = 'verified' and coalesce(p.valid_until > clock_timestamp(), true))
            else (select count(*) from compliance.document d where d.investor_id = p_investor and d.code = r.code
                    and d.status = 'on_file' and coalesce(d.valid_until > clock_timestamp(), true))
            end::integer as have
        from compliance.kyc_case k join compliance.kind_requirement r on r.kind = k.kind and r.form in ('', k.form)
        where k.investor_id = p_investor and r.effective_from <= current_date
            and coalesce(r.effective_to > current_date, true)) n
    where n.have < n.at_least
    order by n.what, n.code;
end $$;

-- Names a person beside an investor; a representative comes with the document and the scope of the authority.
create function compliance.record_party(p_actor text, p_request text, p_investor text, p_party text, p_role text,
    p_authority jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.party (investor_id, party_id, role, status, account_id, scope, authority_sha256, valid_from,
        valid_until)
    values (p_investor, p_party, p_role, 'recorded', p_authority ->> 'account',
        coalesce(array(select jsonb_array_elements_text(p_authority -> 'scope')), '{}'),
        decode(p_authority ->> 'document_sha256', 'hex'),
        coalesce((p_authority ->> 'valid_from')::timestamptz, clock_timestamp()),
        (p_authority ->> 'valid_until')::timestamptz);
    perform compliance.compute(p_investor);
end $$;

create function compliance.verify_party(p_actor text, p_request text, p_investor text, p_party text,
    p_evidence_sha256 bytea, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    current_version bigint := (select version from compliance.party
        where investor_id = p_investor and party_id = p_party for update);
begin
    perform audit.enter(p_actor, p_request);
    if current_version is null then
        raise exception using errcode = 'BR404', constraint = 'party_exists',
            message = format('there is no party %s of %s', p_party, p_investor);
    end if;
    perform compliance.decide(p_actor, 'verified', array[p_investor, p_party], current_version, p_seen);
    update compliance.party set status = 'verified', evidence_sha256 = p_evidence_sha256
    where investor_id = p_investor and party_id = p_party;
    perform compliance.compute(p_investor);
end $$;

create function compliance.end_party(p_actor text, p_request text, p_investor text, p_party text, p_because text,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_because, array[p_investor, p_party], (select version from compliance.party
        where investor_id = p_investor and party_id = p_party for update), p_seen);
    update compliance.party set status = 'ended', ended_because = p_because
    where investor_id = p_investor and party_id = p_party;
    perform compliance.compute(p_investor);
end $$;

-- Whether an account may act for an investor in one scope, by an authority that is verified and in its dates.
create function compliance.may_act(p_investor text, p_account text, p_scope text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from compliance.party p where p.investor_id = p_investor and p.account_id = p_account
    and p.role = 'representative' and p.status = 'verified' and p_scope = any (p.scope)
    and clock_timestamp() >= p.valid_from and coalesce(p.valid_until > clock_timestamp(), true));

-- Whether an account stands for an investor now, in whatever scope.
create function compliance.represents(p_investor text, p_account text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from compliance.party p, unnest(p.scope) s (scope) where p.investor_id = p_investor
    and p.account_id = p_account and compliance.may_act(p_investor, p_account, s.scope));

-- Files a paper; an earlier one of the same code that is still on file is replaced by it.
create function compliance.file_document(p_actor text, p_request text, p_investor text, p_document text, p_code text,
    p_sha256 bytea, p_issued_on date, p_valid_until timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if p_valid_until <= clock_timestamp() or p_issued_on > current_date then
        raise exception using errcode = 'BR008', constraint = 'filed_document_is_in_force',
            message = 'a paper that has expired or is not issued yet is not filed';
    end if;
    update compliance.document set status = 'replaced'
    where investor_id = p_investor and code = p_code and status = 'on_file';
    insert into compliance.document (investor_id, document_id, code, status, sha256, issued_on, valid_until)
    values (p_investor, p_document, p_code, 'on_file', p_sha256, p_issued_on, p_valid_until);
    perform compliance.compute(p_investor);
end $$;

create function compliance.reject_document(p_actor text, p_request text, p_investor text, p_document text,
    p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_because, array[p_investor, p_document], (select version from compliance.document
        where investor_id = p_investor and document_id = p_document for update), p_seen);
    update compliance.document set status = 'rejected', decided_because = p_because
    where investor_id = p_investor and document_id = p_document;
    perform compliance.compute(p_investor);
end $$;

create view compliance.authority_fact as
select investor_id, party_id, account_id, scope, status, valid_from, valid_until, version, chain_head
from compliance.party where role = 'representative';

-- Whether an offer wants to know who is behind each unit that a nominee holds; the latest row of an offer counts.
create table compliance.look_through_policy (
    offering_id text not null,
    policy_no integer not null check (policy_no > 0),
    is_required boolean not null,
    set_by text not null,
    because text not null,
    set_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, policy_no)
);
call audit.append_only('compliance.look_through_policy');

-- Who is behind the units of a nominee in an offer, as its paper says; a later statement replaces the whole.
create table compliance.holder_statement (
    offering_id text not null,
    investor_id text not null,
    statement_no integer not null check (statement_no > 0),
    document_id text not null,
    stated_by text not null,
    stated_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, investor_id, statement_no),
    constraint holder_statement_is_on_file foreign key (investor_id, document_id) references compliance.document
);
call audit.append_only('compliance.holder_statement');

create table compliance.holder_behind (
    offering_id text not null,
    investor_id text not null,
    statement_no integer not null,
    client_id text not null,
    units bigint not null constraint client_holds_units check (units > 0),
    constraint client_is_stated_once primary key (offering_id, investor_id, statement_no, client_id),
    constraint client_is_not_the_nominee check (client_id <> investor_id),
    foreign key (offering_id, investor_id, statement_no) references compliance.holder_statement
);
call audit.append_only('compliance.holder_behind');

create function compliance.looks_through(p_offering text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return coalesce((select l.is_required from compliance.look_through_policy l where l.offering_id = p_offering
        order by l.policy_no desc limit 1), false);
end $$;

-- How many units of a nominee have nobody stated behind them; 0 where the offer does not look through.
create function compliance.units_unstated(p_offering text, p_investor text) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not compliance.looks_through(p_offering)
        or not exists (select from compliance.kyc_case k where k.investor_id = p_investor and k.kind = 'nominee') then
        return 0;
    end if;
    return greatest(0, (select coalesce(sum(i.units), 0)::bigint from engine.investment i
            where i.offering_id = p_offering and i.investor_id = p_investor
                and i.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully'))
        - (select coalesce(sum(h.units), 0)::bigint from compliance.holder_behind h
            where h.offering_id = p_offering and h.investor_id = p_investor and h.statement_no = (
                select max(s.statement_no) from compliance.holder_statement s
                where s.offering_id = p_offering and s.investor_id = p_investor)));
end $$;

-- Refuses a commitment, already counted, of a nominee for units behind which nobody is stated.
create function compliance.look_through(p_offering text, p_investor text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    unstated bigint := compliance.units_unstated(p_offering, p_investor);
begin
    if unstated > 0 then
        raise exception using errcode = 'BR008', constraint = 'units_behind_a_nominee_are_stated',
            message = format('nobody is stated behind %s units of %s', unstated, p_investor);
    end if;
end $$;

-- An officer says whether an offer looks through nominees.
create function compliance.set_look_through(p_actor text, p_request text, p_offering text, p_is_required boolean,
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c record;
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_because, array[p_offering, 'look_through'], 0, 0);
    insert into compliance.look_through_policy (offering_id, policy_no, is_required, set_by, because)
    select p_offering, 1 + count(*), p_is_required, p_actor, p_because from compliance.look_through_policy l
    where l.offering_id = p_offering;
    for c in select x.investor_id from compliance.clearance x join compliance.kyc_case k using (investor_id)
        where x.offering_id = p_offering and k.kind = 'nominee' order by x.investor_id loop
        perform compliance.compute_one(p_offering, c.investor_id);
    end loop;
end $$;

-- States who is behind each unit of a nominee, by a paper on file: rows of client and units. Each client is screened,
-- and the clearance of the nominee rests on it.
create function compliance.state_holders(p_actor text, p_request text, p_offering text, p_investor text, p_document text,
    p_holders jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    next_no integer;
begin
    perform audit.enter(p_actor, p_request);
    if jsonb_array_length(p_holders) = 0 then
        raise exception using errcode = 'BR008', constraint = 'holder_statement_names_somebody',
            message = format('the statement %s names nobody', p_document);
    end if;
    perform 1 from compliance.kyc_case where investor_id = p_investor for update;
    select 1 + count(*) into next_no from compliance.holder_statement s
    where s.offering_id = p_offering and s.investor_id = p_investor;
    insert into compliance.holder_statement (offering_id, investor_id, statement_no, document_id, stated_by)
    values (p_offering, p_investor, next_no, p_document, p_actor);
    insert into compliance.holder_behind (offering_id, investor_id, statement_no, client_id, units)
    select p_offering, p_investor, next_no, h ->> 'client', (h ->> 'units')::bigint from jsonb_array_elements(p_holders) h;
    insert into compliance.concern (subject_id, investor_id, role)
    select distinct h ->> 'client', p_investor, 'client' from jsonb_array_elements(p_holders) h order by 1
    on conflict do nothing;
    perform compliance.compute(p_investor);
end $$;

-- Where the investors of an offer may live: in these countries alone, or in any but these; the latest row counts.
create table compliance.country_rule (
    offering_id text not null,
    rule_no integer not null check (rule_no > 0),
    kind text not null constraint country_rule_allows_or_restricts check (kind in ('allow', 'restrict')),
    countries text[] not null constraint country_rule_names_countries
        check (cardinality(countries) > 0 and array_to_string(countries, ' ', '?') ~ '^[A-Z]{2}( [A-Z]{2})*$'),
    set_by text not null,
    because text not null,
    set_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, rule_no)
);
call audit.append_only('compliance.country_rule');

-- Whether the country that a profile claims now is permitted; an unknown one is not where a rule stands.
create function compliance.country_is_permitted(p_offering text, p_investor text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    r compliance.country_rule;
begin
    select * into r from compliance.country_rule x where x.offering_id = p_offering order by x.rule_no desc limit 1;
    return not found or coalesce((select (p.country = any (r.countries)) = (r.kind = 'allow')
        from portal.profile_claim p where p.investor_id = p_investor), false);
end $$;

-- Refuses a commitment from a country where the offer is not made.
create function compliance.refuse_country(p_offering text, p_investor text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if not compliance.country_is_permitted(p_offering, p_investor) then
        raise exception using errcode = 'BR008', constraint = 'country_is_permitted',
            message = format('%s is not made in the country of %s', p_offering, p_investor);
    end if;
end $$;

-- An officer says where an offer is made; each clearance for it is computed again at once.
create function compliance.set_country_rule(p_actor text, p_request text, p_offering text, p_kind text, p_countries text[],
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c record;
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_because, array[p_offering, 'countries'], 0, 0);
    insert into compliance.country_rule (offering_id, rule_no, kind, countries, set_by, because)
    select p_offering, 1 + count(*), p_kind, p_countries, p_actor, p_because from compliance.country_rule r
    where r.offering_id = p_offering;
    for c in select x.investor_id from compliance.clearance x where x.offering_id = p_offering order by x.investor_id loop
        perform compliance.compute_one(p_offering, c.investor_id);
    end loop;
end $$;
