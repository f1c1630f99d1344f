-- What an investor answers to the suitability questionnaire of an offer; answers stay out of events.

create table portal.suitability (
    offering_id text not null,
    suitability_id text not null,
    investor_id text not null,
    status text not null,
    questionnaire_no integer not null,
    answers jsonb not null,
    is_warned boolean not null,
    answered_by text not null,
    answered_at timestamptz not null default clock_timestamp(),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, suitability_id)
);
create index suitability_of_investor on portal.suitability (investor_id, offering_id);
call audit.keep('portal.suitability', 'suitability', 'suitability_id', 'offering_id', '{answers}');

create view portal.suitability_claim as
select offering_id, investor_id, questionnaire_no, answers, is_warned, answered_at from portal.suitability where status = 'answered';

create view portal.suitability_fact as
select offering_id, investor_id, suitability_id, questionnaire_no, is_warned, status, answered_by, answered_at, version, chain_head
from portal.suitability;

-- Answers the questionnaire in force; a later answer counts instead of it. Who is warned has confirmed the warning.
create function portal.answer_suitability(p_actor text, p_request text, p_offering text, p_suitability text, p_investor text, p_account text,
    p_questionnaire integer, p_answers jsonb, p_is_warned boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_authority(p_investor, p_account, 'answer');
    perform engine.check_answers(p_offering, p_questionnaire, p_answers);
    perform portal.require_unerased(p_investor);
    insert into portal.suitability (offering_id, suitability_id, investor_id, status, questionnaire_no, answers, is_warned, answered_by)
    values (p_offering, p_suitability, p_investor, 'answered', p_questionnaire, p_answers, p_is_warned, p_actor);
end $$;

-- Hands out the latest answers of an investor for an offer, nothing where there are none; who looked, and why, is an event.
create function portal.view_suitability(p_actor text, p_request text, p_offering text, p_investor text, p_view text,
    p_purpose text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform portal.view_personal(p_actor, p_request, p_investor, (select p.detail_version from portal.profile p
        where p.investor_id = p_investor), p_view, p_purpose);
    return (select a.answers from portal.suitability_claim a where a.offering_id = p_offering and a.investor_id = p_investor
        order by a.answered_at desc limit 1);
end $$;
