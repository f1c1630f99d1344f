-- The escrow ledger: double entry, per offering and currency; balanced at commit, append only, never overdrawn.

-- The side that an account grows on: debits of an asset or an expense, credits of any other.
create function treasury.grows_by(p_account text) returns text
language sql immutable
return case when starts_with(p_account, 'asset:') or starts_with(p_account, 'exp:') then 'debit' else 'credit' end;

create table treasury.account (
    offering_id text not null,
    account text not null,
    currency text not null,
    side text not null constraint account_grows_by_its_kind check (side = treasury.grows_by(account)),
    primary key (offering_id, account, currency)
);

create table treasury.journal (
    offering_id text not null,
    journal_id text not null,
    kind text not null,
    body_sha256 bytea not null,
    legs integer not null,
    occurred_at timestamptz not null default clock_timestamp(),
    posted_in xid8 not null default pg_current_xact_id(),
    reverses text,
    primary key (offering_id, journal_id),
    constraint reversed_journal_exists foreign key (offering_id, reverses) references treasury.journal
);

create table treasury.entry (
    offering_id text not null,
    journal_id text not null,
    leg integer not null,
    account text not null,
    currency text not null,
    side text not null check (side in ('debit', 'credit')),
    amount_minor numeric(38, 0) not null constraint entry_amount_is_positive check (amount_minor > 0),
    primary key (offering_id, journal_id, leg)
);

create table treasury.balance (
    offering_id text not null,
    account text not null,
    currency text not null,
    amount_minor numeric(38, 0) not null default 0 constraint account_is_never_overdrawn check (amount_minor >= 0),
    primary key (offering_id, account, currency)
) with (fillfactor = 70);

-- A balance is of an account, which can never go away: one look for all that a statement opens.
create function treasury.balances_are_of_accounts() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    b record;
begin
    select n.account, n.currency into b from added n
    left join treasury.account a on a.offering_id = n.offering_id and a.account = n.account and a.currency = n.currency
    where a.account is null limit 1;
    if found then
        raise exception using errcode = 'BR009', constraint = 'balance_is_of_an_account',
            message = format('there is no account %s in %s', b.account, b.currency);
    end if;
    return null;
end $$;

create trigger balances_are_of_accounts after insert on treasury.balance
    referencing new table as added for each statement execute function treasury.balances_are_of_accounts();
alter table treasury.balance enable always trigger balances_are_of_accounts;

create function treasury.balance_keeps_its_account() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception using errcode = 'BR009', constraint = 'balance_is_of_an_account', message = format('%s keeps its account', old.account);
end $$;

create trigger balance_keeps_its_account before update of offering_id, account, currency on treasury.balance
    for each row execute function treasury.balance_keeps_its_account();
alter table treasury.balance enable always trigger balance_keeps_its_account;

-- What the bank itself booked of a journal, on its own day: what it has not booked yet is on its way.
create table treasury.booking (
    offering_id text not null,
    booking_id text not null,
    journal_id text not null,
    currency text not null,
    amount_minor numeric(38, 0) not null constraint booking_moves_money check (amount_minor <> 0),
    booked_on date not null,
    primary key (offering_id, booking_id),
    foreign key (offering_id, journal_id) references treasury.journal
);

-- An entry belongs to a journal of this very transaction and to an account in its currency. Neither can ever go away, so
-- a look is enough; a foreign key would lock the row of the escrow account for every journal at once. It is one of the legs that
-- the journal declared: a journal that has them all takes no more. All entries of a statement are looked at together, under the
-- settings of what posts.
create function treasury.entries_join_their_journal() returns trigger
language plpgsql as $$
declare
    e record;
begin
    select n.journal_id, n.leg, n.account, n.currency, j.legs, j.posted_in is distinct from pg_current_xact_id() as is_closed into e
    from added n
    left join treasury.journal j on j.offering_id = n.offering_id and j.journal_id = n.journal_id
    left join treasury.account a on a.offering_id = n.offering_id and a.account = n.account and a.currency = n.currency
    where j.posted_in is distinct from pg_current_xact_id() or n.leg not between 1 and j.legs or a.account is null limit 1;
    if not found then
        return null;
    end if;
    if e.is_closed then
        raise exception using errcode = 'BR009', constraint = 'journal_is_closed',
            message = format('journal %s is closed', e.journal_id);
    end if;
    if e.leg not between 1 and e.legs then
        raise exception using errcode = 'BR009', constraint = 'entry_is_a_declared_leg',
            message = format('journal %s has %s legs and no leg %s', e.journal_id, e.legs, e.leg);
    end if;
    raise exception using errcode = 'BR009', constraint = 'entry_is_in_the_accounts_currency',
        message = format('there is no account %s in %s', e.account, e.currency);
end $$;

create trigger entries_join_their_journal after insert on treasury.entry
    referencing new table as added for each statement execute function treasury.entries_join_their_journal();
alter table treasury.entry enable always trigger entries_join_their_journal;

-- Runs at the commit, or earlier where whoever posts asks: a journal with all its declared legs takes no other, so that what
-- was found stands. One plain sum tells of a journal in one currency.
create function treasury.journal_balances() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
    legs bigint;
    net numeric;
    is_one_currency boolean;
begin
    select count(*), sum(case e.side when 'debit' then e.amount_minor else -e.amount_minor end), min(e.currency) = max(e.currency)
    into legs, net, is_one_currency
    from treasury.entry e where e.offering_id = new.offering_id and e.journal_id = new.journal_id;
    if legs >= 2 and legs = new.legs and net = 0 and is_one_currency then
        return null;
    end if;
    if legs < 2 or legs <> new.legs or is_one_currency or exists (select from treasury.entry e
            where e.offering_id = new.offering_id and e.journal_id = new.journal_id group by e.currency
            having sum(case e.side when 'debit' then e.amount_minor else -e.amount_minor end) <> 0) then
        raise exception using errcode = 'BR009', constraint = 'journal_balances_per_currency',
            message = format('journal %s does not balance', new.journal_id);
    end if;
    return null;
end $$;

create constraint trigger journal_balances after insert on treasury.journal
    deferrable initially deferred for each row execute function treasury.journal_balances();

call audit.append_only('treasury.account');
call audit.append_only('treasury.journal');
call audit.append_only('treasury.entry');
call audit.append_only('treasury.booking');

-- Where journals wait for an account that an offer has once, one without a third part in its name, before they touch its balance.
-- At the row each commit would wake all that wait there, to look at what became of it; here it wakes the next. The row decides.
create function treasury.queue_for(p_offering text, p_account text, p_currency text) returns void
language sql volatile
return (select pg_advisory_xact_lock(hashtextextended(concat_ws('/', 'treasury.balance', p_offering, p_currency, p_account), 0))
    where split_part(p_account, ':', 3) = '');

-- Moves the balances of a long journal at once, locked in the order of accounts. One that would shrink and has no row yet is
-- inserted below zero, and so refused. Each balance is looked up by its key (offset 0), however many the offer has: joined, all
-- of them would be read for each journal, and a nested loop the other way round never ends.
create function treasury.move_balances(p_offering text, p_journal text, p_currency text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    accounts text[];
    deltas numeric[];
    shrunk integer;
    others integer;
begin
    select array_agg(m.account order by m.account), array_agg(m.delta order by m.account) into accounts, deltas
    from (select e.account, sum(case when e.side = treasury.grows_by(e.account) then e.amount_minor else -e.amount_minor end) as delta
        from treasury.entry e where e.offering_id = p_offering and e.journal_id = p_journal group by e.account) m;
    perform treasury.queue_for(p_offering, l.account, p_currency) from unnest(accounts) as l (account)
    where split_part(l.account, ':', 3) = '';
    perform 1 from unnest(accounts) as l (account) cross join lateral (select from treasury.balance b
        where b.offering_id = p_offering and b.account = l.account and b.currency = p_currency for update offset 0) b;
    update treasury.balance b set amount_minor = b.amount_minor + m.delta
    from (select x.place, l.delta from unnest(accounts, deltas) as l (account, delta)
        cross join lateral (select t.ctid as place from treasury.balance t
            where t.offering_id = p_offering and t.account = l.account and t.currency = p_currency offset 0) x
        where l.delta < 0) m
    where b.ctid = m.place;
    get diagnostics shrunk = row_count;
    insert into treasury.balance as b (offering_id, account, currency, amount_minor)
    select p_offering, m.account, p_currency, m.delta
    from unnest(accounts, deltas) as m (account, delta)
    where m.delta >= 0 or not exists (select from treasury.balance x
        where x.offering_id = p_offering and x.account = m.account and x.currency = p_currency offset 0)
    on conflict (offering_id, account, currency) do update set amount_minor = b.amount_minor + excluded.amount_minor;
    get diagnostics others = row_count;
    if shrunk + others <> cardinality(accounts) then
        raise exception using errcode = 'serialization_failure', message = format('another journal opened a balance of %s', p_journal);
    end if;
end $$;

-- Whoever moves money of an offer takes its turn before anything else is locked. Verbs that follow each other in one
-- transaction lock positions, receipts and accounts in an order that no single one of them knows, and would wait in a ring.
create function treasury.take_turn(p_offering text) returns void
language sql volatile
return pg_advisory_xact_lock(hashtextextended('treasury.ledger/' || p_offering, 0));

-- Posts one journal. A session keeps the plans that it made while the ledger was short, those of foreign keys
-- included: none may be a scan of the whole. Lines are {account, side, amount}. The same id again is no second posting;
-- the same id with another kind, currency or other lines is refused.
create function treasury.post(p_offering text, p_journal text, p_kind text, p_currency text, p_lines jsonb,
    p_reverses text default null) returns void
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
    digest bytea := sha256(convert_to(concat_ws(' ', p_kind, p_currency, p_reverses, p_lines), 'UTF8'));
    accounts text[];
    deltas numeric[];
    are_open boolean;
begin
    insert into treasury.journal (offering_id, journal_id, kind, body_sha256, legs, reverses)
    values (p_offering, p_journal, p_kind, digest, jsonb_array_length(p_lines), p_reverses) on conflict do nothing;
    if not found then
        if (select j.body_sha256 from treasury.journal j where j.offering_id = p_offering and j.journal_id = p_journal)
            <> digest then
            raise exception using errcode = 'BR009', constraint = 'journal_id_has_one_body',
                message = format('journal %s exists with other lines', p_journal);
        end if;
        return;
    end if;
    select array_agg(m.account order by m.account), array_agg(m.delta order by m.account), bool_and(m.is_open)
    into accounts, deltas, are_open
    from (select l.account, sum(case when l.side = treasury.grows_by(l.account) then l.amount else -l.amount end) as delta,
            exists (select from treasury.account a where a.offering_id = p_offering and a.account = l.account
                and a.currency = p_currency offset 0) as is_open
        from jsonb_to_recordset(p_lines) as l (account text, side text, amount numeric) group by l.account) m;
    if not are_open then
        insert into treasury.account (offering_id, account, currency, side)
        select p_offering, l.account, p_currency, treasury.grows_by(l.account) from unnest(accounts) as l (account)
        where l.account ~ '^(asset|liab|exp):' on conflict do nothing;
    end if;
    insert into treasury.entry (offering_id, journal_id, leg, account, currency, side, amount_minor)
    select p_offering, p_journal, l.leg, l.account, p_currency, l.side, l.amount
    from rows from (jsonb_to_recordset(p_lines) as (account text, side text, amount numeric))
        with ordinality as l (account, side, amount, leg);
    -- The balance of the journal is checked here and not at the commit: from the first balance on, every other journal waits.
    set constraints treasury.journal_balances immediate;
    set constraints treasury.journal_balances deferred;
    if jsonb_array_length(p_lines) > 50 then
        perform treasury.move_balances(p_offering, p_journal, p_currency);
        return;
    end if;
    -- All places in queues, then balance by balance, both in the order of accounts as in a long journal, so that two never wait
    -- for each other; last, because every other journal of these accounts waits from here on.
    perform treasury.queue_for(p_offering, l.account, p_currency) from unnest(accounts) as l (account);
    for place in 1 .. coalesce(cardinality(accounts), 0) loop
        update treasury.balance b set amount_minor = b.amount_minor + deltas[place]
        where b.offering_id = p_offering and b.account = accounts[place] and b.currency = p_currency;
        if not found then
            insert into treasury.balance as b (offering_id, account, currency, amount_minor)
            values (p_offering, accounts[place], p_currency, deltas[place])
            on conflict (offering_id, account, currency) do update set amount_minor = b.amount_minor + deltas[place];
        end if;
    end loop;
end $$;

-- The lines that move money into or out of the bank account. Its balance never goes below zero: what the bank took and
-- escrow did not have is owed to the bank, and the next money in pays that first. Locks the escrow balance.
create function treasury.cash(p_offering text, p_currency text, p_side text, p_amount numeric) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    held numeric;
    owed numeric;
    by_bank numeric;
begin
    perform treasury.queue_for(p_offering, 'asset:escrow_bank', p_currency);
    perform treasury.queue_for(p_offering, 'liab:bank_overdraft', p_currency);
    held := (select b.amount_minor from treasury.balance b where b.offering_id = p_offering
        and b.account = 'asset:escrow_bank' and b.currency = p_currency for update);
    owed := (select b.amount_minor from treasury.balance b where b.offering_id = p_offering
        and b.account = 'liab:bank_overdraft' and b.currency = p_currency for update);
    by_bank := case p_side when 'debit' then least(coalesce(owed, 0), p_amount)
        else greatest(p_amount - coalesce(held, 0), 0) end;
    return (select coalesce(jsonb_agg(jsonb_build_object('account', l.account, 'side', p_side, 'amount', l.amount)), '[]')
        from (values ('asset:escrow_bank', p_amount - by_bank), ('liab:bank_overdraft', by_bank)) as l (account, amount)
        where l.amount > 0);
end $$;

create view treasury.trial_balance as
select offering_id, account, currency, a.side, b.amount_minor
from treasury.account a join treasury.balance b using (offering_id, account, currency);

create view treasury.entry_sum as
select offering_id, account, currency,
    sum(case when e.side = a.side then e.amount_minor else -e.amount_minor end) as amount_minor
from treasury.entry e join treasury.account a using (offering_id, account, currency)
group by offering_id, account, currency;
