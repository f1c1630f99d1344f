-- Webhooks: where a subscriber hears of events, the keys that sign, each message and each try. A message is a hint to the feed.

create table engine.webhook_endpoint (
    endpoint_id text primary key constraint webhook_endpoint_id_is_plain check (endpoint_id ~ '^whe_[0-9A-Za-z_]{1,64}$'),
    status text not null,
    issuer_id text constraint webhook_endpoint_of_an_issuer_on_record references engine.issuer,
    url text not null constraint webhook_goes_over_tls check (
        length(url) <= 2000 and url ~ '^https://[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?([/?][!-~]*)?$' and url !~ '[@#\\]'),
    kinds text[] not null,
    offers text[] not null,
    form text not null constraint webhook_form_is_known check (form in ('thin', 'cloudevents')),
    registered_by text not null,
    held_by text not null constraint webhook_endpoint_is_held_by_a_key check (held_by ~ '^(key|client):.'),
    registered_at timestamptz not null default clock_timestamp(),
    disabled_because text,
    version bigint not null,
    chain_head bytea not null,
    constraint disabled_webhook_endpoint_says_why check ((status = 'disabled') = coalesce(disabled_because ~ '\S', false))
);

-- An address may hold a password of its receiver: it stays out of events.
call audit.keep('engine.webhook_endpoint', 'webhook_endpoint', 'endpoint_id', 'endpoint_id', '{url}');

-- How far in the feed an endpoint was told, and since when nothing has come through.
create table api.webhook_progress (
    endpoint_id text primary key references engine.webhook_endpoint,
    last_seq bigint not null check (last_seq >= 0),
    failing_since timestamptz
) with (fillfactor = 70);

-- A secret for HMAC and a seed for ed25519, sealed together. It is next, active or retiring by the clock alone.
create table api.webhook_secret (
    secret_id text primary key constraint webhook_secret_id_is_plain check (secret_id ~ '^whs_[0-9A-Za-z_]{1,64}$'),
    endpoint_id text not null references engine.webhook_endpoint,
    wrapped bytea not null check (octet_length(wrapped) > 40),
    sealed bytea not null check (octet_length(sealed) > 64),
    public_key bytea not null check (octet_length(public_key) = 32),
    made_by text not null,
    valid_from timestamptz not null,
    valid_until timestamptz,
    last_used_at timestamptz,
    constraint webhook_secret_ends_after_it_begins check (valid_until >= valid_from)
);
create unique index one_webhook_secret_has_no_end on api.webhook_secret (endpoint_id) where valid_until is null;

-- One message for one endpoint: its id stays over every try. Without a place in the feed it is a test.
create table api.webhook_delivery (
    delivery_no bigint generated always as identity,
    delivery_id text primary key constraint webhook_delivery_id_is_plain check (delivery_id ~ '^whd_[0-9A-Za-z_]{1,64}$'),
    endpoint_id text not null references engine.webhook_endpoint,
    seq bigint,
    kind text not null,
    scope text not null,
    subject text not null,
    version bigint not null,
    occurred_at timestamptz not null,
    status text not null constraint webhook_delivery_is_in_a_known_state check (status in ('waiting', 'delivered', 'parked')),
    tries integer not null default 0 check (tries >= 0),
    asks integer not null default 1 check (asks > 0),
    due_at timestamptz not null,
    taken_until timestamptz,
    created_at timestamptz not null default clock_timestamp()
) with (fillfactor = 80);
create unique index one_webhook_delivery_for_an_event on api.webhook_delivery (endpoint_id, seq);
create index webhook_deliveries_in_order on api.webhook_delivery (endpoint_id, delivery_no);
create index webhook_deliveries_that_wait on api.webhook_delivery (endpoint_id, due_at) where status = 'waiting';
create index webhook_deliveries_under_way on api.webhook_delivery (endpoint_id, taken_until)
    where status = 'waiting' and taken_until is not null;
create index webhook_deliveries_that_are_parked on api.webhook_delivery (endpoint_id) where status = 'parked';
create index webhook_deliveries_that_came_through on api.webhook_delivery (due_at) where status = 'delivered';

-- Of an answer its status and digest are kept, never its text.
create table api.webhook_attempt (
    delivery_id text not null references api.webhook_delivery on delete cascade,
    attempt_no integer not null check (attempt_no > 0),
    started_at timestamptz not null,
    duration_ms integer not null check (duration_ms >= 0),
    outcome text not null constraint webhook_outcome_is_known check (
        outcome in ('accepted', 'refused', 'redirected', 'timed_out', 'unreachable', 'forbidden_address')),
    status_code integer check (status_code between 100 and 999),
    answer_sha256 bytea check (octet_length(answer_sha256) = 32),
    primary key (delivery_id, attempt_no),
    constraint accepted_webhook_has_its_status check ((outcome = 'accepted') = coalesce(status_code between 200 and 299, false))
);

-- What came through may be forgotten, with its tries. What waits or is parked is kept, and no try is changed or leaves alone.
create function api.webhook_is_done() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> 'delivered' then
        raise exception using errcode = 'BR003', constraint = 'webhook_message_came_through_before_it_leaves',
            message = format('%s is %s', old.delivery_id, old.status);
    end if;
    return old;
end $$;
create function api.webhook_try_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from api.webhook_delivery d where d.delivery_id = old.delivery_id) then
        raise exception using errcode = 'BR003', constraint = 'webhook_try_leaves_with_its_message',
            message = format('a try of %s is kept as long as its message', old.delivery_id);
    end if;
    return old;
end $$;
create trigger aa_done before delete on api.webhook_delivery for each row execute function api.webhook_is_done();
create trigger aa_stands before delete on api.webhook_attempt for each row execute function api.webhook_try_stands();
create trigger aa_unchanged before update on api.webhook_attempt for each row execute function audit.history_stands();
create trigger aa_untruncated before truncate on api.webhook_attempt for each statement execute function audit.history_stands();
create trigger aa_untruncated before truncate on api.webhook_delivery for each statement execute function audit.history_stands();
alter table api.webhook_delivery enable always trigger aa_done;
alter table api.webhook_attempt enable always trigger aa_stands;
alter table api.webhook_attempt enable always trigger aa_unchanged;
alter table api.webhook_attempt enable always trigger aa_untruncated;
alter table api.webhook_delivery enable always trigger aa_untruncated;

-- How long a message waits after so many tries (Standard Webhooks 1.0): ten tries in 75 hours, then it is parked.
create table api.webhook_pause (
    tries integer primary key check (tries > 0),
    pause interval not null
);
insert into api.webhook_pause (tries, pause) values
    (1, '5 seconds'), (2, '5 minutes'), (3, '30 minutes'), (4, '2 hours'), (5, '5 hours'), (6, '10 hours'), (7, '14 hours'),
    (8, '20 hours'), (9, '24 hours');
call audit.append_only('api.webhook_pause');

-- What leaves the house. Of compliance only whether somebody is cleared; an issuer hears of what its pages show.
create view api.webhook_kind as
select t.machine || '.' || t.trigger as kind, bool_or(t.machine in ('offer', 'terms', 'investment', 'closing', 'holding', 'control_book',
    'escrow_account', 'release')) as issuer_hears
from engine.machine m join engine.transition t using (machine)
where m.machine = 'clearance'
    or m.keeper <> 'compliance' and m.machine not in ('data_key', 'personal_view', 'payer_view', 'order_view', 'signatory')
group by 1;

-- An issuer reads its own endpoints and what went to them.
call issuer.keep_apart('engine.webhook_endpoint', 'issuer_id = (select issuer.entered())');
call issuer.keep_apart('api.webhook_progress', 'endpoint_id in (select e.endpoint_id from engine.webhook_endpoint e)');
call issuer.keep_apart('api.webhook_secret', 'endpoint_id in (select e.endpoint_id from engine.webhook_endpoint e)');
call issuer.keep_apart('api.webhook_delivery', 'endpoint_id in (select e.endpoint_id from engine.webhook_endpoint e)');
call issuer.keep_apart('api.webhook_attempt',
    'exists (select from api.webhook_delivery d where d.delivery_id = webhook_attempt.delivery_id)');

insert into engine.notice_rule (kind, code, audience, is_required, citation, sentence) values
    ('webhook_endpoint.parked', 'webhook_parked', 'administrator', false, 'house policy', 'A webhook message is parked after its last try.'),
    ('webhook_endpoint.parked', 'webhook_parked', 'issuer', false, 'house policy', 'A webhook message is parked after its last try.'),
    ('webhook_endpoint.disabled', 'webhook_disabled', 'administrator', false, 'house policy', 'A webhook endpoint is disabled: nothing came through.'),
    ('webhook_endpoint.disabled', 'webhook_disabled', 'issuer', false, 'house policy', 'A webhook endpoint is disabled: nothing came through.');

-- An endpoint with how far it was told and what has not come through; it asks for the rights of whoever reads it.
create view api.webhook_standing with (security_invoker = true) as
select e.endpoint_id, e.status, e.issuer_id, e.url, e.kinds, e.offers, e.form, e.registered_by, e.held_by, e.registered_at, e.disabled_because,
    e.version, p.last_seq, p.failing_since,
    (select count(*) from api.webhook_delivery d where d.endpoint_id = e.endpoint_id and d.status = 'waiting') as waiting,
    (select count(*) from api.webhook_delivery d where d.endpoint_id = e.endpoint_id and d.status = 'parked') as parked
from engine.webhook_endpoint e join api.webhook_progress p using (endpoint_id);
