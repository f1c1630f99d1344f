-- Refused to the book's own login with every right. Each head: step of the story, constraint, sentence; AGREEMENT
-- stands for the packet, and subscription.kept holds the hash of a longer file that begins with the signed one.

-- sent | signed_packet_has_its_file | an agreement signed without a file
update subscription.agreement set status = 'investor_signed' where agreement_id = 'AGREEMENT';

-- sent | agreement_has_the_form_of_its_offer | a canonical agreement on an offer that takes packets
update subscription.agreement set status = 'voided', void_because = 'x' where agreement_id = 'AGREEMENT';
select subscription.send_agreement('u', 'r', offering_id, 'agr_x', investment_id, units, amount_minor, document_sha256)
    from subscription.agreement
    where agreement_id = 'AGREEMENT';

-- released | executed_packet_has_its_verified_file | an executed agreement without a file
update subscription.agreement set status = 'countersigned', executed_sha256 = document_sha256
    where agreement_id = 'AGREEMENT';

-- sent | signed_file_continues_the_file_before_it | a signed file that is the rendered one
insert into subscription.signed_file
    select a.offering_id, a.agreement_id, 'investor', a.document_sha256, 'x', 'x', 'x', 'x', '1',
    jsonb_build_object('sha256', encode(a.document_sha256, 'hex'), 'failures', '[]'::jsonb), 'x', now()
    from subscription.agreement a
    where a.agreement_id = 'AGREEMENT';

-- released | verdict_is_on_the_stored_bytes | a verdict on other bytes
insert into subscription.signed_file
    select a.offering_id, a.agreement_id, 'issuer', k.sha256, 'x', 'x', 'x', 'x', '1',
    '{"sha256": "00", "failures": []}', 'x', now() from subscription.agreement a, subscription.kept k
    where a.agreement_id = 'AGREEMENT';

-- released | verdict_has_no_failure | a verdict with a failure
insert into subscription.signed_file
    select a.offering_id, a.agreement_id, 'issuer', k.sha256, 'x', 'x', 'x', 'x', '1',
    jsonb_build_object('sha256', encode(k.sha256, 'hex'), 'failures', '[1]'::jsonb), 'x', now()
    from subscription.agreement a, subscription.kept k
    where a.agreement_id = 'AGREEMENT';

-- released | history_is_append_only | a signed file replaced
update subscription.signed_file set serial = '2' where agreement_id = 'AGREEMENT';

-- released | archived_document_is_written_once | archived bytes replaced
update subscription.document set content = 'x'
    where sha256 in (select document_sha256 from subscription.agreement where agreement_id = 'AGREEMENT');

-- released | archived_document_is_written_once | archived bytes deleted
delete from subscription.document;

-- released | retention_has_ended | signed bytes erased before their time
update subscription.document set content = null, erased_because = 'x'
    where sha256 in (select sha256 from subscription.signed_file where agreement_id = 'AGREEMENT');

-- released | erased_document_has_a_class_of_retention | bytes without a class of retention erased
update subscription.document set content = null, erased_because = 'x'
    where sha256 in (select data_sha256 from subscription.packet where agreement_id = 'AGREEMENT');

-- sent | template_version_is_unchangeable | an approved template with other files
update subscription.template set sha256 = sha256('x'), status = 'retired';

-- sent | template_is_approved | a packet of a template that is not approved
insert into subscription.packet
    select offering_id, 'agr_x', application_id, template_id, sha256('x'), engine_version, data_sha256, reference,
    offer_version, profile_version, pages, boxes
    from subscription.packet
    where agreement_id = 'AGREEMENT';

-- released | packet_is_reviewed_once | a second review of one packet
insert into subscription.review (offering_id, review_id, agreement_id, status, reviewer, signed_sha256)
    select offering_id, 'rvw_x', agreement_id, 'released', 'x', signed_sha256 from subscription.review
    where agreement_id = 'AGREEMENT';

-- sent | transition_is_listed_for_the_keeper | a particular edited in place
update subscription.particular set detail = '{"form": "W-9"}', detail_sha256 = sha256('x') where status = 'stated';

-- sent | template_approver_is_not_its_author | a template approved by its author
insert into subscription.template (template_id, sha256, engine_version, author, status)
    values ('a/1.0.0', sha256('x'), '1', 'cora', 'draft');
update subscription.template set status = 'approved', approved_by = 'cora' where template_id = 'a/1.0.0';

-- sent | approved_template_names_its_approver | a template approved by nobody
insert into subscription.template (template_id, sha256, engine_version, author, status)
    values ('a/1.0.0', sha256('x'), '1', 'cora', 'draft');
update subscription.template set status = 'approved' where template_id = 'a/1.0.0';

-- sent | legal_hold_is_lifted_by_another_person | a legal hold lifted by the person who placed it
insert into subscription.legal_hold (hold_id, investor_id, status, because, placed_by)
    values ('lgh_1', 'ivr_1', 'placed', 'x', 'ann');
update subscription.legal_hold set status = 'lifted', lifted_by = 'ann', lifted_because = 'x' where hold_id = 'lgh_1';

-- sent | legal_hold_is_on_one_thing | a legal hold on nothing
insert into subscription.legal_hold (hold_id, status, because, placed_by) values ('lgh_1', 'placed', 'x', 'ann');

-- signed | packet_is_in_good_order | an execution before the review
EXECUTED issuer.iris

-- released | reviewer_does_not_countersign | an execution by the reviewer
EXECUTED desk.rosa

-- released | signatory_has_recorded_authority | an execution by somebody without authority
EXECUTED issuer.nobody

-- revoked | gate_is_open | an execution after the clearance was withdrawn
EXECUTED issuer.iris

-- suspended | signing_waits_for_clearance | a signature after the clearance was withdrawn
update subscription.agreement set status = 'investor_signed' where agreement_id = 'AGREEMENT';

-- sent | deficiency_is_of_a_page_unless_none_was_made | a deficiency of a packet that names no page
insert into subscription.deficiency (offering_id, deficiency_id, agreement_id, investment_id, status, field, reason, words)
    select offering_id, 'dfc_x', agreement_id, investment_id, 'open', 'tax', 'missing', 'x' from subscription.agreement
    where agreement_id = 'AGREEMENT';

-- sent | damaged_document_is_named_once | damage of one document recorded twice
insert into subscription.damage (damage_id, sha256, found_sha256, status)
    select 'dmg_' || n, document_sha256, '\x00', 'found' from subscription.agreement, generate_series(1, 2) n
    where agreement_id = 'AGREEMENT';

-- sent | executed_packet_has_one_certificate | two certificates of one packet
insert into subscription.certificate (offering_id, certificate_id, agreement_id, status)
    select offering_id, 'crt_' || n, agreement_id, 'due' from subscription.agreement, generate_series(1, 2) n
    where agreement_id = 'AGREEMENT';

-- sent | made_certificate_has_its_file | a certificate that is made without a file
insert into subscription.certificate (offering_id, certificate_id, agreement_id, status)
    select offering_id, 'crt_x', agreement_id, 'due' from subscription.agreement where agreement_id = 'AGREEMENT';
update subscription.certificate set status = 'made' where certificate_id = 'crt_x';

-- signed | signing_evidence_is_unchangeable | how a signer was known written anew
update subscription.signing_evidence set method = 'x' where agreement_id = 'AGREEMENT';

-- signed | signing_evidence_is_unchangeable | where a signer signed sealed anew
update subscription.signing_evidence set wrapped = 'x', sealed = 'x' where agreement_id = 'AGREEMENT';

-- signed | retention_has_ended | how a signer was known erased before its time
update subscription.signing_evidence set status = 'erased', wrapped = null, sealed = null, erased_because = 'x'
    where agreement_id = 'AGREEMENT';

-- signed | records_are_never_deleted | how a signer was known deleted
delete from subscription.signing_evidence where agreement_id = 'AGREEMENT';

-- signed | authentication_names_its_method | a signer known by no method
insert into subscription.signing_evidence (offering_id, evidence_id, agreement_id, party, status, method, wrapped, sealed)
    select offering_id, 'sev_x', agreement_id, 'issuer', 'kept', ' ', '', '' from subscription.agreement where agreement_id = 'AGREEMENT';

-- signed by one of two | every_signer_has_signed | a packet signed by one of its two signers
update subscription.agreement set status = 'investor_signed' where agreement_id = 'AGREEMENT';

-- signed by one of two | signed_packet_has_its_file | the hash of a file that nobody signed
update subscription.agreement set signed_sha256 = document_sha256 where agreement_id = 'AGREEMENT';

-- signed by one of two | issuer_signs_last | the issuer before the last signer
insert into subscription.signed_file
    select offering_id, agreement_id, 'issuer', sha256, 'x', 'x', 'x', 'x', '1', verdict, 'x', now()
    from subscription.signed_file where agreement_id = 'AGREEMENT';

-- signed by one of two | signer_is_a_party_of_the_packet | a third signature on a packet of two signers
insert into subscription.signed_file
    select offering_id, agreement_id, 'investor_3', sha256, 'x', 'x', 'x', 'x', '1', verdict, 'x', now()
    from subscription.signed_file where agreement_id = 'AGREEMENT';

-- signed by one of two | signed_file_continues_the_file_before_it | a second signature without the first
insert into subscription.signed_file
    select offering_id, agreement_id, 'investor_2', sha256, 'x', 'x', 'x', 'x', '1', verdict, 'x', now()
    from subscription.signed_file where agreement_id = 'AGREEMENT';

-- sent | signer_is_a_party_of_the_packet | a second signer of a packet of two parties
insert into subscription.signed_file
    select offering_id, agreement_id, 'investor_2', document_sha256, 'x', 'x', 'x', 'x', '1', '{}', 'x', now()
    from subscription.agreement where agreement_id = 'AGREEMENT';

-- sent | consent_follows_an_opened_sample | a consent of a sample whose code nobody entered
update subscription.particular set status = 'withdrawn' where kind = 'records_consent'
    and investment_id = (select investment_id from subscription.agreement where agreement_id = 'AGREEMENT');
select subscription.issue_sample('u', 'r', offering_id, investment_id, 'csm_x', 'consent_sample/1.0.0', 1, 1, 'text', sha256('code'))
    from subscription.agreement where agreement_id = 'AGREEMENT';
select subscription.state_particular('u', 'r', s.offering_id, 'prt_x', s.investment_id, 'records_consent', jsonb_build_object(
    'version', 1, 'sha256', encode(s.statement_sha256, 'hex'), 'format_opened_at', '2026-01-01T00:00:00Z', 'sample', s.sample_id))
    from subscription.consent_sample s where s.sample_id = 'csm_x';

-- sent | each_sample_serves_one_consent | a consent of a sample that served another
update subscription.particular set status = 'withdrawn' where kind = 'records_consent'
    and investment_id = (select investment_id from subscription.agreement where agreement_id = 'AGREEMENT');
insert into subscription.particular (offering_id, particular_id, investment_id, kind, status, detail, detail_sha256, stated_by)
    select p.offering_id, 'prt_x', p.investment_id, p.kind, 'stated', p.detail, p.detail_sha256, 'x'
    from subscription.particular p join subscription.agreement a using (offering_id, investment_id)
    where a.agreement_id = 'AGREEMENT' and p.kind = 'records_consent';

-- sent | confirmed_sample_has_its_moment | a sample confirmed at no moment
select subscription.issue_sample('u', 'r', offering_id, investment_id, 'csm_x', 'consent_sample/1.0.0', 1, 1, 'text', sha256('code'))
    from subscription.agreement where agreement_id = 'AGREEMENT';
update subscription.consent_sample set status = 'confirmed' where sample_id = 'csm_x';

-- sent | sample_code_is_tried_five_times | a sixth try of a code
select subscription.issue_sample('u', 'r', offering_id, investment_id, 'csm_x', 'consent_sample/1.0.0', 1, 1, 'text', sha256('code'))
    from subscription.agreement where agreement_id = 'AGREEMENT';
update subscription.consent_sample set tries = 6 where sample_id = 'csm_x';

-- sent | consent_sample_is_unchangeable | the count of tries set back
update subscription.consent_sample set tries = 0, status = 'replaced' where status = 'confirmed';

-- sent | consent_sample_is_unchangeable | another form for a sample
update subscription.consent_sample set form_ordinal = 2, status = 'replaced' where status = 'confirmed';

-- sent | consent_sample_is_unchangeable | another code for a sample
update subscription.consent_sample set code_mac = sha256('x'), status = 'replaced' where status = 'confirmed';

-- sent | one_consent_sample_is_open | two samples that wait for their codes
insert into subscription.consent_sample (offering_id, sample_id, investment_id, ordinal, status, template_id, item_version,
    form_ordinal, statement_sha256, code_mac)
    select s.offering_id, 'csm_' || n, s.investment_id, n, 'issued', s.template_id, 1, 1, s.statement_sha256, s.code_mac
    from subscription.consent_sample s join subscription.agreement a using (offering_id, investment_id), generate_series(2, 3) n
    where a.agreement_id = 'AGREEMENT';

-- sent | signing_rests_on_records_consent | a signature after the consent was withdrawn
update subscription.particular set status = 'withdrawn' where kind = 'records_consent'
    and investment_id = (select investment_id from subscription.agreement where agreement_id = 'AGREEMENT');
insert into subscription.signed_file
    select offering_id, agreement_id, 'investor', document_sha256, 'x', 'x', 'x', 'x', '1', '{}', 'x', now()
    from subscription.agreement where agreement_id = 'AGREEMENT';

-- sent | sent_paper_says_by_whom_and_how | a record sent on paper by nobody
select subscription.deliver_on_paper(offering_id, investment_id, document_sha256) from subscription.agreement
    where agreement_id = 'AGREEMENT';
update subscription.paper_delivery set status = 'sent' where status = 'due';

-- sent | each_record_goes_on_paper_once | a record that goes on paper twice
insert into subscription.paper_delivery (offering_id, delivery_id, investment_id, sha256, status)
    select offering_id, 'ppr_' || n, investment_id, document_sha256, 'due' from subscription.agreement, generate_series(1, 2) n
    where agreement_id = 'AGREEMENT';
