-- name: register_webhook^
-- Claims the key, registers an endpoint with its first secret, stores the answer.
select answer, is_replay from api.register_webhook(:actor, :request, :body_sha256, :endpoint, cast(:said as jsonb),
    cast(:secret as jsonb));

-- name: switch_webhook^
-- Claims the key, disables an endpoint for a reason or enables it without one, stores the answer.
select answer, is_replay from api.switch_webhook(:actor, :request, :body_sha256, :endpoint, :version, cast(:because as text));

-- name: rotate_webhook^
-- Claims the key, adds a secret and ends the earlier ones after their overlap, stores the answer.
select answer, is_replay from api.rotate_webhook(:actor, :request, :body_sha256, :endpoint, :version, cast(:secret as jsonb),
    cast(:starts as timestamptz), cast(:overlap_hours as integer));

-- name: send_webhook^
-- Claims the key, has one message or those of a part of the feed sent again, stores the answer.
select answer, is_replay from api.send_webhook(:actor, :request, :body_sha256, :endpoint, cast(:delivery as text),
    cast(:first as bigint), cast(:last as bigint));

-- name: test_webhook^
-- Claims the key, has a test sent, stores the answer.
select answer, is_replay from api.test_webhook(:actor, :request, :body_sha256, :endpoint, :delivery);

-- name: webhook_endpoints
-- Endpoints that the login may read, after a place in the order of their ids.
select * from api.webhook_standing where cast(:after as text) is null or endpoint_id > :after order by endpoint_id limit :most;

-- name: webhook_endpoint^
-- One endpoint.
select * from api.webhook_standing where endpoint_id = :endpoint;

-- name: webhook_secrets
-- The secrets of endpoints without the secrets themselves, the newest first.
select endpoint_id, secret_id, public_key, made_by, valid_from, valid_until, last_used_at from api.webhook_secret
where endpoint_id = any (:endpoints) and (valid_until is null or valid_until > clock_timestamp()) order by valid_from desc, secret_id;

-- name: webhook_deliveries
-- Messages of an endpoint, the newest first, each with its last try.
select d.delivery_no, d.delivery_id, d.seq, d.kind, d.scope, d.subject, d.version, d.status, d.tries, d.due_at, d.created_at,
    a.attempt_no, a.started_at, a.duration_ms, a.outcome, a.status_code, a.answer_sha256
from api.webhook_delivery d left join lateral (
    select x.* from api.webhook_attempt x where x.delivery_id = d.delivery_id order by x.attempt_no desc limit 1) a on true
where d.endpoint_id = :endpoint and (cast(:before as bigint) is null or d.delivery_no < :before)
    and (cast(:status as text) is null or d.status = :status)
order by d.delivery_no desc limit :most;

-- name: webhook_attempts
-- Every try of one message.
select attempt_no, started_at, duration_ms, outcome, status_code, answer_sha256 from api.webhook_attempt
where delivery_id = :delivery order by attempt_no;

-- name: webhook_delivery^
-- One message of an endpoint.
select delivery_id, seq, kind, scope, subject, version, status, tries, due_at, created_at from api.webhook_delivery
where endpoint_id = :endpoint and delivery_id = :delivery;

-- name: hints
-- The next events of the feed that are told of at all, without what happened in them.
select f.seq, e.kind, f.scope, f.subject, f.version from audit.feed f join audit.event e using (scope, subject, version)
where f.seq > :after and e.kind in (select k.kind from api.webhook_kind k) order by f.seq limit :most;

-- name: end_of_feed$
-- The last number of the feed.
select coalesce(max(seq), 0) from audit.feed;

-- name: keys_in_force
-- Which of these keys and tokens are in force.
select k as digest from api.keys_in_force(:keys) k;
