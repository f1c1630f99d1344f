-- name: execute
-- Claims an execution over the longer file.
insert into subscription.signed_file (offering_id, agreement_id, party, sha256, signer, name, capacity, intent, serial,
    verdict, recorded_by)
select a.offering_id, a.agreement_id, 'issuer', k.sha256, 'SIGNER', 'x', 'x', 'x', '1',
    jsonb_build_object('sha256', encode(k.sha256, 'hex'), 'failures', '[]'::jsonb), 'x'
from subscription.agreement a, subscription.kept k where a.agreement_id = 'AGREEMENT';
update subscription.agreement set status = 'countersigned', executed_sha256 = kept.sha256
from subscription.kept where agreement_id = 'AGREEMENT';

-- name: longer_file
-- Archives a file that begins with the signed one and was verified by nobody.
create table subscription.kept (sha256 bytea);
grant all on subscription.kept to subscription;
with made as (
    select d.content || '\x00' as content from subscription.signed_file s join subscription.document d using (sha256)
    where s.agreement_id = 'AGREEMENT' and s.party = 'investor'),
kept as (
    insert into subscription.document (sha256, media_type, content)
    select sha256(content), 'application/pdf', content from made returning sha256)
insert into subscription.kept select sha256 from kept;

-- name: unguard!
-- What only the owner of the server can do: takes triggers and the check of the hash away.
alter table subscription.document disable trigger all, drop constraint document_check;

-- name: content$
-- The bytes of a document as they lie there.
select content from subscription.document where sha256 = :sha256;

-- name: restore!
-- Puts the bytes of a document back.
update subscription.document set content = :content where sha256 = :sha256;

-- name: guard!
-- Gives the check of the hash and the triggers back.
alter table subscription.document add constraint document_check check (sha256 = sha256(content)), enable trigger all,
    enable always trigger document_stands, enable always trigger document_stands_truncate;

-- name: damage!
-- Changes one byte of an archived file.
update subscription.document set content = overlay(content placing '\x21'::bytea from 9) where sha256 = :sha256;

-- name: read
-- Reads a document as the book does.
select content from subscription.read_document('ann', 'req_read', :sha256);

-- name: unlock!
-- Lets the retention of documents be written anew.
alter table subscription.retention disable trigger all;

-- name: past!
-- Lets the retention of one document have ended long ago.
update subscription.retention set keep_until = '2001-01-01' where sha256 = :sha256;

-- name: lock!
-- Guards the retention again.
alter table subscription.retention enable always trigger aa_append_only, enable always trigger aa_append_only_truncate;

-- name: links
-- Who may read a document by a link, who made it and how often it was followed.
select l.reader, l.made_by, count(f.link_id) from subscription.document_link l
left join subscription.document_fetch f using (link_id) where l.sha256 = :sha256 group by l.link_id order by 1;

-- name: events$
-- Every event of an offer, one list of texts.
select array_agg(canonical order by recorded_at) from audit.event where scope = :scope;
