-- Investments that the issuer had not countersigned when a set was frozen: each is a case that a person decides.

create table engine.closing_case (
    offering_id text not null,
    case_id text not null,
    investment_id text not null,
    closing_id text not null,
    status text not null,
    opened_at timestamptz not null default clock_timestamp(),
    decided_by text,
    decided_because text,
    evidence_sha256 bytea,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, case_id),
    foreign key (offering_id, investment_id) references engine.investment,
    foreign key (offering_id, closing_id) references engine.closing,
    constraint decided_case_says_by_whom_and_why check ((status = 'open') = (decided_by is null)
        and (status = 'open') = (not coalesce(decided_because ~ '\S', false))),
    constraint decision_of_counsel_has_its_file check (status <> 'decided_by_counsel' or evidence_sha256 is not null)
);
create unique index one_closing_case_is_undecided on engine.closing_case (offering_id, investment_id)
    where status in ('open', 'decided_by_counsel', 'to_be_included');

call audit.keep('engine.closing_case', 'closing_case', 'case_id', 'offering_id', '{decided_because}');

create view engine.closing_case_fact as
select offering_id, case_id, investment_id, closing_id, status, opened_at, decided_by, encode(evidence_sha256, 'hex') as evidence_sha256,
    version
from engine.closing_case;

-- The case keeps its subject; a file is one that the archive holds; a refund is of an investment that has ended.
create function engine.closing_case_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and (old.investment_id, old.opened_at) is distinct from (new.investment_id, new.opened_at) then
        raise exception using errcode = 'BR006', constraint = 'closing_case_keeps_its_subject',
            message = format('%s is of one investment since one moment', old.case_id);
    end if;
    if new.evidence_sha256 is not null and not exists (select from subscription.document_fact d
        where d.sha256 = new.evidence_sha256 and not d.is_erased) then
        raise exception using errcode = 'BR008', constraint = 'evidence_of_a_decision_is_archived',
            message = format('the archive has no file behind %s', new.case_id);
    end if;
    if new.status = 'to_be_refunded' and exists (select from engine.investment i where i.offering_id = new.offering_id
        and i.investment_id = new.investment_id and i.status in ('new', 'confirmed', 'legally_confirmed', 'cancellation_requested')) then
        raise exception using errcode = 'BR008', constraint = 'refunded_investment_has_ended',
            message = format('%s goes on', new.investment_id);
    end if;
    return new;
end $$;

create trigger closing_case_stands before insert or update on engine.closing_case
    for each row execute function engine.closing_case_stands();
alter table engine.closing_case enable always trigger closing_case_stands;

-- The investments that were left out of a set and that nobody has decided to include.
create view engine.left_out as
select c.offering_id, c.investment_id from engine.closing_case c where c.status in ('open', 'decided_by_counsel', 'to_be_refunded');

create function engine.is_left_out(p_offering text, p_investment text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from engine.left_out l where l.offering_id = p_offering and l.investment_id = p_investment);

-- Nobody who was left out is added silently.
create function engine.member_was_not_left_out() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if engine.is_left_out(new.offering_id, new.investment_id) then
        raise exception using errcode = 'BR008', constraint = 'left_out_investment_is_included_by_decision',
            message = format('%s was left out of a closing; somebody decides its case first', new.investment_id);
    end if;
    return new;
end $$;

create trigger member_was_not_left_out before insert on engine.closing_member
    for each row execute function engine.member_was_not_left_out();
alter table engine.closing_member enable always trigger member_was_not_left_out;

-- Opens a case for each investment that its investor has signed, that the issuer has not countersigned, and that the set
-- leaves out; one that was to be included and is left out again waits for another decision. The offer is locked.
create function engine.open_cases(p_offering text, p_closing text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update engine.closing_case c set status = 'included' from engine.closing_member m
    where c.offering_id = p_offering and c.status = 'to_be_included' and m.offering_id = p_offering
        and m.closing_id = p_closing and m.investment_id = c.investment_id and m.status = 'frozen';
    update engine.closing_case c set status = 'open', closing_id = p_closing, decided_by = null, decided_because = null,
        evidence_sha256 = null
    from engine.position pos join engine.investment i using (offering_id, investment_id)
    where c.offering_id = p_offering and c.status = 'to_be_included' and i.status in ('new', 'confirmed', 'legally_confirmed', 'cancellation_requested')
        and pos.offering_id = p_offering and pos.investment_id = c.investment_id and not pos.agreement_is_countersigned;
    insert into engine.closing_case (offering_id, case_id, investment_id, closing_id, status)
    select p_offering, 'ccs_' || substr(encode(sha256(convert_to(p_closing || '/' || i.investment_id, 'UTF8')), 'hex'), 1, 26),
        i.investment_id, p_closing, 'open'
    from engine.position pos join engine.investment i using (offering_id, investment_id)
    where pos.offering_id = p_offering and i.status in ('new', 'confirmed', 'legally_confirmed', 'cancellation_requested')
        and pos.agreement_is_signed and not pos.agreement_is_countersigned
        and not exists (select from engine.closing_case c where c.offering_id = p_offering
            and c.investment_id = i.investment_id and c.status in ('open', 'decided_by_counsel', 'to_be_included'))
    order by i.investment_id;
end $$;

-- Decides a case: to_be_included, to_be_refunded (which ends the investment; its money goes back to where it came from), or
-- decided_by_counsel, with the file, after which it is included or refunded.
create function engine.decide_case(p_actor text, p_request text, p_offering text, p_case text, p_status text,
    p_because text, p_evidence_sha256 bytea, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c engine.closing_case;
begin
    perform audit.enter(p_actor, p_request);
    select x.* into c from engine.closing_case x where x.offering_id = p_offering and x.case_id = p_case;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'closing_case_exists',
            message = format('there is no case %s in %s', p_case, p_offering);
    end if;
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id = c.investment_id for update;
    select x.* into c from engine.closing_case x where x.offering_id = p_offering and x.case_id = p_case for update;
    if c.version is distinct from p_seen then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen',
            message = format('%s is at version %s', p_case, c.version);
    end if;
    if p_status = 'to_be_refunded' then
        update engine.investment set status = 'cancelled_by_manager', remembered_status = null
        where offering_id = p_offering and investment_id = c.investment_id
            and status in ('new', 'confirmed', 'legally_confirmed', 'cancellation_requested');
    end if;
    update engine.closing_case set status = p_status, decided_by = p_actor, decided_because = p_because,
        evidence_sha256 = coalesce(p_evidence_sha256, evidence_sha256)
    where offering_id = p_offering and case_id = p_case;
end $$;
