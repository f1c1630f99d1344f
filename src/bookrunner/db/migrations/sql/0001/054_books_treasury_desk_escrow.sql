-- The named escrow of an offer: who keeps the money, in which account, under which agreement. Two people put one in force.

-- An account as banks and people write it, without what only separates.
create function treasury.plain_account(p_account text) returns text
language sql immutable
return upper(regexp_replace(p_account, '[^A-Za-z0-9]', '', 'g'));

-- A BIC (ISO 9362), or a routing number of the United States with its check digit.
create function treasury.names_a_bank(p_code text) returns boolean
language sql immutable
return p_code ~ '^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$' or p_code ~ '^[0-9]{9}$' and (
    3 * (substr(p_code, 1, 1)::int + substr(p_code, 4, 1)::int + substr(p_code, 7, 1)::int)
    + 7 * (substr(p_code, 2, 1)::int + substr(p_code, 5, 1)::int + substr(p_code, 8, 1)::int)
    + substr(p_code, 3, 1)::int + substr(p_code, 6, 1)::int + substr(p_code, 9, 1)::int) % 10 = 0;

create table treasury.escrow_account (
    offering_id text not null,
    escrow_id text not null,
    status text not null,
    agent text not null constraint escrow_agent_is_named check (agent ~ '[[:alpha:]]'),
    beneficiary text not null constraint beneficiary_is_named check (beneficiary ~ '[[:alpha:]]'),
    bank text not null constraint escrow_bank_is_named check (bank ~ '[[:alpha:]]'),
    bank_code text not null constraint bank_code_is_checkable check (treasury.names_a_bank(bank_code)),
    account text not null constraint escrow_account_is_written_out check (treasury.plain_account(account) ~ '^[A-Z0-9]{4,34}$'),
    agreement_sha256 bytea not null constraint escrow_has_its_agreement check (octet_length(agreement_sha256) = 32),
    agreed_on date not null,
    because text not null constraint escrow_has_its_reason check (because ~ '\S'),
    proposed_by text not null,
    decided_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, escrow_id),
    constraint escrow_needs_two_people check ((status in ('in_force', 'superseded')) <= (audit.person_of(decided_by) <> audit.person_of(proposed_by))),
    constraint decided_escrow_names_who check ((status = 'proposed') = (decided_by is null))
);

create unique index one_escrow_is_in_force on treasury.escrow_account (offering_id) where status = 'in_force';
create unique index one_escrow_is_proposed on treasury.escrow_account (offering_id) where status = 'proposed';

call audit.keep('treasury.escrow_account', 'escrow_account', 'escrow_id', 'offering_id');

-- What is agreed stays as it was decided on; other terms are another escrow.
create function treasury.escrow_terms_stay() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.agent, new.beneficiary, new.bank, new.bank_code, new.account, new.agreement_sha256, new.agreed_on, new.proposed_by)
        is distinct from (old.agent, old.beneficiary, old.bank, old.bank_code, old.account, old.agreement_sha256, old.agreed_on,
            old.proposed_by) then
        raise exception using errcode = 'BR008', constraint = 'escrow_terms_stay',
            message = format('%s is what two people saw; propose another one', old.escrow_id);
    end if;
    return new;
end $$;

create trigger escrow_terms_stay before update on treasury.escrow_account
    for each row execute function treasury.escrow_terms_stay();
alter table treasury.escrow_account enable always trigger escrow_terms_stay;

-- Investors may be asked for money only once it is said where it is kept.
create function treasury.published_offer_has_its_escrow() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from treasury.escrow_account a where a.offering_id = new.offering_id and a.status = 'in_force') then
        raise exception using errcode = 'BR008', constraint = 'published_offer_has_its_escrow',
            message = format('two people have not put an escrow account of %s in force', new.offering_id);
    end if;
    return new;
end $$;

create trigger published_offer_has_its_escrow before update of status on engine.offer
    for each row when (new.status = 'published' and old.status = 'legal_accepted')
    execute function treasury.published_offer_has_its_escrow();
alter table engine.offer enable always trigger published_offer_has_its_escrow;

-- Money is received where the escrow is, or was: what still arrives at an earlier account of the offer is escrow too. The
-- account is kept in its plain form, so that another way of writing it is not another statement.
create function treasury.statement_is_of_the_escrow() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    new.account := treasury.plain_account(new.account);
    if not exists (select from treasury.escrow_account a where a.offering_id = new.offering_id
        and a.status in ('in_force', 'superseded') and treasury.plain_account(a.account) = new.account) then
        raise exception using errcode = 'BR008', constraint = 'statement_is_of_the_escrow_account',
            message = format('the statement is of another account than the escrow of %s', new.offering_id);
    end if;
    return new;
end $$;

create trigger statement_is_of_the_escrow before insert on treasury.statement
    for each row execute function treasury.statement_is_of_the_escrow();
alter table treasury.statement enable always trigger statement_is_of_the_escrow;

-- Proposes the escrow {agent, beneficiary, bank, bank_code, account, agreement_sha256, agreed_on, because} of an offer.
create function treasury.propose_escrow(p_actor text, p_request text, p_offering text, p_escrow text, p_terms jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from engine.offer o where o.offering_id = p_offering) then
        raise exception using errcode = 'BR404', constraint = 'offer_exists', message = format('there is no offer %s', p_offering);
    end if;
    insert into treasury.escrow_account (offering_id, escrow_id, status, agent, beneficiary, bank, bank_code, account,
        agreement_sha256, agreed_on, because, proposed_by)
    select p_offering, p_escrow, 'proposed', t.agent, t.beneficiary, t.bank, t.bank_code, t.account,
        decode(t.agreement_sha256, 'hex'), t.agreed_on, t.because, p_actor
    from jsonb_to_record(p_terms) as t (agent text, beneficiary text, bank text, bank_code text, account text,
        agreement_sha256 text, agreed_on date, because text);
end $$;

-- Puts a proposed escrow in force, or declines it. Everybody who was told of the earlier one is told that it has changed.
create function treasury.decide_escrow(p_actor text, p_request text, p_offering text, p_escrow text, p_is_agreed boolean,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    e treasury.escrow_account;
    is_a_change boolean;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from treasury.escrow_account a where a.offering_id = p_offering order by a.escrow_id for update;
    select * into e from treasury.escrow_account where offering_id = p_offering and escrow_id = p_escrow;
    perform treasury.on_version(e.version, p_seen);
    if e.status <> 'proposed' then
        raise exception using errcode = 'BR008', constraint = 'proposal_is_decided_once', message = format('%s is %s', p_escrow, e.status);
    end if;
    if p_is_agreed is not true then
        update treasury.escrow_account set status = 'declined', decided_by = p_actor
        where offering_id = p_offering and escrow_id = p_escrow;
        return;
    end if;
    perform treasury.refuse_one_person(p_actor, e.proposed_by, 'escrow_needs_two_people');
    update treasury.escrow_account set status = 'superseded' where offering_id = p_offering and status = 'in_force';
    is_a_change := found;
    update treasury.escrow_account set status = 'in_force', decided_by = p_actor
    where offering_id = p_offering and escrow_id = p_escrow;
    if is_a_change then
        insert into treasury.notification (offering_id, attempt_id, told_to, code, investment_id, sentence)
        select distinct on (a.investment_id) a.offering_id, a.attempt_id, 'investor', 'instructions:' || p_escrow, a.investment_id,
            'The account to pay to has changed. Two administrators have confirmed the one that stands here; no e-mail can.'
        from treasury.payment_attempt a where a.offering_id = p_offering order by a.investment_id, a.attempt_no desc;
    end if;
end $$;

-- Who keeps the money of an offer and under what, for whoever looks at the offer.
create view treasury.escrow_agent as
select offering_id, escrow_id, agent, agreed_on, encode(agreement_sha256, 'hex') as agreement_sha256
from treasury.escrow_account where status = 'in_force';
