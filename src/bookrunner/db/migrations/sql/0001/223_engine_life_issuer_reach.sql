-- What an issuer may read: the rows of its own offers, kept apart by row security for the one login that issuers share.

create schema issuer;

-- Which issuer this very transaction reads for. A row is written by the functions below alone, after they checked a
-- credential, and leaves with its transaction; no setting, and no other session, can name an issuer.
create unlogged table issuer.entry (
    entered_in xid8 constraint one_issuer_enters_a_transaction primary key default pg_current_xact_id(),
    issuer_id text not null
);

create function issuer.leave() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from issuer.entry where entered_in = new.entered_in;
    return null;
end $$;

create constraint trigger entry_ends_with_its_transaction after insert on issuer.entry deferrable initially deferred
    for each row execute function issuer.leave();
alter table issuer.entry enable always trigger entry_ends_with_its_transaction;

create function issuer.entered() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select e.issuer_id from issuer.entry e where e.entered_in = pg_current_xact_id_if_assigned();
end;

create function issuer.own_offers() returns setof text
language sql stable rows 20 security definer set search_path = pg_catalog, pg_temp
begin atomic
    select o.offering_id from engine.offer o where o.issuer_id = issuer.entered();
end;

-- Lets this transaction read what belongs to the issuer of a key of the API.
create function issuer.enter(p_key_sha256 bytea) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    actor constant text := api.caller(p_key_sha256);
begin
    insert into issuer.entry (issuer_id) select k.issuer_id from api.key k where k.name = split_part(actor, ':', 2);
    return actor;
end $$;

-- The same for a session of a person at the pages.
create function issuer.enter_session(p_session bytea) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    person text;
begin
    select s.actor into person from api.session_of(p_session, false) s;
    insert into issuer.entry (issuer_id) select b.issuer_id from api.behind_session(p_session) b;
    return person;
end $$;

-- Row security on a table: whoever keeps or reads books reads on as before, an issuer reads the rows of the condition.
create procedure issuer.keep_apart(p_table regclass, p_condition text)
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    execute format('alter table %s enable row level security', p_table);
    execute format('create policy keepers_reach_every_row on %s to portal, compliance, subscription, treasury, registry,
        engine, audit, reconciliation, workflow using (true) with check (true)', p_table);
    execute format('create policy issuer_reads_its_own on %s for select to issuer using (%s)', p_table, p_condition);
end $$;

call issuer.keep_apart('engine.issuer', 'issuer_id = (select issuer.entered())');
call issuer.keep_apart('engine.offer', 'issuer_id = (select issuer.entered())');
call issuer.keep_apart('engine.notice', 'recipient = (select issuer.entered())');
do $own$
declare
    kept regclass;
begin
    foreach kept in array array['engine.terms', 'engine.investment', 'engine.position', 'engine.closing', 'registry.holding',
        'registry.control_book', 'treasury.balance', 'treasury.escrow_account', 'treasury.release',
        'subscription.requirement']::regclass[] loop
        call issuer.keep_apart(kept, 'offering_id in (select issuer.own_offers())');
    end loop;
end $own$;

grant select on engine.issuer, engine.offer, engine.terms, engine.closing, registry.control_book, treasury.balance,
    subscription.requirement to issuer;
grant select (offering_id, investment_id, investor_id, units, amount_minor, currency, status, closing_id) on engine.investment
    to issuer;
grant select (offering_id, investment_id, received_minor, cleared_minor, standing, cleared_until, rescreen_by) on engine.position
    to issuer;
grant execute on function engine.holds_at(integer, timestamptz) to issuer;
grant select (offering_id, holding_id, investor_id, status, units) on registry.holding to issuer;
grant select (offering_id, escrow_id, status, agent, beneficiary, bank, bank_code, account, agreed_on) on treasury.escrow_account
    to issuer;
grant select (offering_id, release_id, closing_id, status, amount_minor, deducted_minor, currency) on treasury.release to issuer;
grant select (offering_id, notice_id, status, code, recipient, is_required, about, written_at) on engine.notice to issuer;

-- A condition holds here as in every gate, by the bits of engine.condition. These views ask for the rights of whoever reads them, so that row security holds behind them.
create view issuer.profile with (security_invoker = true) as
select issuer_id, name, colour, logo, logo_sha256, escrow_bank, transfer_agent, administrator from engine.issuer;

create view issuer.offer with (security_invoker = true) as
select o.offering_id, o.issuer_id, o.name, o.exemption, o.currency, o.unit_price_minor, o.units_total, o.minimum_units, o.isin,
    o.agreement_form, o.status, o.chain_id, o.token_address, o.treasury_address, o.version, t.ordinal as terms_ordinal,
    t.status as terms_status, t.security_type, t.target_minor, t.opens_at, t.closes_at
from engine.offer o left join engine.terms t on t.offering_id = o.offering_id and t.status <> 'superseded';

create view issuer.investment with (security_invoker = true) as
select i.offering_id, i.investment_id, i.investor_id, i.units, i.amount_minor, i.currency, i.status, i.closing_id,
    p.received_minor, p.cleared_minor, h.holds
from engine.investment i join engine.position p using (offering_id, investment_id)
cross join lateral (select engine.holds_at(p.standing, least(p.cleared_until, p.rescreen_by)) as holds) h;

create view issuer.closing with (security_invoker = true) as
select offering_id, closing_id, ordinal, status, certificate_sha256 from engine.closing;

create view issuer.holder with (security_invoker = true) as
select h.offering_id, h.investor_id, h.status, h.units, b.authorised_units, b.issued_units
from registry.holding h left join registry.control_book b using (offering_id);

create view issuer.money with (security_invoker = true) as
select offering_id, case when account like 'liab:inv:%' then 'liab:inv:' || substring(account from '[^:]+$')
        when account like 'liab:wallet:%' then 'liab:wallet' else account end as account, currency, sum(amount_minor) as amount_minor
from treasury.balance group by 1, 2, 3;

create view issuer.escrow with (security_invoker = true) as
select offering_id, agent, beneficiary, bank, bank_code, account, agreed_on from treasury.escrow_account where status = 'in_force';

create view issuer.release with (security_invoker = true) as
select offering_id, release_id, closing_id, status, amount_minor, deducted_minor, currency from treasury.release;

create view issuer.document with (security_invoker = true) as
select offering_id, kind, code, item_version, sentence, document_sha256, in_force_since from subscription.requirement;

create view issuer.notice with (security_invoker = true) as
select offering_id, notice_id, code, status, is_required, written_at from engine.notice;

grant usage on schema issuer to issuer;
grant select on issuer.profile, issuer.offer, issuer.investment, issuer.closing, issuer.holder, issuer.money, issuer.escrow,
    issuer.release, issuer.document, issuer.notice to issuer;
grant execute on function issuer.entered(), issuer.own_offers(), issuer.enter(bytea), issuer.enter_session(bytea) to issuer;
