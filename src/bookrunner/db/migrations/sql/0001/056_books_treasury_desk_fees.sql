-- The fees of an offer, as investors are shown them before they sign: two people declare each one before it is published.

create table treasury.fee (
    offering_id text not null,
    fee_id text not null,
    status text not null,
    kind text not null constraint fee_kind_is_known references treasury.fee_kind,
    borne_by text not null constraint fee_is_borne_by_somebody check (borne_by in ('issuer', 'investor')),
    basis_points integer constraint fee_is_part_of_the_amount check (basis_points between 1 and 10000),
    flat_minor bigint constraint flat_fee_is_positive check (flat_minor > 0),
    currency text,
    terms_sha256 bytea constraint terms_digest_has_its_length check (octet_length(terms_sha256) = 32),
    proposed_by text not null,
    decided_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, fee_id),
    constraint fee_is_a_part_or_flat check ((basis_points is null) <> (flat_minor is null)),
    constraint flat_fee_has_its_currency check ((flat_minor is null) = (currency is null)),
    constraint fee_of_the_investor_is_in_the_terms check ((borne_by = 'investor') <= (terms_sha256 is not null)),
    constraint fee_needs_two_people check ((status = 'declared') <= (audit.person_of(decided_by) <> audit.person_of(proposed_by))),
    constraint decided_fee_names_who check ((status = 'proposed') = (decided_by is null))
);

call audit.keep('treasury.fee', 'fee', 'fee_id', 'offering_id');

-- What an investor signed is what is charged: nothing is proposed or declared once the offer is published.
create function treasury.fee_precedes_publication() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if new.status <> 'declined' and not exists (select from engine.offer o where o.offering_id = new.offering_id
        and o.status in ('new', 'draft', 'legal_review', 'legal_declined', 'legal_accepted')) then
        raise exception using errcode = 'BR008', constraint = 'fee_precedes_publication',
            message = format('investors of %s may have signed', new.offering_id);
    end if;
    return new;
end $$;

create trigger fee_precedes_publication before insert or update on treasury.fee
    for each row execute function treasury.fee_precedes_publication();
alter table treasury.fee enable always trigger fee_precedes_publication;

-- Proposes a fee {kind, borne_by, basis_points, flat_minor, currency, terms_sha256} of an offer; a flat one is in its currency.
create function treasury.propose_fee(p_actor text, p_request text, p_offering text, p_fee text, p_terms jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if p_terms ->> 'currency' <> (select o.currency from engine.offer o where o.offering_id = p_offering) then
        raise exception using errcode = 'BR008', constraint = 'fee_is_in_the_offers_currency',
            message = format('%s is not sold in %s', p_offering, p_terms ->> 'currency');
    end if;
    insert into treasury.fee (offering_id, fee_id, status, kind, borne_by, basis_points, flat_minor, currency, terms_sha256, proposed_by)
    select p_offering, p_fee, 'proposed', t.kind, t.borne_by, t.basis_points, t.flat_minor, t.currency, decode(t.terms_sha256, 'hex'),
        p_actor
    from jsonb_to_record(p_terms) as t (kind text, borne_by text, basis_points integer, flat_minor bigint, currency text,
        terms_sha256 text);
end $$;

-- Declares a proposed fee, or declines it.
create function treasury.decide_fee(p_actor text, p_request text, p_offering text, p_fee text, p_is_declared boolean, p_seen bigint)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    f treasury.fee;
begin
    perform audit.enter(p_actor, p_request);
    -- Publication waits for the decision, or the decision sees it.
    perform 1 from engine.offer o where o.offering_id = p_offering for share;
    select * into f from treasury.fee where offering_id = p_offering and fee_id = p_fee for update;
    perform treasury.on_version(f.version, p_seen);
    if p_is_declared then
        perform treasury.refuse_one_person(p_actor, f.proposed_by, 'fee_needs_two_people');
    end if;
    update treasury.fee set status = case when p_is_declared then 'declared' else 'declined' end, decided_by = p_actor
    where offering_id = p_offering and fee_id = p_fee;
end $$;

-- The fees that investors are shown.
create view treasury.declared_fee as
select f.offering_id, f.fee_id, f.kind, f.borne_by, f.basis_points, f.flat_minor, f.currency
from treasury.fee f where f.status = 'declared';
