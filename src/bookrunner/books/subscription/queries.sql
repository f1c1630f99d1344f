-- name: archive$
-- Keeps a document under its SHA-256 and returns it.
select subscription.archive(:actor, :request, :content, :media_type);

-- name: require_item$
-- Puts a material, risk or representation in force. A later version must be acknowledged again.
select subscription.require_item(:actor, :request, :offering, :kind, :code, cast(:version as integer), :document_sha256, :sentence);

-- name: acknowledge$
-- Records items one by one; items is a list of {id, kind, code, version}.
select subscription.acknowledge(:actor, :request, :offering, :investment, cast(:items as jsonb));

-- name: send_agreement$
-- Opens the agreement for signature; waits for the profile and compliance.
select subscription.send_agreement(:actor, :request, :offering, :agreement, :investment, cast(:units as bigint), cast(:amount_minor as bigint), :document_sha256);

-- name: sign$
-- The investor's signature, verified by the signing adapter. The proof holds capacity, intent, signed_sha256,
-- public_key and signature (hex).
select subscription.sign(:actor, :request, :offering, :agreement, cast(:proof as jsonb));

-- name: countersign$
-- The issuer's countersignature; the executed hash covers the document and the investor's signature.
select subscription.countersign(:actor, :request, :offering, :agreement, cast(:proof as jsonb));

-- name: void_agreement$
-- Void agreement.
select subscription.void_agreement(:actor, :request, :offering, :agreement, :because);

-- name: propose_allocation$
-- Propose allocation.
select subscription.propose_allocation(:actor, :request, :offering, :approval, :investment, cast(:units as bigint));

-- name: approve_allocation$
-- The second person approves exactly the units of the agreement in force.
select subscription.approve_allocation(:actor, :request, :offering, :approval);

-- name: approve_allotted$
-- Approves what a named person decided in an allotment, in that person's name.
select subscription.approve_allotted(:actor, :request, :offering, :approval);

-- name: void_for_cut$
-- After a cut of its units the agreement and the approval of an investment are void.
select subscription.void_for_cut(:actor, :request, :offering, :investment);

-- name: ask_reconfirmations$
-- Asks every investor who has committed to reconfirm after a material change.
select subscription.ask_reconfirmations(:actor, :request, :offering, :amendment);

-- name: lapse_reconfirmations$
-- What was not answered in time lapses.
select subscription.lapse_reconfirmations(:actor, :request);

-- name: investor_signatures
-- The investors' signatures on agreements, which the countersignatures cover.
select s.signature, a.document_sha256, a.agreement_id from subscription.signature s
join subscription.agreement a using (offering_id, agreement_id)
where s.offering_id = :offering and s.agreement_id = any (:agreements) and s.party = 'investor'
order by a.investment_id;

-- name: agreements_in
-- The agreements of an offer in one state.
select agreement_id, investment_id, document_sha256 from subscription.agreement
where offering_id = :offering and status = :status order by agreement_id;

-- name: proposed_allocations
-- Allocations that wait for a second person.
select approval_id, investment_id, units from subscription.allocation_approval
where offering_id = :offering and status = 'proposed' order by approval_id;

-- name: requirements
-- What an investor has to receive, acknowledge and represent now.
select kind, code, item_version from subscription.requirement_in_force where offering_id = :offering order by kind, code;

-- name: offer_document$
-- Places a document of an offer where readers of one kind see it.
select subscription.offer_document(:actor, :request, :offering, :document, :sha256, :title, :visibility);

-- name: show_document_to$
-- Shows a placed document to others than before, or withdraws it.
select subscription.show_document_to(:actor, :request, :offering, :document, :visibility);

-- name: invite$
-- Lets an investor read what invited ones may read.
select subscription.invite(:actor, :request, :offering, :investor);

-- name: readable
-- The documents of an offer that the holder of a session may read; without one, those that are public.
select document_id, title, visibility, sha256 from subscription.readable(:offering, cast(:session as bytea));

-- name: read_offered^
-- The bytes of one of them; any other is as if it did not exist.
select content, media_type from subscription.read_offered(:actor, :request, :offering, :document, cast(:session as bytea));
