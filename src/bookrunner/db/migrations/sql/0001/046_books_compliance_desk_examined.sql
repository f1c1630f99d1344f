-- The sanctions programme as an examiner asks for it: policy, sign-off, risk assessment, controls, tests, training, each item
-- with its owner, the day it is due, and what was done ("A Framework for OFAC Compliance Commitments", 2019).

create table compliance.programme_item (
    item_id text primary key,
    status text not null,
    kind text not null constraint programme_item_kind_is_known check (kind in
        ('policy', 'sign_off', 'risk_assessment', 'control', 'test', 'training')),
    title text not null constraint programme_item_has_a_title check (title ~ '\S'),
    owner text not null constraint programme_item_has_an_owner check (owner ~ '\S'),
    due_on date not null,
    retired_because text,
    version bigint not null,
    chain_head bytea not null,
    unique (item_id, kind),
    constraint programme_item_ends_for_a_reason check ((status = 'retired') = coalesce(retired_because ~ '\S', false))
);
call audit.keep('compliance.programme_item', 'programme_item', 'item_id', 'item_id');

-- What was done on an item: by whom, with what outcome, on which paper; a sign-off names the policy that it is of.
create table compliance.programme_record (
    item_id text not null,
    record_no integer not null check (record_no > 0),
    kind text not null,
    done_on date not null,
    done_by text not null constraint programme_record_names_who_did_it check (done_by ~ '\S'),
    what text not null constraint programme_record_says_what_was_done check (what ~ '\S'),
    outcome text not null,
    sha256 bytea constraint programme_paper_is_named_by_its_digest check (octet_length(sha256) = 32),
    signs_item text,
    signs_no integer,
    next_due_on date not null,
    recorded_by text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (item_id, record_no),
    foreign key (item_id, kind) references compliance.programme_item (item_id, kind),
    foreign key (signs_item, signs_no) references compliance.programme_record (item_id, record_no),
    constraint programme_outcome_is_of_its_kind check (
        case kind when 'test' then outcome in ('passed', 'failed') else outcome = 'done' end),
    constraint programme_paper_is_on_file check (kind in ('control', 'training') or sha256 is not null),
    constraint only_a_sign_off_names_a_policy check (
        (kind = 'sign_off') = (signs_item is not null) and (signs_item is null) = (signs_no is null)),
    constraint next_due_is_after_it_was_done check (next_due_on > done_on)
);
call audit.append_only('compliance.programme_record');

create function compliance.hold_item(p_item text, p_seen bigint) returns compliance.programme_item
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    i compliance.programme_item;
begin
    select * into i from compliance.programme_item where item_id = p_item for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'programme_item_exists', message = format('there is no item %s', p_item);
    end if;
    perform compliance.on_version(i.version, p_seen);
    return i;
end $$;

-- Takes an item into the file, with who answers for it and by when it is first due.
create function compliance.plan_item(p_actor text, p_request text, p_item text, p_stated jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.by_a_person(p_actor, p_stated ->> 'title');
    insert into compliance.programme_item (item_id, status, kind, title, owner, due_on)
    values (p_item, 'kept', p_stated ->> 'kind', p_stated ->> 'title', p_stated ->> 'owner', (p_stated ->> 'due_on')::date);
end $$;

-- Records what was done; the item is due again when it says, at the latest after the months of the rule. A policy that
-- is signed off is the one in force: its latest record.
create function compliance.record_item(p_actor text, p_request text, p_item text, p_done jsonb, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    i compliance.programme_item;
    policy compliance.programme_record;
    done date := (p_done ->> 'done_on')::date;
    latest date := compliance.after_rule('house.programme_review', done)::date;
    next_due date := coalesce((p_done ->> 'next_due_on')::date, latest);
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.by_a_person(p_actor, p_done ->> 'what');
    i := compliance.hold_item(p_item, p_seen);
    if done > (clock_timestamp() at time zone 'UTC')::date or next_due > latest then
        raise exception using errcode = 'BR008', constraint = 'programme_is_reviewed_within_the_rule',
            message = format('it was done by today and is due again by %s', latest);
    end if;
    if done < (select max(r.done_on) from compliance.programme_record r where r.item_id = p_item) then
        raise exception using errcode = 'BR008', constraint = 'programme_is_recorded_in_order',
            message = 'a later record of the item stands already; the latest one counts';
    end if;
    if i.kind = 'sign_off' then
        select r.* into policy from compliance.programme_record r join compliance.programme_item x using (item_id)
        where r.item_id = p_done ->> 'signs' and x.kind = 'policy' and x.status = 'kept' order by r.record_no desc limit 1;
        if not found or audit.person_of(policy.recorded_by) = audit.person_of(p_actor) or lower(btrim(p_done ->> 'done_by')) = lower(btrim(policy.done_by)) then
            raise exception using errcode = 'BR008', constraint = 'policy_is_signed_off_by_another',
                message = 'a sign-off names a policy that is in force and that somebody else made and recorded';
        end if;
    end if;
    insert into compliance.programme_record (item_id, record_no, kind, done_on, done_by, what, outcome, sha256, signs_item,
        signs_no, next_due_on, recorded_by)
    select p_item, 1 + count(*), i.kind, done, p_done ->> 'done_by', p_done ->> 'what', coalesce(p_done ->> 'outcome', 'done'),
        decode(p_done ->> 'sha256', 'hex'), policy.item_id, policy.record_no, next_due, p_actor
    from compliance.programme_record r where r.item_id = p_item;
    update compliance.programme_item set due_on = next_due where item_id = p_item;
end $$;

-- Somebody else answers for an item from now on, or it leaves the file for a reason.
create function compliance.assign_programme_item(p_actor text, p_request text, p_item text, p_owner text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.hold_item(p_item, p_seen);
    update compliance.programme_item set owner = p_owner where item_id = p_item;
end $$;

create function compliance.retire_item(p_actor text, p_request text, p_item text, p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.by_a_person(p_actor, p_because);
    perform compliance.hold_item(p_item, p_seen);
    update compliance.programme_item set status = 'retired', retired_because = p_because where item_id = p_item;
end $$;
