-- Issuance: instructions of a frozen set, signed batches, and the posting to the master securityholder file.

-- The instructions of a closing that may go on now, and those that may not, after locking their positions in order.
create function registry.sort_by_gate(p_offering text, p_investments text[]) returns table (investment_id text, missing jsonb)
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id = any (p_investments)
    order by pos.investment_id for update;
    return query select pos.investment_id, engine.missing(pos, g.mask)
        from engine.position pos, engine.gate g
        where pos.offering_id = p_offering and pos.investment_id = any (p_investments) and g.act = 'issue';
end $$;

-- Prepares the instructions of a frozen set. Members are {investment, instruction}; the answer lists those
-- whose gate has closed since, with what is missing.
create function registry.instruct(p_actor text, p_request text, p_offering text, p_closing text, p_members jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    refused jsonb;
begin
    perform audit.enter(p_actor, p_request);
    create temp table if not exists sorted (investment_id text, missing jsonb) on commit drop;
    return refused;
end $$;
