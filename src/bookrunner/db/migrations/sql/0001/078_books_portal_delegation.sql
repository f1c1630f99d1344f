-- Whom an investor lets act for it: an accountant or a family office with an account of its own, in a scope and between two moments.

create table portal.delegation (
    investor_id text not null,
    delegation_id text not null,
    status text not null,
    delegate text not null constraint delegate_has_an_account_of_its_own check (delegate ~ '^dlg_[0-9a-z]{1,58}$'),
    scope text not null constraint delegation_has_a_known_scope check (scope in ('see', 'prepare', 'act')),
    valid_from timestamptz not null,
    valid_until timestamptz not null,
    named_by text not null constraint principal_names_its_own_delegate check (audit.person_of(named_by) = investor_id),
    accepted_by text constraint delegate_accepts_itself check (audit.person_of(accepted_by) = delegate),
    ended_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (investor_id, delegation_id),
    constraint delegation_ends_within_two_years
        check (valid_until > valid_from and valid_until <= valid_from + interval '2 years'),
    constraint delegation_in_force_was_accepted check (status <> 'in_force' or accepted_by is not null),
    constraint ended_delegation_names_who_ended_it check ((status in ('ended', 'declined')) = (ended_by is not null))
);
create unique index one_delegation_of_two_at_a_time on portal.delegation (investor_id, delegate) where status in ('named', 'in_force');
create index delegation_by_delegate on portal.delegation (delegate);
call audit.keep('portal.delegation', 'delegation', 'delegation_id', 'investor_id');

create function portal.delegation_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.delegate, new.scope, new.valid_from, new.valid_until, new.named_by)
        is distinct from (old.delegate, old.scope, old.valid_from, old.valid_until, old.named_by) then
        raise exception using errcode = 'BR006', constraint = 'delegation_terms_are_locked',
            message = format('%s keeps its terms; another scope or end is another delegation', old.delegation_id);
    end if;
    return new;
end $$;
create trigger delegation_stands before update on portal.delegation for each row execute function portal.delegation_stands();
alter table portal.delegation enable always trigger delegation_stands;

-- What a delegate may bring about, by the least scope that it takes; whatever stands in no row is its principal's alone. Of a record that
-- names its investors or a holding, one of these members is the principal or its; the others follow from such a record in the same act.
create table portal.delegated_act (
    kind text primary key,
    scope text not null constraint delegated_act_takes_a_known_scope check (scope in ('see', 'prepare', 'act')),
    members text[]
);
insert into portal.delegated_act (kind, scope, members) values
    ('holder_statement.issued', 'see', '{holding_id}'),
    ('investment.opened', 'prepare', '{investor_id}'),
    ('waitlist_entry.joined', 'prepare', '{investor_id}'),
    ('currency.chosen', 'prepare', '{investor_id}'),
    ('investment.withdrawn', 'act', '{investor_id}'),
    ('investment.cancellation_requested', 'act', '{investor_id}'),
    -- In its free period a request is granted in the same breath; nobody decides a cancellation as a delegate.
    ('investment.cancelled', 'act', '{investor_id}'),
    ('payment.said', 'act', '{investor_id}'),
    ('transfer_request.requested', 'act', '{seller_id,buyer_id}'),
    ('transfer_request.papers_added', 'act', '{seller_id,buyer_id}'),
    ('transfer_request.presented_again', 'act', '{seller_id,buyer_id}'),
    ('transfer_request.withdrawn', 'act', '{seller_id,buyer_id}'),
    ('turnaround_item.received', 'act', null),
    ('turnaround_item.completed', 'act', null),
    ('turnaround_item.rejected', 'act', null),
    ('settlement.agreed', 'act', null),
    ('settlement.dropped', 'act', null),
    ('interest.posted', 'act', '{investor_id}'),
    ('interest.withdrawn', 'act', '{investor_id}'),
    ('interest.matched', 'act', '{matched_with}');
call audit.append_only('portal.delegated_act');

-- Whether the personal data of an investor was erased: nobody acts for it from then on.
create function portal.is_erased(p_investor text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select exists (select from portal.data_key k where k.investor_id = p_investor and k.status = 'destroyed');
end;

-- Whether a delegate acts for an investor now, in this scope or a wider one. The delegation is held until the end of the
-- transaction: whoever ends it waits, and nothing follows that is not written by then.
create function portal.is_delegated(p_investor text, p_delegate text, p_scope text) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from portal.delegation d where d.investor_id = p_investor and d.delegate = p_delegate and d.status = 'in_force'
        and clock_timestamp() >= d.valid_from and clock_timestamp() < d.valid_until
        and array_position(array['see', 'prepare', 'act'], d.scope) >= array_position(array['see', 'prepare', 'act'], p_scope)
    for share;
    return found and not portal.is_erased(p_investor);
end $$;

-- The wall, which each event meets: an actor DELEGATE for PRINCIPAL brings about what its scope allows, of a record of the principal.
-- A delegate by itself has its own account and its delegations, and nothing else.
create function engine.require_delegation(p_actor text, p_kind text, p_scope text, p_subject text, p_told jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    person constant text := audit.person_of(p_actor);
    principal constant text := case when starts_with(p_actor, 'delegate:') then split_part(p_actor, ':', 3) end;
    allowed portal.delegated_act;
begin
    if principal is null then
        if starts_with(person, 'dlg_') and split_part(p_kind, '.', 1) <> all (array['account', 'account_session', 'credential', 'confirmation', 'delegation']) then
            raise exception using errcode = 'BR403', constraint = 'delegate_says_for_whom_it_acts',
                message = format('%s acts for somebody, or not at all', person);
        end if;
        return;
    end if;
    select * into allowed from portal.delegated_act a where a.kind = p_kind;
    if not found or api.is_shut(principal) or api.is_shut(person) or not portal.is_delegated(principal, person, allowed.scope) then
        raise exception using errcode = 'BR403', constraint = 'delegate_stays_within_its_scope',
            message = format('%s may not do this for %s now', person, principal);
    end if;
    if allowed.members is not null and not exists (
            select from (select p_told as says union all select audit.payload_of(e.canonical) from audit.event e
                where e.scope = p_scope and e.subject = p_subject and e.version = 1) r, unnest(allowed.members) m (name)
            where r.says ->> m.name = principal or exists (select from registry.holding_fact h where m.name = 'holding_id'
                and h.offering_id = p_scope and h.holding_id = r.says ->> m.name and h.investor_id = principal)) then
        raise exception using errcode = 'BR403', constraint = 'delegate_acts_for_its_principal_alone',
            message = format('%s is no record of %s', p_subject, principal);
    end if;
end $$;

-- The same wall for what is said without an event. Arguments: the kind of act.
create function portal.word_is_delegated() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform engine.require_delegation(new.said_by, tg_argv[0], new.offering_id, new.investment_id, null);
    return new;
end $$;
create trigger word_is_delegated before insert on portal.sent_note
    for each row execute function portal.word_is_delegated('payment.said');
create trigger word_is_delegated before insert on portal.currency_choice
    for each row execute function portal.word_is_delegated('currency.chosen');
alter table portal.sent_note enable always trigger word_is_delegated;
alter table portal.currency_choice enable always trigger word_is_delegated;

-- Names a delegate; it counts when the delegate has accepted.
create function portal.name_delegate(p_actor text, p_request text, p_investor text, p_delegation text, p_said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if (p_said ->> 'until')::timestamptz <= clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'delegation_ends_in_days_to_come', message = 'its end is over';
    end if;
    insert into portal.delegation (investor_id, delegation_id, status, delegate, scope, valid_from, valid_until, named_by)
    values (p_investor, p_delegation, 'named', p_said ->> 'delegate', p_said ->> 'scope',
        coalesce((p_said ->> 'from')::timestamptz, clock_timestamp()), (p_said ->> 'until')::timestamptz, p_actor);
end $$;

-- What the delegate says to it, once.
create function portal.answer_delegation(p_actor text, p_request text, p_delegation text, p_is_accepted boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update portal.delegation set status = case when p_is_accepted then 'in_force' else 'declined' end,
        accepted_by = case when p_is_accepted then p_actor end, ended_by = case when p_is_accepted then null else p_actor end
    where delegation_id = p_delegation and delegate = audit.person_of(p_actor) and status = 'named'
        and valid_until > clock_timestamp();
    if not found then
        raise exception using errcode = 'BR404', constraint = 'delegation_waits_for_its_delegate',
            message = format('no delegation %s waits for %s', p_delegation, p_actor);
    end if;
end $$;

-- Ends it from this moment on: its principal, its delegate, or a person of the portal.
create function portal.end_delegation(p_actor text, p_request text, p_delegation text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    person constant text := audit.person_of(p_actor);
begin
    perform audit.enter(p_actor, p_request);
    update portal.delegation set status = 'ended', ended_by = p_actor
    where delegation_id = p_delegation and status in ('named', 'in_force') and not starts_with(p_actor, 'delegate:')
        and (person in (investor_id, delegate) or not starts_with(person, 'ivr_') and not starts_with(person, 'dlg_'));
    if not found then
        raise exception using errcode = 'BR404', constraint = 'delegation_stands',
            message = format('no delegation %s of yours stands', p_delegation);
    end if;
end $$;

create view portal.delegation_fact as
select investor_id, delegation_id, status, delegate, scope, valid_from, valid_until, version, chain_head from portal.delegation;
