-- Issuers: how each shows itself, and who keeps its money, its register and its books.

-- The contrast of white text on a colour, by WCAG 2.2 (success criterion 1.4.3).
create function engine.contrast_with_white(p_colour text) returns numeric
language sql immutable strict
return (select round(1.05 / (sum(c.weight * case when c.part <= 0.04045 then c.part / 12.92
        else power((c.part + 0.055) / 1.055, 2.4) end) + 0.05), 2)
    from (values (get_byte(decode(substr(p_colour, 2), 'hex'), 0) / 255.0, 0.2126),
        (get_byte(decode(substr(p_colour, 2), 'hex'), 1) / 255.0, 0.7152),
        (get_byte(decode(substr(p_colour, 2), 'hex'), 2) / 255.0, 0.0722)) as c (part, weight));

create table engine.issuer (
    issuer_id text primary key constraint issuer_id_is_plain check (issuer_id ~ '^[a-z0-9_]{1,64}$'),
    status text not null,
    name text not null constraint issuer_is_named check (name ~ '[[:alpha:]]' and length(name) <= 120),
    colour text not null constraint brand_colour_bears_white_text check (
        case when colour ~ '^#[0-9a-f]{6}$' then engine.contrast_with_white(colour) >= 4.5 else false end),
    logo bytea constraint logo_is_a_small_png check (
        octet_length(logo) <= 65536 and substr(logo, 1, 8) = '\x89504e470d0a1a0a'),
    logo_sha256 bytea generated always as (sha256(logo)) stored,
    escrow_bank text not null constraint escrow_bank_of_the_issuer_is_named check (escrow_bank ~ '[[:alpha:]]'),
    transfer_agent text not null constraint transfer_agent_is_named check (transfer_agent ~ '[[:alpha:]]'),
    administrator text not null constraint administrator_is_named check (administrator ~ '[[:alpha:]]'),
    version bigint not null,
    chain_head bytea not null
);

create index offer_of_issuer on engine.offer (issuer_id);

call audit.keep('engine.issuer', 'issuer', 'issuer_id', 'issuer_id', '{logo}');

-- Under whose sign an offer is shown to investors, and who does what of it.
create view engine.issuer_sign as
select o.offering_id, s.name, s.colour, s.escrow_bank, s.transfer_agent, s.administrator
from engine.offer o join engine.issuer s using (issuer_id);

-- Names an issuer, or changes how it shows itself and who its counterparties are. A logo that is not given stays.
create function engine.name_issuer(p_actor text, p_request text, p_issuer text, p_profile jsonb, p_logo bytea default null)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update engine.issuer set name = p_profile ->> 'name', colour = p_profile ->> 'colour', logo = coalesce(p_logo, logo),
        escrow_bank = p_profile ->> 'escrow_bank', transfer_agent = p_profile ->> 'transfer_agent',
        administrator = p_profile ->> 'administrator'
    where issuer_id = p_issuer;
    if not found then
        insert into engine.issuer (issuer_id, status, name, colour, logo, escrow_bank, transfer_agent, administrator)
        values (p_issuer, 'named', p_profile ->> 'name', p_profile ->> 'colour', p_logo, p_profile ->> 'escrow_bank',
            p_profile ->> 'transfer_agent', p_profile ->> 'administrator');
    end if;
end $$;
