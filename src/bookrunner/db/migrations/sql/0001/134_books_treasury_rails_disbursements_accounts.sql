-- The accounts that payees are paid to: named, agreed to by two people, and looked up for each payment.

-- Where a payee wants its money, and by which rail: to one of its own approved accounts by a transfer of its bank or as an entry of the
-- ACH, in tokens to its registered wallet, or kept as its balance, which goes back to that account. An account that the book does not have yet comes with evidence, and is
-- put there once two people agreed and the payee was screened.
create table treasury.payee_account (
    investor_id text not null,
    account_id text not null,
    status text not null,
    way text not null constraint way_to_a_payee_is_known check (way in ('bank', 'ach', 'stablecoin', 'balance')),
    entry_class text constraint ach_way_names_its_class check ((way = 'ach') = (entry_class is not null) and entry_class in ('PPD', 'CCD')),
    source_id text,
    named_fingerprint bytea,
    evidence_sha256 bytea,
    because text not null constraint payee_account_has_its_reason check (because ~ '\S'),
    proposed_by text not null,
    proposed_at timestamptz not null default clock_timestamp(),
    decided_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (investor_id, account_id),
    constraint payee_account_is_the_payees_own foreign key (investor_id, source_id) references treasury.source_account,
    constraint new_account_has_its_evidence check ((named_fingerprint is null) = (evidence_sha256 is null)
        and coalesce(octet_length(named_fingerprint), 32) = 32 and coalesce(octet_length(evidence_sha256), 32) = 32),
    constraint payee_account_names_an_account check (case way when 'stablecoin' then num_nonnulls(source_id, named_fingerprint) = 0
        else source_id is not null or named_fingerprint is not null and status in ('proposed', 'declined') end),
    constraint decided_payee_account_names_who check ((status = 'proposed') = (decided_by is null)),
    constraint payee_account_needs_two_people
        check (status not in ('in_force', 'superseded') or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false))
);
create unique index one_payee_account_is_in_force on treasury.payee_account (investor_id) where status = 'in_force';
create unique index one_payee_account_is_proposed on treasury.payee_account (investor_id) where status = 'proposed';
call audit.keep('treasury.payee_account', 'payee_account', 'account_id', 'investor_id', '{because}');

create function treasury.has_paid_from(p_investor text, p_source text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select exists (select from treasury.source_account s
        join engine.investment i on i.investor_id = s.investor_id
        join treasury.receipt r on r.offering_id = i.offering_id and r.investment_id = i.investment_id
            and r.source_fingerprint = s.fingerprint and r.statement_id is not null and r.status in ('matched', 'cleared')
        where s.investor_id = p_investor and s.source_id = p_source);
end;

-- What two people decide on stays as it was proposed. An account that the bank booked no money of the payee from, new or not, goes into
-- force for a payee that was screened since; a wallet is the one that the register has linked.
create function treasury.payee_account_stays() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        new.proposed_at := clock_timestamp();
        return new;
    end if;
    if (new.way, new.entry_class, new.named_fingerprint, new.evidence_sha256, new.because, new.proposed_by, new.proposed_at)
            is distinct from (old.way, old.entry_class, old.named_fingerprint, old.evidence_sha256, old.because, old.proposed_by, old.proposed_at)
        or new.source_id is distinct from old.source_id and (old.source_id is not null or not exists (select from treasury.source_account s
            where s.investor_id = new.investor_id and s.source_id = new.source_id and s.fingerprint = new.named_fingerprint)) then
        raise exception using errcode = 'BR006', constraint = 'payee_account_stays_as_proposed',
            message = format('%s is what two people decide on', old.account_id);
    end if;
    if new.status = 'in_force' and old.status = 'proposed' and new.way <> 'stablecoin' and not treasury.has_paid_from(new.investor_id, new.source_id)
        and not engine.is_screened_since(new.investor_id, new.proposed_at) then
        raise exception using errcode = 'BR008', constraint = 'payee_is_screened_before_it_is_paid',
            message = format('%s waits for its screening, or is on a list', new.investor_id);
    end if;
    return new;
end $$;
create trigger payee_account_stays before insert or update on treasury.payee_account
    for each row execute function treasury.payee_account_stays();
alter table treasury.payee_account enable always trigger payee_account_stays;

-- Proposes where a payee gets its money and by which rail; until another person has decided, nothing is paid to it. An entry of the ACH
-- has a class: PPD to a person, CCD to a company.
create function treasury.propose_payee_account(p_actor text, p_request text, p_investor text, p_account text, p_way text, p_source text,
    p_because text, p_class text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into treasury.payee_account (investor_id, account_id, status, way, entry_class, source_id, because, proposed_by)
    values (p_investor, p_account, 'proposed', p_way, p_class, p_source, p_because, p_actor);
end $$;

-- Proposes an account that the book does not have, by what the payee gave as evidence.
create function treasury.name_payee_account(p_actor text, p_request text, p_investor text, p_account text, p_fingerprint bytea,
    p_evidence_sha256 bytea, p_because text, p_way text default 'bank', p_class text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into treasury.payee_account (investor_id, account_id, status, way, entry_class, named_fingerprint, evidence_sha256, because,
        proposed_by)
    values (p_investor, p_account, 'proposed', p_way, p_class, p_fingerprint, p_evidence_sha256, p_because, p_actor);
end $$;

-- Another person decides. A new account joins those of the payee, or counts again where it was revoked.
create function treasury.decide_payee_account(p_actor text, p_request text, p_investor text, p_account text, p_is_agreed boolean,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a treasury.payee_account;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from treasury.payee_account x where x.investor_id = p_investor order by x.account_id for update;
    select * into a from treasury.payee_account where investor_id = p_investor and account_id = p_account;
    perform treasury.on_version(a.version, p_seen);
    if p_is_agreed is true then
        perform treasury.refuse_one_person(p_actor, a.proposed_by, 'payee_account_needs_two_people');
        if a.named_fingerprint is not null then
            insert into treasury.source_account (investor_id, source_id, fingerprint, status)
            values (p_investor, 'src_' || p_account, a.named_fingerprint, 'approved') on conflict (investor_id, fingerprint) do nothing;
            update treasury.source_account set status = 'approved'
            where investor_id = p_investor and fingerprint = a.named_fingerprint and status <> 'approved';
            a.source_id := (select s.source_id from treasury.source_account s
                where s.investor_id = p_investor and s.fingerprint = a.named_fingerprint);
        end if;
        update treasury.payee_account set status = 'superseded' where investor_id = p_investor and status = 'in_force';
    end if;
    update treasury.payee_account set status = case when p_is_agreed then 'in_force' else 'declined' end, decided_by = p_actor,
        source_id = a.source_id
    where investor_id = p_investor and account_id = p_account;
end $$;

-- Where each payee gets its money and under which account, or why that is not known: the one in force, else the only account that it
-- has, if the bank booked money of its own from it and it paid from nowhere else. Nobody chooses among several, and no wallet is one.
create function treasury.ways_to(p_investors text[]) returns table (investor_id text, way text, fingerprint bytea, because text)
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off
begin atomic
    select n.id, coalesce(a.way, 'bank'), w.fingerprint,
        case when p.investor_id is not null then 'account_change_in_progress'
            when a.account_id is null and (s.accounts > 1 or k.sources > 1) then 'account_is_not_named'
            when w.fingerprint is null then 'account_is_not_known' end
    from unnest(p_investors) n (id)
    left join treasury.payee_account a on a.investor_id = n.id and a.status = 'in_force'
    left join treasury.payee_account p on p.investor_id = n.id and p.status = 'proposed'
    left join treasury.source_account f on f.investor_id = a.investor_id and f.source_id = a.source_id and f.status = 'approved'
        and f.source_id not like 'wallet:%'
    left join (select x.investor_id, count(*) as accounts, (array_agg(x.fingerprint))[1] as fingerprint from treasury.source_account x
        where x.status = 'approved' and x.source_id not like 'wallet:%' and x.investor_id = any (p_investors)
        group by x.investor_id) s on s.investor_id = n.id
    left join (select i.investor_id, count(distinct r.source_fingerprint) as sources,
            array_agg(r.source_fingerprint) filter (where r.statement_id is not null) as booked
        from engine.investment i join treasury.receipt r on r.offering_id = i.offering_id and r.investment_id = i.investment_id
        where i.investor_id = any (p_investors) and r.status in ('matched', 'cleared')
        group by i.investor_id) k on k.investor_id = n.id
    cross join lateral (select case when a.account_id is not null then f.fingerprint
        when s.fingerprint = any (k.booked) then s.fingerprint end as fingerprint) w;
end;

-- Whether money that waits tells of an investor: by a reference that was given out, by its account, or because it was its balance.
create function treasury.is_an_investors(r treasury.receipt) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select r.stored_for is not null
        or exists (select from treasury.source_account s where s.fingerprint = r.source_fingerprint and s.status = 'approved')
        or exists (select from treasury.payment_attempt a where a.offering_id = r.offering_id
            and a.reference = any (r.claimed_reference || r.further_references));
end;

-- Whether money stands on the bank account for good.
create function treasury.is_final_at_the_bank(r treasury.receipt) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return r.rail <> 'stablecoin' and not treasury.is_in_hand(r)
        and coalesce(r.clears_on <= (clock_timestamp() at time zone 'UTC')::date, r.rail in ('wire', 'balance'));
end $$;
