-- Requests of institutions before they are allocations: asked, scored once, entered by rule or after an officer's decision.

create table engine.intake (
    offering_id text not null references engine.offer,
    intake_id text not null,
    entity_id text not null,
    status text not null,
    tranche text not null constraint tranche_is_a_short_name check (tranche ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
    amount_minor bigint not null constraint allocation_is_at_least_100_000 check (amount_minor >= 10000000)
        constraint allocation_is_at_most_50_000_000 check (amount_minor <= 5000000000),
    currency text not null constraint allocation_is_in_us_dollars check (currency = 'USD'),
    statement text not null constraint statement_is_at_most_4000_characters check (length(statement) <= 4000),
    request_key text not null,
    body_sha256 bytea not null check (octet_length(body_sha256) = 32),
    asked_by text not null,
    asked_at timestamptz not null default clock_timestamp(),
    attempt integer not null check (attempt > 0),
    leased_until timestamptz not null,
    facts jsonb not null,
    inputs_sha256 bytea not null check (octet_length(inputs_sha256) = 32),
    failed_rule text,
    score integer check (score between 0 and 100),
    parts jsonb,
    advised_tier text check (advised_tier in ('fast_track', 'manual_review')),
    reasons text[],
    facts_used text[],
    has_instructions boolean,
    model text,
    prompt_version text,
    scored_at timestamptz,
    rules_met text[],
    decided_by text,
    decided_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, intake_id),
    constraint request_key_serves_one_intake unique (offering_id, entity_id, request_key),
    constraint score_is_whole check ((status in ('asked', 'unscored')) = (score is null) and num_nulls(score, parts, advised_tier,
        reasons, facts_used, has_instructions, model, prompt_version, scored_at, rules_met) in (0, 10)),
    constraint unscored_intake_says_why check ((status = 'unscored') <= (failed_rule is not null)),
    constraint fast_track_meets_no_rule check (status <> 'fast_tracked' or rules_met = '{}'),
    constraint decided_intake_names_actor_and_reason check ((status in ('approved', 'declined')) = (decided_by is not null)
        and (status in ('approved', 'declined')) = coalesce(decided_because ~ '\S', false)),
    constraint asker_does_not_decide check (audit.person_of(decided_by) <> audit.person_of(asked_by))
);
create unique index one_open_intake_per_entity_and_tranche on engine.intake (offering_id, entity_id, tranche)
    where status in ('asked', 'in_review');
create index intake_of_request on engine.intake (entity_id, request_key);

-- The entity's words and what a scorer made of them stand beside the chain, which holds their digest with the inputs.
call audit.keep('engine.intake', 'intake', 'intake_id', 'offering_id', '{statement,reasons,decided_because}');

-- The rules are met anew by what the books say at the moment of the score, whoever writes.
create function engine.intake_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and (old.statement <> new.statement or old.reasons <> new.reasons) then
        if new.status <> old.status or new.statement <> '' or new.reasons <> '{}'
            or exists (select from portal.version_fact v where v.investor_id = new.entity_id and v.country is not null) then
            raise exception using errcode = 'BR006', constraint = 'words_go_with_the_data_of_their_entity',
                message = format('the words of %s stand as long as the data of its entity', old.intake_id);
        end if;
    end if;
    if tg_op = 'UPDATE' and ((old.entity_id, old.tranche, old.amount_minor, old.currency, old.request_key, old.body_sha256,
        old.asked_by, old.asked_at) is distinct from (new.entity_id, new.tranche, new.amount_minor, new.currency,
        new.request_key, new.body_sha256, new.asked_by, new.asked_at)
        or old.score is not null and (old.score, old.parts, old.advised_tier, old.facts_used, old.has_instructions,
            old.model, old.prompt_version, old.scored_at, old.rules_met, old.facts, old.inputs_sha256)
            is distinct from (new.score, new.parts, new.advised_tier, new.facts_used, new.has_instructions,
            new.model, new.prompt_version, new.scored_at, new.rules_met, new.facts, new.inputs_sha256)) then
        raise exception using errcode = 'BR006', constraint = 'intake_is_scored_once',
            message = format('what %s asks and its score are locked', old.intake_id);
    end if;
    if tg_op = 'UPDATE' and old.status = new.status then
        return new;
    end if;
    if new.status in ('fast_tracked', 'in_review') and new.rules_met is distinct from engine.intake_rules_met(
        engine.intake_factors(new.offering_id, new.entity_id, new.intake_id, new.amount_minor, jsonb_build_object('score', new.score,
            'parts', new.parts, 'tier', new.advised_tier, 'has_instructions', new.has_instructions))) then
        raise exception using errcode = 'BR008', constraint = 'intake_goes_where_the_rules_say',
            message = format('%s meets other rules than are written', new.intake_id);
    end if;
    if new.status = 'in_review' and new.rules_met = '{}' then
        raise exception using errcode = 'BR008', constraint = 'intake_goes_where_the_rules_say',
            message = format('%s meets no rule that asks for a review', new.intake_id);
    end if;
    if new.status in ('fast_tracked', 'approved') then
        perform engine.require_cleared_institution(new.offering_id, new.entity_id);
    end if;
    return new;
end $$;

create trigger zzz_intake_stands before insert or update on engine.intake
    for each row execute function engine.intake_stands();
alter table engine.intake enable always trigger zzz_intake_stands;

-- Takes a request up for a score, or says that it is known: {intake, is_fresh, attempt, facts}. The same key again is the same
-- request; while a score is being asked for it is refused, and after a failure or a lapsed lease it is asked for anew.
create function engine.begin_intake(p_actor text, p_request text, p_offering text, p_intake text, p_entity text, p_body_sha256 bytea,
    p_asked jsonb, p_lease_seconds integer) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    known record;
    said jsonb;
    digest bytea;
begin
    perform audit.enter(p_actor, p_request);
    perform pg_advisory_xact_lock(hashtextextended('intake' || E'\n' || p_entity || E'\n' || p_request, 0));
    -- What an entity asks for at once is counted one after the other.
    perform pg_advisory_xact_lock(hashtextextended('intakes' || E'\n' || p_offering || E'\n' || p_entity, 0));
    select * into known from engine.intake i where i.entity_id = p_entity and i.request_key = p_request for update;
    if known.body_sha256 <> p_body_sha256 then
        raise exception using errcode = 'BR422', constraint = 'request_key_has_one_body',
            message = format('the key %s was used with another body', p_request);
    end if;
    if known.status not in ('asked', 'unscored') then
        return jsonb_build_object('intake', known.intake_id, 'is_fresh', false);
    end if;
    if known.status = 'asked' and known.leased_until > clock_timestamp() then
        raise exception using errcode = 'BR423', constraint = 'request_has_come_to_its_end',
            message = format('the key %s belongs to a request that still runs', p_request);
    end if;
    perform engine.require_asking(p_offering, p_entity, p_asked ->> 'tranche');
    said := engine.intake_facts(p_offering, p_entity) || jsonb_build_object('tranche', p_asked ->> 'tranche',
        'amount_usd', to_char((p_asked ->> 'amount_minor')::numeric / 100, 'FM999999999990.00'));
    digest := sha256(convert_to(audit.canonical(said || jsonb_build_object('statement', p_asked ->> 'sent')), 'UTF8'));
    -- What a crash left being asked for makes room once its lease has lapsed.
    update engine.intake set status = 'unscored', failed_rule = 'scorer_answers'
    where offering_id = p_offering and entity_id = p_entity and tranche = p_asked ->> 'tranche' and status = 'asked'
        and leased_until <= clock_timestamp() and request_key <> p_request;
    if known.intake_id is null then
        insert into engine.intake (offering_id, intake_id, entity_id, status, tranche, amount_minor, currency, statement, request_key,
            body_sha256, asked_by, attempt, leased_until, facts, inputs_sha256)
        values (p_offering, p_intake, p_entity, 'asked', p_asked ->> 'tranche', (p_asked ->> 'amount_minor')::bigint,
            p_asked ->> 'currency', p_asked ->> 'statement', p_request, p_body_sha256, p_actor, 1,
            clock_timestamp() + make_interval(secs => p_lease_seconds), said, digest);
    else
        update engine.intake set status = 'asked', attempt = known.attempt + 1, failed_rule = null, facts = said, inputs_sha256 = digest,
            leased_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
        where offering_id = known.offering_id and intake_id = known.intake_id;
    end if;
    return jsonb_build_object('intake', coalesce(known.intake_id, p_intake), 'is_fresh', true,
        'attempt', coalesce(known.attempt, 0) + 1, 'facts', said);
end $$;

-- What can be refused before anything is asked of a scorer.
create function engine.require_asking(p_offering text, p_entity text, p_tranche text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from engine.offer o where o.offering_id = p_offering and o.status = 'published') then
        raise exception using errcode = 'BR002', constraint = 'offer_is_open_to_new_money',
            message = format('%s is not open to new money', p_offering);
    end if;
    if coalesce(engine.profile_kind(p_entity), '') not in ('entity', 'trust', 'nominee') then
        raise exception using errcode = 'BR008', constraint = 'allocation_is_for_a_known_institution',
            message = format('%s is no institution that is known here', p_entity);
    end if;
    if exists (select from engine.allocation a where a.offering_id = p_offering and a.entity_id = p_entity
        and a.tranche = p_tranche and a.status = 'pending') then
        raise exception using errcode = 'BR008', constraint = 'one_pending_request_per_entity_and_tranche',
            message = format('%s has a pending request of %s', p_entity, p_tranche);
    end if;
    if exists (select from engine.intake i where i.offering_id = p_offering and i.entity_id = p_entity and i.tranche = p_tranche
        and i.status = 'approved' and not exists (select from engine.allocation a
            where a.offering_id = p_offering and a.intake_id = i.intake_id)) then
        raise exception using errcode = 'BR008', constraint = 'approved_request_is_entered_first',
            message = format('an approved request of %s for %s is not entered yet', p_entity, p_tranche);
    end if;
end $$;

-- The attempt that a score or a failure belongs to; a later one has taken over otherwise.
create function engine.hold_intake(p_offering text, p_intake text, p_attempt integer) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.intake i where i.offering_id = p_offering and i.intake_id = p_intake and i.status = 'asked'
        and i.attempt = p_attempt for update;
    if not found then
        raise exception using errcode = 'BR412', constraint = 'score_answers_the_last_attempt',
            message = format('%s was asked for anew', p_intake);
    end if;
end $$;

-- Keeps a score and lets the rules decide: a fast track is an allocation in the same transaction.
create function engine.record_score(p_actor text, p_request text, p_offering text, p_intake text, p_attempt integer, p_score jsonb)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    i engine.intake;
    met text[];
begin
    perform audit.enter(p_actor, p_request);
    perform pg_advisory_xact_lock(hashtextextended('intakes' || E'\n' || p_offering || E'\n' || x.entity_id, 0))
    from engine.intake x where x.offering_id = p_offering and x.intake_id = p_intake;
    perform engine.hold_intake(p_offering, p_intake, p_attempt);
    select * into i from engine.intake x where x.offering_id = p_offering and x.intake_id = p_intake;
    met := engine.intake_rules_met(engine.intake_factors(p_offering, i.entity_id, p_intake, i.amount_minor, p_score));
    update engine.intake set status = case when met = '{}' then 'fast_tracked' else 'in_review' end,
        score = (p_score ->> 'score')::integer, parts = p_score -> 'parts', advised_tier = p_score ->> 'tier',
        reasons = array(select jsonb_array_elements_text(p_score -> 'reasons')),
        facts_used = array(select jsonb_array_elements_text(p_score -> 'facts_used')),
        has_instructions = (p_score ->> 'has_instructions')::boolean, model = p_score ->> 'model',
        prompt_version = p_score ->> 'prompt_version', scored_at = clock_timestamp(), rules_met = met
    where offering_id = p_offering and intake_id = p_intake;
    if met = '{}' then
        perform engine.enter_intake(p_offering, p_intake);
    end if;
end $$;

create function engine.leave_unscored(p_actor text, p_request text, p_offering text, p_intake text, p_attempt integer, p_rule text)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.hold_intake(p_offering, p_intake, p_attempt);
    update engine.intake set status = 'unscored', failed_rule = p_rule where offering_id = p_offering and intake_id = p_intake;
end $$;

-- An officer's decision on a request that the rules sent to a person, on the version that was seen.
create function engine.decide_intake(p_actor text, p_request text, p_offering text, p_intake text, p_is_approved boolean,
    p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    i record;
begin
    perform audit.enter(p_actor, p_request);
    select x.version, x.entity_id, x.tranche into i from engine.intake x
    where x.offering_id = p_offering and x.intake_id = p_intake for update;
    if i.version is null then
        raise exception using errcode = 'BR404', constraint = 'intake_exists', message = format('there is no %s in %s', p_intake, p_offering);
    end if;
    if i.version <> p_seen then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen', message = 'look again, then decide';
    end if;
    if p_is_approved then
        perform engine.require_asking(p_offering, i.entity_id, i.tranche);
    end if;
    update engine.intake set status = case when p_is_approved then 'approved' else 'declined' end, decided_by = p_actor,
        decided_because = p_because
    where offering_id = p_offering and intake_id = p_intake;
end $$;

-- Empties the words of an entity whose data is erased, and what a scorer wrote of them; the score and the digest stay.
create function engine.erase_intake_words(p_actor text, p_request text, p_entity text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    emptied integer;
begin
    perform audit.enter(p_actor, p_request);
    update engine.intake set status = 'unscored', failed_rule = 'scorer_answers'
    where entity_id = p_entity and status = 'asked' and leased_until <= clock_timestamp();
    update engine.intake set statement = '', reasons = case when reasons is not null then '{}'::text[] end
    where entity_id = p_entity and status <> 'asked' and (statement <> '' or reasons <> '{}');
    get diagnostics emptied = row_count;
    return emptied;
end $$;

-- Makes the allocation of a request that may enter; again, it changes nothing.
create function engine.enter_intake(p_offering text, p_intake text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    i record;
begin
    select * into i from engine.intake x where x.offering_id = p_offering and x.intake_id = p_intake
        and x.status in ('fast_tracked', 'approved');
    if i.intake_id is not null and not exists (select from engine.allocation a
        where a.offering_id = p_offering and a.intake_id = p_intake) then
        perform engine.enter_allocation(p_offering, 'iac_' || substr(p_intake, 5), i.entity_id, i.asked_by, jsonb_build_object(
            'tranche', i.tranche, 'amount_minor', i.amount_minor, 'currency', i.currency, 'intake', p_intake));
    end if;
end $$;

create function engine.admit_intake(p_actor text, p_request text, p_offering text, p_intake text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.enter_intake(p_offering, p_intake);
end $$;

-- Opens escrow once under a request's key, and stores the answer with it.
create function engine.initiate_escrow_once(p_actor text, p_request text, p_body_sha256 bytea, p_asked jsonb, out answer text,
    out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform engine.initiate_escrow(p_actor, p_request, p_asked ->> 'offering', p_asked ->> 'allocation', p_asked ->> 'investment',
        (p_asked ->> 'settlement_due_at')::timestamptz);
    answer := (select json_build_object('id', a.allocation_id, 'offer', a.offering_id, 'status', a.status, 'investment', a.investment_id,
            'settlement_due_at', audit.instant(a.settlement_due_at), 'version', a.version::text)
        from engine.allocation a where a.offering_id = p_asked ->> 'offering' and a.allocation_id = p_asked ->> 'allocation');
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;

-- What an officer of compliance decides on, with the entity's words.
create view engine.intake_case as
select i.offering_id, i.intake_id, i.entity_id, i.status, i.tranche, i.amount_minor, i.currency, i.statement, i.asked_at, i.asked_by,
    i.facts, i.score, i.parts, i.advised_tier, i.reasons, i.facts_used, i.model, i.prompt_version, i.scored_at, i.rules_met,
    (select array_agg(r.sentence order by r.rule_id) from engine.intake_rule r where r.rule_id = any (i.rules_met)) as sentences,
    i.failed_rule, i.decided_by, i.decided_because, i.inputs_sha256, i.version
from engine.intake i;
