-- name: fan_out$
-- Makes the messages of the next part of the feed; returns for how many endpoints.
select api.fan_out_webhooks(cast(:most as integer));

-- name: take
-- Takes messages that are due, with all that sending them needs.
select * from api.take_webhooks(:now, cast(:most as integer), cast(:each as integer));

-- name: record$
-- Records one try and returns where the message stands.
select api.record_webhook(:actor, :request, :now, :delivery, cast(:attempt as jsonb));
