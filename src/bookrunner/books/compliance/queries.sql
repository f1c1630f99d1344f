-- name: open_clearance$
-- Opens the clearance of an investor for an offer and computes it.
select compliance.open_clearance(:actor, :request, :offering, :clearance, :investor);

-- name: open_case$
-- Open case.
select compliance.open_case(:actor, :request, :investor, :case, :kind);

-- name: hear_identity$
-- Records what the identity provider found, or keeps it as a discrepancy where an officer has refused the case.
-- Outcome is approved, declined or in_review. The verified digest names the very version of the profile.
select compliance.hear_identity(:actor, :request, :investor, :outcome, :evidence_sha256, :verified_digest, cast(:valid_until as timestamp with time zone), :discrepancy);

-- name: note_report$
-- Keeps what a provider said; false where it is older than what it has said, or the same.
select compliance.note_report(:actor, :request, :investor, cast(:report as jsonb));

-- name: declare_owner$
-- Names an owner behind an entity. Without evidence of who it is, the owner stands as unidentified.
select compliance.declare_owner(:actor, :request, :investor, :owner, cast(:share_bp as integer), :controls, :is_identified);

-- name: verify_owner$
-- Verify owner.
select compliance.verify_owner(:actor, :request, :investor, :owner, :evidence_sha256, cast(:seen as bigint));

-- name: record_accreditation$
-- Record accreditation.
select compliance.record_accreditation(:actor, :request, :investor, :accreditation, :method, :evidence_sha256, cast(:valid_until as timestamp with time zone));

-- name: decide_hit$
-- Decides an open hit: no_match, confirmed or escalated; where it weighs, a second person agrees.
select compliance.decide_hit(:actor, :request, :subject, :hit, :decision, :because, cast(:seen as bigint));

-- name: second_hit$
-- The second person agrees with a proposal, or sends the hit back.
select compliance.second_hit(:actor, :request, :subject, :hit, :is_agreed, :because, cast(:seen as bigint));

-- name: propose_release$
-- Proposes to end a block by a licence or a delisting that is on file; a second person agrees.
select compliance.propose_release(:actor, :request, :subject, :hit, :evidence_sha256, :because, cast(:seen as bigint));

-- name: file_report$
-- Records that a sanctions report was filed, with its proof.
select compliance.file_report(:actor, :request, :subject, :report, :filed_sha256, cast(:seen as bigint));

-- name: report_subject$
-- The subject of a sanctions report about an investor.
select r.subject_id from compliance.sanctions_report r where r.investor_id = :investor and r.report_id = :report;

-- name: view_hit$
-- What made the score of a hit, with the names that were compared; the view itself is an event.
select compliance.view_hit(:actor, :request, :subject, :hit, :view, :purpose);

-- name: decide_discrepancy$
-- Explains a discrepancy, or upholds it.
select compliance.decide_discrepancy(:actor, :request, :investor, :discrepancy, :is_resolved, :because, cast(:seen as bigint));

-- name: add_evidence$
-- Puts evidence of an accreditation on record; the file is named by its digest.
select compliance.add_evidence(:actor, :request, :investor, :kind, :sha256);

-- name: approve_accreditation$
-- Approves by a listed method whose evidence is on file.
select compliance.approve_accreditation(:actor, :request, :investor, :method, cast(:valid_until as timestamp with time zone), cast(:seen as bigint), :because);

-- name: move_accreditation$
-- Asks for more evidence, takes up again, declines or ends an accreditation.
select compliance.move_accreditation(:actor, :request, :investor, :status, :because, cast(:seen as bigint));

-- name: send_notice$
-- Says that the investor was told of what lapses soon.
select compliance.send_notice(:actor, :request, :investor, :about, :subject, :stage);

-- name: record_category$
-- Records the category of an investor under the rules of the European Union, by its paper.
select compliance.record_category(:actor, :request, :investor, :regime, :category, :evidence_sha256, cast(:valid_until as timestamp with time zone));

-- name: complete_review$
-- An officer has looked at the whole file again; the next review is counted from now.
select compliance.complete_review(:actor, :request, :investor, :because, cast(:seen as bigint));

-- name: complete_diligence$
-- Puts the findings of enhanced due diligence on file; a second officer decides on them.
select compliance.complete_diligence(:actor, :request, :investor, :diligence, :findings_sha256, cast(:seen as bigint));

-- name: decide_diligence$
-- A second officer approves the findings, or sends them back.
select compliance.decide_diligence(:actor, :request, :investor, :diligence, :is_approved, :because, cast(:seen as bigint));

-- name: verify_identity$
-- An officer verifies an identity from documents or other sources.
select compliance.verify_identity(:actor, :request, :investor, cast(:seen as bigint), cast(:verification as jsonb));

-- name: decline_case$
-- An officer declines an identity.
select compliance.decline_case(:actor, :request, :investor, cast(:seen as bigint), :because);

-- name: take_item$
-- Puts a piece of work into the hands of the actor.
select compliance.take_item(:actor, :request, :scope, :item);

-- name: give_back_item$
-- Gives a piece of work back.
select compliance.give_back_item(:actor, :request, :scope, :item);

-- name: import_list$
-- Records a list as imported; false when this very list is known.
select compliance.import_list(:actor, :request, :source, :list_version, :sha256, cast(:published_on as date), cast(:entry_count as integer), :parser_version, cast(:covers as text[]));

-- name: activate_list$
-- Puts an imported list in force and opens the screening of everybody against the difference.
select compliance.activate_list(:actor, :request, :source, :list_version, :because);

-- name: verify_again$
-- Takes an identity back into review and its screenings up again after a change of what was verified.
select compliance.verify_again(:actor, :request, :investor, cast(:touched as text[]));

-- name: expire_due$
-- Closes what has lapsed and opens the notices that are due; returns how many closed.
select compliance.expire_due(:actor, :request);

-- name: open_requirements
-- What the kinds and forms of investors need and is not on file.
select i.investor_id, r.what, r.code, r.needed, r.missing, r.sentence
from unnest(cast(:investors as text[])) as i (investor_id), compliance.open_requirements(i.investor_id) r;

-- name: record_party$
-- Names a person beside an investor; a representative comes with the document and the scope of the authority.
select compliance.record_party(:actor, :request, :investor, :party, :role, cast(:authority as jsonb));

-- name: verify_party$
-- Records that the identity of a person beside an investor is verified.
select compliance.verify_party(:actor, :request, :investor, :party, :evidence_sha256, cast(:seen as bigint));

-- name: file_document$
-- Files a paper about an investor.
select compliance.file_document(:actor, :request, :investor, :document, :code, :sha256, cast(:issued_on as date), cast(:valid_until as timestamp with time zone));

-- name: obtain_key$
-- The wrapped data key of an investor's files; the given one is kept when there was none.
select compliance.obtain_key(:actor, :request, :investor, :key, :wrapped);

-- name: keep_file$
-- Keeps a sealed file under the digest of its content.
select compliance.keep_file(:actor, :request, :investor, :sha256, :sealed);

-- name: erase_files$
-- Erases what this book knows of an investor, and of everybody who is here for this investor alone.
select compliance.erase_files(:actor, :request, :investor, :because);

-- name: view_file^
-- A sealed file and its wrapped key; the view itself is an event.
select wrapped, sealed from compliance.view_file(:actor, :request, :investor, :sha256, :view, :purpose);

-- name: keep_list_file$
-- Keeps a file of an imported list as it was published.
select compliance.keep_list_file(:actor, :request, :source, :list_version, :file_name, :content);

-- name: refuse_list$
-- Keeps the digest of a file that was refused as a list, with the rule that it broke.
select compliance.refuse_list(:actor, :request, :sha256, :file_name, :rule, :detail);

-- name: refused_lists
-- Files that were refused as lists, the newest first.
select sha256, file_name, rule, detail, refused_at from compliance.refused_list order by refused_at desc;

-- name: confirm_list$
-- Says that the publisher still has the list in force.
select compliance.confirm_list(:actor, :request, :source);

-- name: lists_in_force
-- Each list in force with its age and what waits for it.
select source, list_version, published_on, entry_count, covers, checked_at, too_old_at, waiting, due_at
from compliance.list_status order by source;

-- name: list_of
-- One version of a list.
select source, list_version, status, published_on from compliance.watchlist
where source = :source and list_version = :list_version;

-- name: list_files
-- The files of one version of a list.
select file_name, content from compliance.watchlist_file
where source = :source and list_version = :list_version order by file_name;

-- name: record_particulars$
-- Records what a person or entity is screened by; false when nothing changed.
select compliance.record_particulars(:actor, :request, :subject, :kind, :digest, :sealed);

-- name: concern_investor$
-- Ties a payer, signer or wallet to an investor.
select compliance.concern_investor(:actor, :request, :subject, :investor, :role);

-- name: enlist_subjects$
-- Opens the screening of subjects against every list in force.
select compliance.enlist_subjects(:actor, :request, cast(:subjects as text[]), :made_for);

-- name: enlist_for_issuance$
-- Opens the screening of everybody behind an issuance; until they are answered the gates are closed.
select compliance.enlist_for_issuance(:actor, :request, cast(:investors as text[]));

-- name: enlist_for_payment$
-- Opens the screening of everybody on whom payees rest.
select compliance.enlist_for_payment(:actor, :request, cast(:investors as text[]));

-- name: await_screeners$
-- Waits until whoever screens these investors now has recorded the answers or has given up.
select compliance.await_screeners(:actor, :request, cast(:investors as text[]));

-- name: unanswered
-- The investors on whom somebody rests who still waits for a screening.
select distinct w.investor_id from compliance.waits_behind(cast(:investors as text[])) w order by 1;

-- name: enlist_aged$
-- Opens the screening of those whose last one lapses soon; returns how many.
select compliance.enlist_aged(:actor, :request, :matcher_version);

-- name: claim_rescreening
-- Takes known subjects that wait for a list in force.
select subject_id, list_version, from_version
from compliance.claim_rescreening(:actor, :request, :source, cast(:most as integer));

-- name: claimed_subjects
-- What claimed subjects are screened by, and from which scores on they alert.
select subject_id, made_for, person_bp, other_bp, profile_kind, legal_name, country, detail_version,
    birth_date_blind, kind, digest, sealed, wrapped
from compliance.claimed_subjects(:actor, :request, cast(:subjects as text[]));

-- name: record_results$
-- Records screenings with everything that makes them repeatable.
select compliance.record_results(:actor, :request, cast(:results as jsonb));

-- name: record_unchanged$
-- Closes the work of subjects against whom the changed entries scored nothing.
select compliance.record_unchanged(:actor, :request, :source, :list_version, :matcher_version, cast(:subjects as text[]));

-- name: propose_screening_policy$
-- Proposes from which scores on an offer's investors alert, and how fresh their screenings must be.
select compliance.propose_screening_policy(:actor, :request, :offering, :change, cast(:policy as jsonb), :because);

-- name: decide_screening_policy$
-- Lets a second person adopt or decline a proposed policy.
select compliance.decide_screening_policy(:actor, :request, :offering, :change, cast(:is_adopted as boolean), :because, cast(:seen as bigint));

-- name: proposed_policies
-- The proposed policies of an offer that wait for a second person.
select c.change_id, c.policy, c.proposed_by, c.because, c.version from compliance.screening_policy_change c
where c.offering_id = :offering and c.status = 'proposed' order by c.change_id;

-- name: profile_signers
-- The person whom a profile names as its representative.
select investor_id, representative from portal.profile_claim
where investor_id = any (cast(:investors as text[])) and representative ~ '[[:alpha:]]' order by investor_id;

-- name: screening_work^
-- How many cases and reports wait for a person, and when the first report is due.
select (select count(*) from compliance.hit where status in ('open', 'escalated', 'proposed', 'release_proposed')) as open_hits,
    (select count(*) from compliance.sanctions_report where status = 'due') as reports_due,
    (select min(due_on) from compliance.sanctions_report where status = 'due') as first_due_on;

-- name: decide_under$
-- Begins the transaction of a decision under the programme that the officer saw.
select compliance.decide_under(:actor, :request, :programme);

-- name: programme_in_force$
-- The version of the programme that decisions are made under now.
select compliance.programme_in_force();

-- name: state_purpose$
-- Says what the relationship behind a clearance is for.
select compliance.state_purpose(:actor, :request, :offering, :investor, :purpose, cast(:seen as bigint));

-- name: record_sophistication$
-- States what the belief rests on that a purchaser who is not accredited can judge an offer.
select compliance.record_sophistication(:actor, :request, :offering, :investor, cast(:statement as jsonb), :because);

-- name: set_look_through$
-- Says whether an offer wants to know who is behind each unit that a nominee holds.
select compliance.set_look_through(:actor, :request, :offering, :is_required, :because);

-- name: set_country_rule$
-- Says where the investors of an offer may live: in these countries alone, or in any but these.
select compliance.set_country_rule(:actor, :request, :offering, :kind, cast(:countries as text[]), :because);

-- name: state_holders$
-- States who is behind each unit of a nominee, by a paper on file.
select compliance.state_holders(:actor, :request, :offering, :investor, :document, cast(:holders as jsonb));
