-- The escrow ledger: double entry, per offering and currency; balanced at commit, append only, never overdrawn.

create table treasury.account (
    offering_id text not null,
    account text not null,
    currency text not null,
    side text not null check (side in ('debit', 'credit')),
    primary key (offering_id, account, currency)
);

create table treasury.journal (
    offering_id text not null,
    journal_id text not null,
    kind text not null,
    body_sha256 bytea not null,
    occurred_at timestamptz not null default clock_timestamp(),
    posted_in xid8 not null default pg_current_xact_id(),
    primary key (offering_id, journal_id)
);

create table treasury.entry (
    offering_id text not null,
    journal_id text not null,
    leg integer not null,
    account text not null,
    currency text not null,
    side text not null check (side in ('debit', 'credit')),
    amount_minor numeric(38, 0) not null constraint entry_amount_is_positive check (amount_minor > 0),
    primary key (offering_id, journal_id, leg),
    foreign key (offering_id, journal_id) references treasury.journal,
    constraint entry_is_in_the_accounts_currency foreign key (offering_id, account, currency)
        references treasury.account
);

create table treasury.balance (
    offering_id text not null,
    account text not null,
    currency text not null,
    amount_minor numeric(38, 0) not null default 0 constraint account_is_never_overdrawn check (amount_minor >= 0),
    primary key (offering_id, account, currency),
    foreign key (offering_id, account, currency) references treasury.account
) with (fillfactor = 70);

create function treasury.entry_joins_its_journal() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (select j.posted_in from treasury.journal j
        where j.offering_id = new.offering_id and j.journal_id = new.journal_id)
        is distinct from pg_current_xact_id() then
        raise exception using errcode = 'BR009', constraint = 'journal_is_closed',
            message = format('journal %s is closed', new.journal_id);
    end if;
    return new;
end $$;

create trigger entry_joins_its_journal before insert on treasury.entry
    for each row execute function treasury.entry_joins_its_journal();

create function treasury.journal_balances() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (select count(*) < 2 from treasury.entry e
        where e.offering_id = new.offering_id and e.journal_id = new.journal_id)
        or exists (select from treasury.entry e where e.offering_id = new.offering_id and e.journal_id = new.journal_id
            group by e.currency
            having sum(case e.side when 'debit' then e.amount_minor else -e.amount_minor end) <> 0) then
        raise exception using errcode = 'BR009', constraint = 'journal_balances_per_currency',
            message = format('journal %s does not balance', new.journal_id);
    end if;
    return null;
end $$;

create constraint trigger journal_balances after insert on treasury.journal
    deferrable initially deferred for each row execute function treasury.journal_balances();

call audit.append_only('treasury.journal');
call audit.append_only('treasury.entry');

-- Posts one journal. Lines are {account, side, amount}; an account of an asset or expense grows by debits, any
-- other by credits. The same id again is no second posting; the same id with other lines is refused.
create function treasury.post(p_offering text, p_journal text, p_kind text, p_currency text, p_lines jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    digest bytea := sha256(convert_to(p_kind || audit.canonical(p_lines), 'UTF8'));
    known bytea;
    moved record;
begin
    select j.body_sha256 into known from treasury.journal j where j.offering_id = p_offering and j.journal_id = p_journal;
    if found then
        if known <> digest then
            raise exception using errcode = 'BR009', constraint = 'journal_id_has_one_body',
                message = format('journal %s exists with other lines', p_journal);
        end if;
        return;
    end if;
    insert into treasury.journal (offering_id, journal_id, kind, body_sha256) values (p_offering, p_journal, p_kind, digest);
    insert into treasury.account (offering_id, account, currency, side)
    select distinct p_offering, l.account, p_currency,
        case when l.account ~ '^(asset|exp):' then 'debit' else 'credit' end
    from jsonb_to_recordset(p_lines) as l (account text, side text, amount numeric)
    where l.account ~ '^(asset|liab|exp):'
    on conflict do nothing;
    insert into treasury.entry (offering_id, journal_id, leg, account, currency, side, amount_minor)
    select p_offering, p_journal, l.leg, l.account, p_currency, l.side, l.amount
    from rows from (jsonb_to_recordset(p_lines) as (account text, side text, amount numeric))
        with ordinality as l (account, side, amount, leg);
    -- Balance by balance in the order of accounts: each is found by its whole key, however long the journal is.
    for moved in
        select e.account, sum(case when e.side = a.side then e.amount_minor else -e.amount_minor end) as delta
        from treasury.entry e join treasury.account a using (offering_id, account, currency)
        where e.offering_id = p_offering and e.journal_id = p_journal group by e.account order by e.account
    loop
        update treasury.balance b set amount_minor = b.amount_minor + moved.delta
        where b.offering_id = p_offering and b.account = moved.account and b.currency = p_currency;
        if not found then
            insert into treasury.balance as b (offering_id, account, currency, amount_minor)
            values (p_offering, moved.account, p_currency, moved.delta)
            on conflict (offering_id, account, currency) do update set amount_minor = b.amount_minor + moved.delta;
        end if;
    end loop;
end $$;

create view treasury.trial_balance as
select offering_id, account, currency, a.side, b.amount_minor
from treasury.account a join treasury.balance b using (offering_id, account, currency);

create view treasury.entry_sum as
select offering_id, account, currency,
    sum(case when e.side = a.side then e.amount_minor else -e.amount_minor end) as amount_minor
from treasury.entry e join treasury.account a using (offering_id, account, currency)
group by offering_id, account, currency;
