-- Who reads the documents of an offer: found from a session, never from what a page says of its visitor.

-- The documents that the holder of a session may read now; without a session in force, those that are public. Staff are
-- people with a key of a keeper, and of the offer's own issuer; before its publication an offer shows nothing to others.
create function subscription.readable(p_offering text, p_session bytea)
returns table (document_id text, title text, visibility text, sha256 bytea)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    with reader as (
        select case when starts_with(b.name, 'ivr_') then b.name end as investor_id,
            b.keeper <> 'portal' and (b.keeper <> 'issuer' or exists (select from engine.offer o
                where o.offering_id = p_offering and o.issuer_id = b.issuer_id)) as is_staff
        from api.behind_session(p_session) b),
    reach as (
        select coalesce(bool_or(r.is_staff), false) as is_staff, coalesce(bool_or(i.status in ('confirmed', 'legally_confirmed',
                'closed_successfully', 'cancellation_requested')), false) as is_committed,
            coalesce(bool_or(i.status in ('new') or v.investor_id is not null), false) as is_invited
        from reader r
        left join engine.investment i on i.offering_id = p_offering and i.investor_id = r.investor_id
        left join subscription.invitation v on v.offering_id = p_offering and v.investor_id = r.investor_id)
    select d.document_id, d.title, d.visibility, d.sha256
    from subscription.offered_document d join engine.offer o using (offering_id) cross join reach w
    where d.offering_id = p_offering and d.status = 'placed' and (w.is_staff
        or o.status in ('published', 'legally_closed', 'closed_successfully', 'exited') and case d.visibility
            when 'public' then true when 'invited' then w.is_invited or w.is_committed when 'committed' then w.is_committed
            else false end)
    order by d.title, d.document_id;
end;

-- The bytes of one of them; any other is as if it did not exist.
create function subscription.read_offered(p_actor text, p_request text, p_offering text, p_document text, p_session bytea)
returns table (content bytea, media_type text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    wanted constant bytea := (select r.sha256 from subscription.readable(p_offering, p_session) r where r.document_id = p_document);
begin
    if wanted is null then
        perform subscription.refuse_missing('offered_document_exists', p_document);
    end if;
    return query select d.content, d.media_type from subscription.read_document(p_actor, p_request, wanted) d;
end $$;
