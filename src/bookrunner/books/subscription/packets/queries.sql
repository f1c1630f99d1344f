-- name: draft_template$
-- Records a template version by the digest of its files; its author is the actor.
select subscription.draft_template(:actor, :request, :template, :sha256, :engine);

-- name: approve_template$
-- A second person approves exactly the files whose digest was seen.
select subscription.approve_template(:actor, :request, :template, :sha256);

-- name: retire_template$
-- Ends a template version: no packet is made from it any more.
select subscription.retire_template(:actor, :request, :template);

-- name: name_packet_form$
-- Says which approved template an offer uses from now on; issuer holds name, jurisdiction, security, contact for records
-- and paper_fee.
select subscription.name_packet_form(:actor, :request, :offering, :template, cast(:issuer as jsonb));

-- name: authorise_signatory$
-- Records an officer's authority to countersign; said holds name, capacity and authority.
select subscription.authorise_signatory(:actor, :request, :offering, :signatory, cast(:said as jsonb), :authority_sha256);

-- name: revoke_signatory$
-- Ends an officer's authority to countersign.
select subscription.revoke_signatory(:actor, :request, :offering, :signatory);

-- name: state_particular$
-- Records one particular; one that was stated before is replaced, and a packet that shows it is void.
select subscription.state_particular(:actor, :request, :offering, :particular, :investment, :kind, cast(:detail as jsonb));

-- name: submit_application$
-- The investor asks for its agreement, everything acknowledged and stated.
select subscription.submit_application(:actor, :request, :offering, :application, :investment);

-- name: return_application$
-- Returns an application of which no agreement can be made; deficiency holds id, rule and words.
select subscription.return_application(:actor, :request, :offering, :investment, cast(:deficiency as jsonb));

-- name: answer_deficiency$
-- Answers one deficiency of a returned packet.
select subscription.answer_deficiency(:actor, :request, :offering, :investment, :deficiency, :answer);

-- name: send_packet$
-- Archives a rendered packet with its data and opens it for signature.
select subscription.send_packet(:actor, :request, :offering, :agreement, :investment, cast(:packet as jsonb), :content, :data);

-- name: sign_packet$
-- One signature of the investor, verified on the bytes that are stored with it.
select subscription.sign_packet(:actor, :request, :offering, :agreement, cast(:proof as jsonb), :content);

-- name: countersign_packet$
-- The issuer's final countersignature, verified on the bytes that are stored with it.
select subscription.countersign_packet(:actor, :request, :offering, :agreement, cast(:proof as jsonb), :content);

-- name: release_packet$
-- The reviewer finds the signed file that was seen in good order.
select subscription.release_packet(:actor, :request, :offering, :review, :agreement, :seen_sha256);

-- name: return_packet$
-- Returns a packet with deficiencies, a list of {id, page, field, reason, words}.
select subscription.return_packet(:actor, :request, :offering, :review, :agreement, :seen_sha256, cast(:deficiencies as jsonb));

-- name: countersign_preview
-- What would be countersigned if the actor did it now, and why others would not; all of an offer, or the named ones.
select agreement_id, investment_id, investor_id, units, amount_minor, signed_sha256, hindrance, missing
from subscription.countersign_preview(:actor, :request, :offering, cast(:agreements as text[]));

-- name: record_envelope$
-- Says under which reference a provider of signatures carries a packet, and which officer it will ask.
select subscription.record_envelope(:actor, :request, :offering, :agreement, :provider, :ref, :signatory);

-- name: envelope^
-- The packet that a provider carries under this reference.
select offering_id, agreement_id, signatory_id from subscription.envelope where provider = :provider and ref = :ref;

-- name: open_envelopes
-- The envelopes at providers whose packets still wait for a signature.
select e.provider, e.ref from subscription.envelope e join subscription.agreement a using (offering_id, agreement_id)
where a.status in ('sent', 'investor_signed') order by e.opened_at, e.ref;

-- name: class_document$
-- Puts a document under a class of retention.
select subscription.class_document(:actor, :request, :sha256, :retention);

-- name: read_document^
-- The bytes of a document; refused when they are not what was archived.
select content, media_type from subscription.read_document(:actor, :request, :sha256);

-- name: make_link$
-- Records that a reader was given a link to a document, and until when.
select subscription.make_link(:actor, :request, :sha256, :reader, :ends_at);

-- name: follow_link^
-- The bytes behind a link that was made for the actor; the fetch is recorded.
select content, media_type from subscription.follow_link(:actor, :request, :sha256, :ends_at);

-- name: place_legal_hold$
-- Keeps one document, or everything of one investor, whatever its retention says.
select subscription.place_legal_hold(:actor, :request, :hold, cast(:sha256 as bytea), cast(:investor as text), :because);

-- name: lift_legal_hold$
-- Ends a legal hold; another person than the one who placed it.
select subscription.lift_legal_hold(:actor, :request, :hold, :because);

-- name: erase_document$
-- Erases the content of a document that no retention and no hold keeps.
select subscription.erase_document(:actor, :request, :sha256, :because);

-- name: erase_evidence$
-- Destroys what is sealed of how the signers of an agreement were known.
select subscription.erase_evidence(:actor, :request, :offering, :agreement, :because);

-- name: packet_form^
-- The template of an offer's agreements and how the issuer stands in them.
select template_id, issuer_name, jurisdiction, security, records_contact, paper_fee from subscription.packet_form_in_force
where offering_id = :offering;

-- name: acknowledged
-- The items in force that investments have acknowledged, each with its sentence, document and moment.
select a.investment_id, a.kind, a.code, a.item_version, r.sentence, r.document_sha256, e.occurred_at
from subscription.acknowledgment a
join subscription.requirement_in_force r using (offering_id, kind, code, item_version)
join audit.event e on e.scope = a.offering_id and e.subject = a.acknowledgment_id and e.version = 1
where a.offering_id = :offering and a.investment_id = any (:investments)
order by a.investment_id, a.kind, a.code;

-- name: particulars
-- What investments have stated and not replaced or withdrawn.
select investment_id, kind, detail, stated_at from subscription.particular
where offering_id = :offering and investment_id = any (:investments) and status = 'stated'
order by investment_id, kind;

-- name: packet^
-- One packet: its documents, how it was made, and what was signed so far.
select a.investment_id, a.status, a.units, a.amount_minor, a.version, a.document_sha256, a.signed_sha256, a.executed_sha256,
    a.void_because, p.template_id, p.template_sha256, p.engine_version, p.data_sha256, p.pages, p.boxes,
    (select coalesce(jsonb_object_agg(f.party, f.serial order by f.ordinal), '{}') from subscription.signed_file f
        where f.offering_id = a.offering_id and f.agreement_id = a.agreement_id) as serials,
    s.signer as issuer_signer, s.name as issuer_name, s.capacity as issuer_capacity
from subscription.agreement a
join subscription.packet p using (offering_id, agreement_id)
left join subscription.signed_file s on s.offering_id = a.offering_id and s.agreement_id = a.agreement_id and s.party = 'issuer'
where a.offering_id = :offering and a.agreement_id = :agreement;

-- name: signatory^
-- An officer whose authority to countersign stands.
select signatory_id, name, capacity, authority from subscription.signatory
where offering_id = :offering and signatory_id = :signatory and status = 'authorised';

-- name: template^
-- One template version and who stands behind it.
select template_id, sha256, engine_version, status, author, approved_by from subscription.template
where template_id = :template;

-- name: offer_of$
-- The offer of an agreement.
select offering_id from subscription.agreement where agreement_id = :agreement;

-- name: open_deficiencies
-- What an investor has to answer before it asks again for its agreement.
select deficiency_id, agreement_id, page, field, reason, words from subscription.deficiency
where offering_id = :offering and investment_id = :investment and status = 'open' order by deficiency_id;

-- name: receive_message$
-- Keeps a verified message; true when it is new.
select audit.receive_message(:provider, :message, :body, :key_id);

-- name: keep_upload$
-- Keeps an uploaded file that passed every check, under a class of retention and among the papers of an investor,
-- when it is one's, and returns its SHA-256.
select subscription.keep_upload(:actor, :request, :content, :retention, cast(:investor as text));

-- name: keep_certificate$
-- Keeps the sealed certificate of an executed packet; false when it was made before.
select subscription.keep_certificate(:actor, :request, :offering, :agreement, :content);

-- name: certificates_due
-- Executed packets whose certificate is not made yet.
select offering_id, agreement_id from subscription.certificate where status = 'due'
order by offering_id, certificate_id limit cast(:most as integer);

-- name: certificate_facts^
-- What a certificate says of an executed packet as a whole.
select a.agreement_id, a.investment_id, a.document_sha256, a.executed_sha256, p.template_id, p.template_sha256, p.pages,
    p.data_sha256, e.hash as chain_head, s.occurred_at as sent_at
from subscription.agreement a
join subscription.packet p using (offering_id, agreement_id)
join audit.event e on e.scope = a.offering_id and e.subject = a.agreement_id and e.kind = 'agreement.countersigned'
join audit.event s on s.scope = a.offering_id and s.subject = a.agreement_id and s.kind = 'agreement.sent'
where a.offering_id = :offering and a.agreement_id = :agreement;

-- name: signers_of
-- Who signed a packet, and how each was known; address, browser and session are sealed.
select f.party, f.sha256, f.signer, f.name, f.capacity, f.intent, f.serial, f.verdict, f.signed_at, v.method,
    v.authenticated_at, v.wrapped, v.sealed, g.authority
from subscription.signed_file f join subscription.signing_evidence v using (offering_id, agreement_id, party)
left join subscription.signatory g on g.offering_id = f.offering_id and g.signatory_id = f.signer
where f.offering_id = :offering and f.agreement_id = :agreement order by f.ordinal;

-- name: happenings
-- The events of an agreement, of its review and of what it is made from, in their order.
select e.kind, e.occurred_at, e.actor from audit.event e
where e.scope = :offering and e.subject in (select cast(:agreement as text) union all
    select r.review_id from subscription.review r where r.offering_id = :offering and r.agreement_id = :agreement)
order by e.occurred_at, e.version;

-- name: certificate^
-- The certificate of an executed packet.
select status, sha256 from subscription.certificate where offering_id = :offering and agreement_id = :agreement;

-- name: check_documents$
-- Compares the next documents with their hashes and returns the last hash, or null at the end of the archive.
select subscription.check_documents(:actor, :request, :after, cast(:most as integer));

-- name: check_document$
-- Records what a read of one document has found.
select subscription.check_document(:actor, :request, :sha256);

-- name: closing_record^
-- The record of a certified closing, and its offer.
select c.offering_id, c.closing_id, c.canonical, c.sha256, c.issued_at, o.name, o.currency
from engine.certificate c join engine.offer o using (offering_id)
where c.offering_id = :offering and c.closing_id = :closing;

-- name: keep_closing_sheet$
-- Keeps the sealed sheet of a closing; false when it was made before.
select subscription.keep_closing_sheet(:actor, :request, :offering, :closing, :content);

-- name: closing_sheet$
-- The SHA-256 of the sheet of a closing.
select sha256 from subscription.closing_sheet where offering_id = :offering and closing_id = :closing;
