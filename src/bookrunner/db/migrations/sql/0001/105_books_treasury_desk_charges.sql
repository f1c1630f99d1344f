-- Fees of transfers in the ledger: what the payer owes, and whose it is; each once, by the charge that the register fixed.

create function treasury.charge_transfer_fee(p_actor text, p_request text, p_offering text, p_transfer text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c record;
begin
    perform audit.enter(p_actor, p_request);
    select * into c from engine.transfer_fee(p_offering, p_transfer);
    if not found then
        return false;
    end if;
    perform treasury.take_turn(p_offering);
    perform treasury.post(p_offering, 'transfer_fee:' || p_transfer, 'transfer_fee', c.currency, jsonb_build_array(
        jsonb_build_object('account', 'asset:transfer_fee:' || c.payer_id, 'side', 'debit', 'amount', c.amount_minor),
        jsonb_build_object('account', 'liab:transfer_fees', 'side', 'credit', 'amount', c.amount_minor)));
    return true;
end $$;

-- How a charged fee ends: paid outside escrow, on evidence, or waived with a reason; two people, the whole of it, once.
create table treasury.fee_settlement (
    offering_id text not null,
    settlement_id text not null,
    transfer_id text not null,
    status text not null,
    act text not null constraint fee_is_paid_or_waived check (act in ('paid', 'waived')),
    payer_id text not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    evidence_sha256 bytea constraint evidence_of_a_fee_is_a_digest check (octet_length(evidence_sha256) = 32),
    because text not null constraint settled_fee_has_its_reason check (because ~ '\S'),
    proposed_by text not null,
    decided_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, settlement_id),
    constraint paid_fee_has_its_evidence check ((act = 'paid') <= (evidence_sha256 is not null)),
    constraint fee_settlement_needs_two_people
        check (status <> 'settled' or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false))
);
create unique index fee_is_settled_once on treasury.fee_settlement (offering_id, transfer_id) where status in ('proposed', 'settled');
call audit.keep('treasury.fee_settlement', 'fee_settlement', 'settlement_id', 'offering_id', '{because}');

create function treasury.fee_settlement_stays() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.transfer_id, new.act, new.payer_id, new.amount_minor, new.currency, new.evidence_sha256, new.because, new.proposed_by)
        is distinct from (old.transfer_id, old.act, old.payer_id, old.amount_minor, old.currency, old.evidence_sha256, old.because,
            old.proposed_by) then
        raise exception using errcode = 'BR006', constraint = 'fee_settlement_stays_as_proposed',
            message = format('%s is what two people decide on', old.settlement_id);
    end if;
    return new;
end $$;
create trigger fee_settlement_stays before update on treasury.fee_settlement
    for each row execute function treasury.fee_settlement_stays();
alter table treasury.fee_settlement enable always trigger fee_settlement_stays;

-- The charges of an offer with what was decided on each.
create view treasury.fee_standing as
select c.offering_id, c.request_id as transfer_id, c.payer_id, c.amount_minor, c.currency, c.charged_at, s.settlement_id, s.act, s.because,
    coalesce(s.status, 'open') as status, s.proposed_by, s.decided_by, s.version
from engine.transfer_charge c left join treasury.fee_settlement s on s.offering_id = c.offering_id and s.transfer_id = c.request_id
    and s.status in ('proposed', 'settled');

create function treasury.propose_fee_settlement(p_actor text, p_request text, p_offering text, p_settlement text, p_transfer text, p_act text,
    p_evidence_sha256 bytea, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c record;
begin
    perform audit.enter(p_actor, p_request);
    select * into c from engine.transfer_fee(p_offering, p_transfer);
    if not exists (select from treasury.journal j where j.offering_id = p_offering and j.journal_id = 'transfer_fee:' || p_transfer) then
        raise exception using errcode = 'BR404', constraint = 'settled_fee_was_charged',
            message = format('no fee of %s stands in the ledger', p_transfer);
    end if;
    insert into treasury.fee_settlement (offering_id, settlement_id, transfer_id, status, act, payer_id, amount_minor, currency,
        evidence_sha256, because, proposed_by)
    values (p_offering, p_settlement, p_transfer, 'proposed', p_act, c.payer_id, c.amount_minor, c.currency, p_evidence_sha256, p_because, p_actor);
end $$;

-- Another person decides; agreed to, the fee is owed no more.
create function treasury.decide_fee_settlement(p_actor text, p_request text, p_offering text, p_settlement text, p_is_agreed boolean,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s treasury.fee_settlement;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into s from treasury.fee_settlement where offering_id = p_offering and settlement_id = p_settlement for update;
    perform treasury.on_version(s.version, p_seen);
    if p_is_agreed is true then
        perform treasury.refuse_one_person(p_actor, s.proposed_by, 'fee_settlement_needs_two_people');
        perform treasury.post(p_offering, 'fee_settled:' || s.transfer_id, 'transfer_fee_' || s.act, s.currency, jsonb_build_array(
            jsonb_build_object('account', 'liab:transfer_fees', 'side', 'debit', 'amount', s.amount_minor),
            jsonb_build_object('account', 'asset:transfer_fee:' || s.payer_id, 'side', 'credit', 'amount', s.amount_minor)));
    end if;
    update treasury.fee_settlement set status = case when p_is_agreed then 'settled' else 'declined' end, decided_by = p_actor
    where offering_id = p_offering and settlement_id = p_settlement;
end $$;
