-- What an issuer reads of the votes of its own offers: resolutions and counts, and no holder's ballot.

call issuer.keep_apart('engine.vote', 'offering_id in (select issuer.own_offers())');
grant select on engine.vote to issuer;

create view issuer.vote with (security_invoker = true) as
select v.offering_id, v.vote_id, v.status, v.resolution, encode(v.document_sha256, 'hex') as document, v.record_on, v.closes_at, v.because,
    v.result, v.status = 'open' and v.closes_at > clock_timestamp() as is_open, v.version, v.quorum_bps, v.needed_over, v.needed_of
from engine.vote v;
grant select on issuer.vote to issuer;
