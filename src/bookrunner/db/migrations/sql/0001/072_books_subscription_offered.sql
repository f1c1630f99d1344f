-- The documents of an offer beside its packet, and who may read each: everybody, who is invited, who has committed, staff.

create table subscription.offered_document (
    offering_id text not null,
    document_id text not null,
    status text not null,
    sha256 bytea not null references subscription.document,
    title text not null constraint document_has_its_title check (title ~ '\S' and length(title) <= 120),
    visibility text not null constraint visibility_is_known check (visibility in ('public', 'invited', 'committed', 'staff')),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, document_id)
);

create unique index document_is_offered_once on subscription.offered_document (offering_id, sha256) where status = 'placed';
call audit.keep('subscription.offered_document', 'offered_document', 'document_id', 'offering_id');

-- Investors who may see the offer before they invest; whoever has invested is as if invited.
create table subscription.invitation (
    offering_id text not null,
    investor_id text not null,
    invited_by text not null,
    invited_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, investor_id)
);

call audit.append_only('subscription.invitation');

-- What has to be received before signing is open to whoever is asked to sign.
create function subscription.signers_reach_what_is_required(p_offering text, p_sha256 bytea) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    -- Placing a document and requiring it wait for each other: whoever comes second sees the first.
    perform pg_advisory_xact_lock(hashtextextended('offered/' || p_offering || encode(p_sha256, 'hex'), 0));
    if exists (select from subscription.offered_document d where d.offering_id = p_offering and d.sha256 = p_sha256
            and d.status = 'placed' and d.visibility in ('committed', 'staff'))
        and exists (select from subscription.requirement_in_force r where r.offering_id = p_offering and r.document_sha256 = p_sha256) then
        raise exception using errcode = 'BR008', constraint = 'required_document_reaches_its_signers',
            message = 'a document that has to be received before signing is open to whoever is invited';
    end if;
end $$;

create function subscription.required_document_is_open() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform subscription.signers_reach_what_is_required(new.offering_id, new.document_sha256);
    return null;
end $$;

create trigger required_document_is_open after insert on subscription.requirement
    for each row execute function subscription.required_document_is_open();
alter table subscription.requirement enable always trigger required_document_is_open;

create function subscription.offer_document(p_actor text, p_request text, p_offering text, p_document text, p_sha256 bytea,
    p_title text, p_visibility text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into subscription.offered_document (offering_id, document_id, status, sha256, title, visibility)
    values (p_offering, p_document, 'placed', p_sha256, p_title, p_visibility);
    perform subscription.signers_reach_what_is_required(p_offering, p_sha256);
end $$;

-- Shows a placed document to others than before, or to nobody any more when no visibility is named.
create function subscription.show_document_to(p_actor text, p_request text, p_offering text, p_document text, p_visibility text)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    shown bytea;
begin
    perform audit.enter(p_actor, p_request);
    update subscription.offered_document set visibility = coalesce(p_visibility, visibility),
        status = case when p_visibility is null then 'withdrawn' else status end
    where offering_id = p_offering and document_id = p_document returning sha256 into shown;
    if shown is null then
        perform subscription.refuse_missing('offered_document_exists', p_document);
    end if;
    perform subscription.signers_reach_what_is_required(p_offering, shown);
end $$;

create function subscription.invite(p_actor text, p_request text, p_offering text, p_investor text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into subscription.invitation (offering_id, investor_id, invited_by) values (p_offering, p_investor, p_actor)
    on conflict do nothing;
end $$;
