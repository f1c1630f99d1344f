-- Around a closing: the person who names its set and the one who freezes it, and what its certificate states.

-- Names a set, of all candidates where none are given; another person freezes it.
create function engine.propose_closing(p_actor text, p_request text, p_offering text, p_closing text, p_investments text[])
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    if not exists (select from engine.offer o where o.offering_id = p_offering and o.status in ('published', 'legally_closed')) then
        raise exception using errcode = 'BR002', constraint = 'offer_can_close',
            message = format('%s is neither published nor legally closed', p_offering);
    end if;
    insert into engine.closing (offering_id, closing_id, ordinal, status, proposed_by, proposed_set)
    select p_offering, p_closing, 1 + count(*), 'proposed', p_actor,
        coalesce(p_investments, array(select c.investment_id from engine.candidates(p_offering) c))
    from engine.closing where offering_id = p_offering;
end $$;

-- The set that a freeze takes: the one that another person proposed, or the given one where the terms ask for one person.
create function engine.proposed_set(p_actor text, p_offering text, p_closing text, p_investments text[]) returns text[]
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    c engine.closing;
begin
    select * into c from engine.closing x where x.offering_id = p_offering and x.closing_id = p_closing;
    if c.status = 'proposed' then
        if audit.person_of(c.proposed_by) = audit.person_of(p_actor) then
            raise exception using errcode = 'BR010', constraint = 'closing_needs_two_people',
                message = format('%s proposed %s', p_actor, p_closing);
        end if;
        return c.proposed_set;
    end if;
    if (engine.terms_of(p_offering)).two_people_close then
        raise exception using errcode = 'BR008', constraint = 'closing_is_proposed_before_it_is_frozen',
            message = format('nobody has proposed %s', p_closing);
    end if;
    return p_investments;
end $$;

-- The Merkle tree hash over leaf hashes in their order (RFC 6962, 2.1); of none, the hash of nothing.
create function engine.merkle_root(p_leaves bytea[]) returns bytea
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare
    level bytea[] := p_leaves;
begin
    if coalesce(cardinality(level), 0) = 0 then
        return sha256('');
    end if;
    while cardinality(level) > 1 loop
        level := array(select case when 2 * n <= cardinality(level) then sha256('\x01'::bytea || level[2 * n - 1] || level[2 * n])
                else level[2 * n - 1] end
            from generate_series(1, (cardinality(level) + 1) / 2) n order by n);
    end loop;
    return level[1];
end $$;

-- The issued members of a closing as its certificate lists them, with the ids and hashes of the facts that admitted each, and the
-- leaf of each.
create function engine.certified_members(p_offering text, p_closing text, out members jsonb, out leaves bytea[])
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off
begin atomic
    select jsonb_agg(x.member order by x.investment_id),
        array_agg(sha256('\x00'::bytea || convert_to(audit.canonical(x.member), 'UTF8')) order by x.investment_id)
    from (
        select m.investment_id, jsonb_build_object('investment', m.investment_id, 'units', m.units,
            'amount_minor', m.amount_minor, 'facts', m.facts, 'facts_sha256', encode(m.facts_sha256, 'hex'),
            'transaction', encode(p.transaction_hash, 'hex'), 'ordinal', p.ordinal) as member
        from engine.closing_member m join registry.posting_fact p using (offering_id, investment_id)
        where m.offering_id = p_offering and m.closing_id = p_closing and m.status = 'issued') x;
end;
