-- name: fan_out$
-- Makes the messages of the next part of the feed; returns for how many endpoints.
select api.fan_out_webhooks(cast(:most as integer));

-- name: take
-- Takes messages that are due, with all that sending them needs.
select * from api.take_webhooks(:now, cast(:most as integer), cast(:each as integer));

-- name: record$
-- Records one try and returns where the message stands.
select api.record_webhook(:actor, :request, :began, :ended, :delivery, cast(:asks as integer), cast(:attempt as jsonb));

-- name: end_endpoints$
-- Disables the endpoints whose key has ended; returns how many.
select api.end_webhooks(:actor, :request);

-- name: purge$
-- Forgets messages that came through before a moment; returns how many.
select api.purge_webhooks(:before, cast(:most as integer));
