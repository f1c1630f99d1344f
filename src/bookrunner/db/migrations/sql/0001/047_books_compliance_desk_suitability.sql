-- The suitability questionnaire of an offer: versions, questions that an earlier answer may skip, and whether a retail client
-- has the knowledge that the offer asks for (Directive 2014/65/EU, article 25(3)).

create table compliance.questionnaire (
    offering_id text not null,
    questionnaire_no integer not null check (questionnaire_no > 0),
    knowledge_from integer constraint knowledge_is_asked_for check (knowledge_from > 0),
    published_by text not null,
    because text not null,
    published_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, questionnaire_no)
);
call audit.append_only('compliance.questionnaire');

create table compliance.question (
    offering_id text not null,
    questionnaire_no integer not null,
    question_id text not null constraint question_has_a_plain_id check (question_id ~ '^[a-z][a-z0-9_]{0,39}$'),
    place integer not null check (place > 0),
    sentence text not null constraint question_asks_something check (sentence ~ '\S'),
    choices text[] not null,
    is_required boolean not null,
    if_question text,
    if_place integer,
    if_answers text[],
    knowing text[] not null,
    primary key (offering_id, questionnaire_no, question_id),
    unique (offering_id, questionnaire_no, question_id, place),
    constraint condition_is_on_an_earlier_question check (if_place < place),
    constraint condition_names_its_answers check ((if_question is null) = (if_place is null)
        and (if_question is null) = (if_answers is null) and coalesce(if_answers <> '{}', true)),
    constraint knowing_answers_are_choices check (knowing <@ choices),
    foreign key (offering_id, questionnaire_no) references compliance.questionnaire,
    foreign key (offering_id, questionnaire_no, if_question, if_place)
        references compliance.question (offering_id, questionnaire_no, question_id, place)
);
call audit.append_only('compliance.question');

create function compliance.questionnaire_of(p_offering text) returns compliance.questionnaire
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select * from compliance.questionnaire where offering_id = p_offering order by questionnaire_no desc limit 1;
end;

-- The questions that are asked after these answers: those without a condition, and those whose condition holds on a
-- question that is asked itself.
create function compliance.questions_asked(p_offering text, p_no integer, p_answers jsonb) returns setof compliance.question
language plpgsql stable rows 10 set search_path = pg_catalog, pg_temp as $$
declare
    q compliance.question;
    asked text[] := '{}';
begin
    for q in select x.* from compliance.question x where x.offering_id = p_offering and x.questionnaire_no = p_no order by x.place loop
        if q.if_question is null or (q.if_question = any (asked) and p_answers ->> q.if_question = any (q.if_answers)) then
            asked := asked || q.question_id;
            return next q;
        end if;
    end loop;
end $$;

-- Refuses answers that are none to the questionnaire in force, each time by the names of the questions.
create function compliance.check_answers(p_offering text, p_no integer, p_answers jsonb) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    in_force compliance.questionnaire := compliance.questionnaire_of(p_offering);
    names text;
begin
    if in_force.questionnaire_no is distinct from p_no then
        raise exception using errcode = 'BR412', constraint = 'answers_are_to_the_questionnaire_in_force',
            message = format('the questionnaire is %s now', coalesce(in_force.questionnaire_no::text, 'not asked'));
    end if;
    select string_agg(a.key, ', ' order by a.key) into names from jsonb_each(p_answers) a
    where not exists (select from compliance.questions_asked(p_offering, p_no, p_answers) q where q.question_id = a.key);
    if names is not null then
        raise exception using errcode = 'BR008', constraint = 'skipped_question_is_not_answered', message = format('not asked: %s', names);
    end if;
    select string_agg(q.question_id, ', ' order by q.place) into names from compliance.questions_asked(p_offering, p_no, p_answers) q
    where p_answers ? q.question_id and (jsonb_typeof(p_answers -> q.question_id) <> 'string'
        or (q.choices <> '{}' and not p_answers ->> q.question_id = any (q.choices)) or length(p_answers ->> q.question_id) > 1000);
    if names is not null then
        raise exception using errcode = 'BR008', constraint = 'answer_is_one_of_the_choices', message = format('not an answer to: %s', names);
    end if;
    select string_agg(q.question_id, ', ' order by q.place) into names from compliance.questions_asked(p_offering, p_no, p_answers) q
    where q.is_required and coalesce(p_answers ->> q.question_id, '') !~ '\S';
    if names is not null then
        raise exception using errcode = 'BR008', constraint = 'required_question_is_answered', message = format('not answered: %s', names);
    end if;
end $$;

-- What the answers say of a client's knowledge: not_asked, not_needed (no retail client), appropriate, warned, warning_is_due.
create function compliance.appropriateness(p_offering text, p_investor text, p_answers jsonb, p_is_warned boolean) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    q compliance.questionnaire := compliance.questionnaire_of(p_offering);
begin
    if q.knowledge_from is null then
        return 'not_asked';
    end if;
    if (select g.category <> 'retail' and coalesce(g.valid_until > clock_timestamp(), true) from compliance.investor_category g
        where g.investor_id = p_investor and g.regime = 'mifid_ii' order by g.recorded_at desc limit 1) then
        return 'not_needed';
    end if;
    if (select count(*) from compliance.questions_asked(p_offering, q.questionnaire_no, p_answers) x
        where p_answers ->> x.question_id = any (x.knowing)) >= q.knowledge_from then
        return 'appropriate';
    end if;
    return case when p_is_warned then 'warned' else 'warning_is_due' end;
end $$;

-- Refuses a commitment of somebody who has not answered the questionnaire in force, or who is a retail client without the
-- knowledge asked for and was not warned; who answers nothing shows none.
create function compliance.judge_suitability(p_offering text, p_investor text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    q compliance.questionnaire := compliance.questionnaire_of(p_offering);
    said record;
begin
    if q.questionnaire_no is null then
        return;
    end if;
    select a.answers, a.is_warned into said from portal.suitability_claim a where a.offering_id = p_offering
        and a.investor_id = p_investor and a.questionnaire_no = q.questionnaire_no order by a.answered_at desc limit 1;
    if not found then
        perform compliance.check_answers(p_offering, q.questionnaire_no, '{}');
    end if;
    if compliance.appropriateness(p_offering, p_investor, coalesce(said.answers, '{}'), coalesce(said.is_warned, false)) = 'warning_is_due' then
        raise exception using errcode = 'BR008', constraint = 'retail_client_is_warned',
            message = 'a retail client without the knowledge asked for confirms the warning first';
    end if;
end $$;

-- An officer publishes the next version for an offer; earlier answers no longer count.
create function compliance.publish_questionnaire(p_actor text, p_request text, p_offering text, p_content jsonb, p_because text)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    number integer;
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.by_a_person(p_actor, p_because);
    perform 1 from engine.offer where offering_id = p_offering for no key update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'offer_exists', message = format('there is no offer %s', p_offering);
    end if;
    select 1 + coalesce(max(questionnaire_no), 0) into number from compliance.questionnaire where offering_id = p_offering;
    insert into compliance.questionnaire (offering_id, questionnaire_no, knowledge_from, published_by, because)
    values (p_offering, number, (p_content ->> 'knowledge_from')::integer, p_actor, p_because);
    insert into compliance.question (offering_id, questionnaire_no, question_id, place, sentence, choices, is_required,
        if_question, if_place, if_answers, knowing)
    select p_offering, number, q.c ->> 'id', q.place, q.c ->> 'sentence', array(select jsonb_array_elements_text(q.c -> 'choices')),
        coalesce((q.c ->> 'is_required')::boolean, true), q.c ->> 'if_question', coalesce(b.place, case when q.c ? 'if_question' then q.place end),
        case when q.c ? 'if_question' then array(select jsonb_array_elements_text(q.c -> 'if_answers')) end,
        array(select jsonb_array_elements_text(q.c -> 'knowing'))
    from jsonb_array_elements(p_content -> 'questions') with ordinality q (c, place)
    left join jsonb_array_elements(p_content -> 'questions') with ordinality b (c, place) on b.c ->> 'id' = q.c ->> 'if_question';
    if not exists (select from compliance.question where offering_id = p_offering and questionnaire_no = number) then
        raise exception using errcode = 'BR008', constraint = 'questionnaire_asks_something', message = 'a questionnaire has questions';
    end if;
    return number;
end $$;
