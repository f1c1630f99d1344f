-- name: open_suspicion$
-- Opens a case of the suspicious-activity desk from a record, with what was noticed and when.
select compliance.open_suspicion(:actor, :request, :case, cast(:stated as jsonb));

-- name: propose_suspicion$
-- Decides to report or not to; a second person agrees.
select compliance.propose_suspicion(:actor, :request, :case, :outcome, :because, cast(:seen as bigint));

-- name: second_suspicion$
-- Agrees with what was decided, or sends the case back.
select compliance.second_suspicion(:actor, :request, :case, :is_agreed, :because, cast(:seen as bigint));

-- name: file_suspicion$
-- Records the identifier under which the report was filed.
select compliance.file_suspicion(:actor, :request, :case, :reference, cast(:filed_on as date), cast(:seen as bigint));

-- name: note_suspicion$
-- Adds to the support of a case.
select compliance.note_suspicion(:actor, :request, :case, :note);

-- name: read_desk$
-- Every case, the nearest end of its clock first; the look is recorded.
select compliance.read_desk(:actor, :request);

-- name: read_suspicion$
-- One case with its sealed entries and who has looked at it; nothing for an unknown one. The look is recorded.
select compliance.read_suspicion(:actor, :request, :case);

-- name: programme_file
-- Every item of the programme that is kept, by kind and due date, with its records, the latest first.
select i.item_id, i.kind, i.title, i.owner, i.due_on, i.version,
    i.due_on < cast(clock_timestamp() at time zone 'UTC' as date) as is_overdue,
    (select coalesce(json_agg(json_build_object('record_no', r.record_no, 'done_on', r.done_on, 'done_by', r.done_by,
        'what', r.what, 'outcome', r.outcome, 'sha256', encode(r.sha256, 'hex'), 'signs', p.title, 'signs_no', r.signs_no,
        'is_of_the_policy_in_force', r.signs_no is null or r.signs_no = (select max(x.record_no)
            from compliance.programme_record x where x.item_id = r.signs_item)) order by r.record_no desc), '[]')
    from compliance.programme_record r left join compliance.programme_item p on p.item_id = r.signs_item
    where r.item_id = i.item_id) as records
from compliance.programme_item i where i.status = 'kept' order by i.kind, i.due_on, i.item_id;

-- name: plan_item$
-- Takes an item into the programme file.
select compliance.plan_item(:actor, :request, :item, cast(:stated as jsonb));

-- name: record_item$
-- Records what was done on an item.
select compliance.record_item(:actor, :request, :item, cast(:done as jsonb), cast(:seen as bigint));

-- name: assign_programme_item$
-- Names who answers for an item from now on.
select compliance.assign_programme_item(:actor, :request, :item, :owner, cast(:seen as bigint));

-- name: retire_item$
-- Takes an item out of the file for a reason.
select compliance.retire_item(:actor, :request, :item, :because, cast(:seen as bigint));

-- name: suitability_of^
-- How an investor stands with the questionnaire of an offer; nothing where none is asked or answered.
select q.offering_id, o.name, q.questionnaire_no, q.published_by, q.published_at, q.because, q.knowledge_from,
    a.questionnaire_no as answered_no, a.answered_at, a.answered_by, a.is_warned, a.status
from compliance.questionnaire_of(:offering) q join engine.offer o using (offering_id)
left join lateral (select f.questionnaire_no, f.answered_at, f.answered_by, f.is_warned, f.status from portal.suitability_fact f
    where f.offering_id = q.offering_id and f.investor_id = :investor order by f.answered_at desc limit 1) a on true;

-- name: questions_with
-- The questions that these answers lead to, and what is said to each.
select x.question_id, x.sentence, x.is_required, cast(:answers as jsonb) ->> x.question_id as answer,
    coalesce(cast(:answers as jsonb) ->> x.question_id = any (x.knowing), false) as shows_knowledge
from compliance.questions_asked(:offering, cast(:questionnaire as integer), cast(:answers as jsonb)) x order by x.place;

-- name: appropriateness$
-- What these answers say of a client's knowledge under the questionnaire in force.
select compliance.appropriateness(:offering, :investor, cast(:answers as jsonb), cast(:is_warned as boolean));

-- name: ownership_stated^
-- The statement of owners in force of an investor, and who took it into the record.
select f.investor_id, f.statement_id, f.certified_by, f.certified_at, t.taken_by, t.taken_at
from portal.ownership_fact f left join compliance.ownership_taken t using (investor_id, statement_id)
where f.investor_id = :investor and f.status = 'certified';

-- name: take_ownership$
-- Takes a statement of owners into the record; the id that each person got.
select compliance.take_ownership(:actor, :request, :investor, :statement, :because);
