-- A signed message of a venue and its one effect.

-- What is known of a trade; where its transfer stands is the transfer's own fact.
create function registry.trade_answer(p_offering text, p_trade text, p_result text) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
return (select jsonb_build_object('result', coalesce(p_result, t.status), 'trade', t.number, 'transfer', t.request_id,
        'status', q.status, 'rules', to_jsonb(t.rules))
    from registry.trade t left join registry.transfer_request q using (offering_id, request_id)
    where t.offering_id = p_offering and t.trade_id = p_trade);

-- The same contradiction by the same bytes is one alarm.
create function registry.contradict(t registry.trade, p_rule text, p_known text) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    named text := 'tal_' || left(encode(sha256(convert_to(concat_ws(E'\n', p_rule, t.venue_id, t.message_id, p_known), 'UTF8')
        || t.body_sha256), 'hex'), 32);
begin
    if not exists (select from registry.trade_alarm a where a.offering_id = t.offering_id and a.alarm_id = named) then
        insert into registry.trade_alarm (offering_id, alarm_id, status, rule, venue_id, message_id, trade_id, body_sha256)
        values (t.offering_id, named, 'raised', p_rule, t.venue_id, t.message_id, p_known, t.body_sha256);
        insert into audit.refusal (scope, subject, act, rule, missing, actor, request_id)
        values (t.offering_id, t.venue_id, 'hear_trade', p_rule, '[]', current_setting('bookrunner.actor'),
            current_setting('bookrunner.request'));
    end if;
    return jsonb_build_object('result', 'contradicted', 'trade', t.number, 'transfer', null, 'status', null,
        'rules', jsonb_build_array(p_rule));
end $$;

-- A message with another body concerns the trade that it told of first, and the one that it names now.
create function registry.contradict_message(t registry.trade) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    concerned text[] := array(select x.trade_id from registry.trade x where x.offering_id = t.offering_id
        and x.venue_id = t.venue_id and (x.message_id = t.message_id or x.trade_id = t.trade_id) order by x.trade_id);
    known text;
    answer jsonb;
begin
    foreach known in array case when concerned = '{}' then array[null::text] else concerned end loop
        answer := registry.contradict(t, 'message_id_has_one_body', known);
    end loop;
    return answer;
end $$;

-- The signed message is the instruction that the venue's agreement allows it, and the confirmation of the sale.
create function registry.take_trade(p_actor text, p_request text, t registry.trade, p_transfer text, p_item text, p_clock jsonb)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    t.rules := registry.trade_refusals(t.offering_id, t.seller_id, t.buyer_id, t.units);
    t.status := case when t.rules = '{}' then 'taken' else 'rejected' end;
    if t.status = 'taken' then
        perform registry.request_transfer(p_actor, p_request, t.offering_id, p_transfer, jsonb_build_object('kind', 'sale',
            'route', 'agent', 'seller', t.seller_id, 'buyer', t.buyer_id, 'units', t.units, 'price_minor', t.price_minor,
            'currency', t.currency), (select jsonb_agg(jsonb_build_object('paper', n.paper, 'sha256', encode(t.body_sha256, 'hex')))
            from registry.required_paper n where n.transfer_kind = 'sale'), p_item, p_clock);
        t.request_id := p_transfer;
    end if;
    insert into registry.trade (offering_id, trade_id, status, venue_id, number, message_id, signed_at, public_key, signature,
        body_sha256, seller_id, buyer_id, units, price_minor, currency, executed_at, request_id, rules)
    values (t.offering_id, t.trade_id, t.status, t.venue_id, t.number, t.message_id, t.signed_at, t.public_key, t.signature,
        t.body_sha256, t.seller_id, t.buyer_id, t.units, t.price_minor, t.currency, t.executed_at, t.request_id, t.rules);
end $$;

create function registry.require_venue(p_offering text, p_venue text, p_public_key bytea) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v registry.venue;
begin
    select * into v from registry.venue where offering_id = p_offering and venue_id = p_venue for share;
    if v.status is distinct from 'in_force' or v.public_key <> p_public_key then
        raise exception using errcode = 'BR008', constraint = 'venue_key_is_in_force',
            message = format('%s has no such key in force', p_venue);
    end if;
end $$;

-- Signed has message, signed_at, public_key and signature (hex); told has trade, seller, buyer, units, price_minor, currency and
-- executed_at. Answers {result, trade, transfer, status, rules}: taken, rejected by its rules, known, or contradicted.
create function registry.hear_trade(p_actor text, p_request text, p_offering text, p_venue text, p_signed jsonb, p_body bytea,
    p_told jsonb, p_transfer text, p_item text, p_clock jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    t registry.trade;
    known registry.trade;
    source text := 'trades.' || p_offering || '.' || p_venue;
begin
    perform audit.enter(p_actor, p_request);
    select p_offering, p_venue || ':' || s.trade, p_venue, s.trade, s.seller, s.buyer, s.units, s.price_minor, s.currency, s.executed_at
    into t.offering_id, t.trade_id, t.venue_id, t.number, t.seller_id, t.buyer_id, t.units, t.price_minor, t.currency, t.executed_at
    from jsonb_to_record(p_told) as s (trade text, seller text, buyer text, units bigint, price_minor bigint, currency text,
        executed_at timestamptz);
    select s.message, s.signed_at, decode(s.public_key, 'hex'), decode(s.signature, 'hex'), sha256(p_body)
    into t.message_id, t.signed_at, t.public_key, t.signature, t.body_sha256
    from jsonb_to_record(p_signed) as s (message text, signed_at bigint, public_key text, signature text);
    perform engine.lock_parties(p_offering, array[t.seller_id, t.buyer_id]);
    perform registry.book_of(p_offering);
    perform registry.require_venue(p_offering, p_venue, t.public_key);
    begin
        perform audit.receive_message(source, t.message_id, p_body, encode(sha256(t.public_key), 'hex'));
    exception when sqlstate 'BR422' then
        return registry.contradict_message(t);
    end;
    select * into known from registry.trade x where x.offering_id = p_offering and x.trade_id = t.trade_id;
    if not found then
        perform registry.take_trade(p_actor, p_request, t, p_transfer, p_item, p_clock);
        return registry.trade_answer(p_offering, t.trade_id, null);
    end if;
    if (known.seller_id, known.buyer_id, known.units, known.price_minor, known.currency, known.executed_at)
        is distinct from (t.seller_id, t.buyer_id, t.units, t.price_minor, t.currency, t.executed_at) then
        return registry.contradict(t, 'trade_has_one_content', known.trade_id);
    end if;
    return registry.trade_answer(p_offering, t.trade_id, 'known');
end $$;

create view registry.trade_fact as
select offering_id, trade_id, status, venue_id, number, seller_id, buyer_id, units, price_minor, currency, executed_at, request_id,
    rules, version, chain_head from registry.trade;
