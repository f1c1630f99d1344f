-- The verbs of offers and investments.

create function engine.open_offer(p_actor text, p_request text, p_offering text, p_terms jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into engine.offer (offering_id, issuer_id, name, exemption, currency, unit_price_minor, units_total,
        minimum_units, isin, agreement_form, status)
    values (p_offering, p_terms ->> 'issuer_id', p_terms ->> 'name', p_terms ->> 'exemption', p_terms ->> 'currency',
        (p_terms ->> 'unit_price_minor')::bigint, (p_terms ->> 'units_total')::bigint,
        (p_terms ->> 'minimum_units')::bigint, p_terms ->> 'isin', coalesce(p_terms ->> 'agreement_form', 'canonical'), 'new');
    perform engine.write_terms(p_actor, p_offering, 1, p_terms, 'draft');
    update engine.offer set status = 'draft' where offering_id = p_offering;
end $$;

-- Moves an offer along its machine. A move to its failure without more words is the withdrawal by its issuer; a decline has a
-- verb of its own, which asks for the reason.
create function engine.move_offer(p_actor text, p_request text, p_offering text, p_status text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if p_status = 'closed_unsuccessfully' then
        perform engine.fail_offer(p_actor, p_request, p_offering, 'withdrawn', 'the issuer withdrew the offer');
        return;
    end if;
    perform 1 from engine.offer where offering_id = p_offering for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'offer_exists',
            message = format('there is no offer %s', p_offering);
    end if;
    if p_status = 'published' then
        perform engine.take_issuer(p_offering);
    end if;
    perform engine.require_move(p_actor, p_offering, p_status);
    update engine.offer set status = p_status,
        published_at = case when p_status = 'published' then coalesce(published_at, clock_timestamp()) else published_at end
    where offering_id = p_offering;
    perform engine.follow_terms(p_offering);
end $$;

create function engine.name_token(p_actor text, p_request text, p_offering text, p_chain_id bigint, p_token bytea,
    p_treasury bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update engine.offer set chain_id = p_chain_id, token_address = p_token, treasury_address = p_treasury
    where offering_id = p_offering and status = 'legal_accepted';
    if not found then
        raise exception using errcode = 'BR002', constraint = 'token_follows_legal_acceptance',
            message = format('%s is not legally accepted', p_offering);
    end if;
end $$;

-- Opens an investment and its position; units are reserved against the offer under its lock. Units that come free are
-- first for those who wait for them.
create function engine.open_investment(p_actor text, p_request text, p_offering text, p_investment text,
    p_investor text, p_units bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer where offering_id = p_offering for update;
    if exists (select from engine.waitlist_entry w where w.offering_id = p_offering and w.status = 'waiting') then
        raise exception using errcode = 'BR008', constraint = 'units_go_to_the_waitlist_first',
            message = format('others wait for units of %s', p_offering);
    end if;
    perform engine.open_order(p_offering, p_investment, p_investor, p_units);
end $$;

-- The caller has locked the offer.
create function engine.open_order(p_offering text, p_investment text, p_investor text, p_units bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    o engine.offer;
    left_units bigint;
begin
    perform engine.require_open(p_offering);
    select * into o from engine.offer where offering_id = p_offering;
    left_units := engine.units_left(p_offering);
    if p_units > left_units then
        raise exception using errcode = 'BR008', constraint = 'units_are_left',
            message = format('%s units are left', left_units);
    end if;
    perform engine.require_minimum(p_units, o.minimum_units);
    insert into engine.investment (offering_id, investment_id, investor_id, units, amount_minor, currency, status)
    values (p_offering, p_investment, p_investor, p_units, p_units * o.unit_price_minor, o.currency, 'new');
    perform compliance.judge_commitment(p_offering, p_investment, p_investor, p_units * o.unit_price_minor);
    insert into engine.position (offering_id, investment_id, investor_id) values (p_offering, p_investment, p_investor);
end $$;

-- The investor submits the review step; profile, compliance and the signed packet must hold at this moment, and
-- the offer must still take commitments.
create function engine.confirm(p_actor text, p_request text, p_offering text, p_investment text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    done text;
    names_currency boolean;
begin
    -- Assigned and not performed: an assignment starts no query.
    done := audit.enter(p_actor, p_request);
    done := engine.require_open(p_offering);
    done := engine.require_gate(p_offering, p_investment, 'confirm', engine.act_mask('confirm'));
    update engine.investment set status = 'confirmed' where offering_id = p_offering and investment_id = p_investment;
    -- A look of its own, and no part of the update: nearly nobody names a currency, and the plan of the join is begun for everybody.
    select true into names_currency from portal.currency_fact c
    where c.offering_id = p_offering and c.investment_id = p_investment limit 1;
    if names_currency then
        perform treasury.keep_commitment_rate(i.offering_id, i.investment_id, c.currency, i.amount_minor)
        from engine.investment i join portal.pay_currency c using (offering_id, investment_id)
        where i.offering_id = p_offering and i.investment_id = p_investment and c.currency <> i.currency;
    end if;
end $$;

create function engine.confirm_legally(p_actor text, p_request text, p_offering text, p_investment text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if exists (select from engine.offer o where o.offering_id = p_offering and o.status = 'closed_unsuccessfully') then
        raise exception using errcode = 'BR002', constraint = 'failed_offer_confirms_nobody',
            message = format('%s has failed', p_offering);
    end if;
    perform engine.require_gate(p_offering, p_investment, 'confirm_legally', engine.act_mask('confirm_legally'));
    update engine.investment set status = 'legally_confirmed' where offering_id = p_offering and investment_id = p_investment;
end $$;

create function engine.withdraw(p_actor text, p_request text, p_offering text, p_investment text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update engine.investment set status = 'cancelled_by_investor' where offering_id = p_offering and investment_id = p_investment;
end $$;

-- Keeps what a gate turned away; the refused act itself left nothing behind.
create function engine.record_refusal(p_actor text, p_request text, p_offering text, p_subject text, p_act text,
    p_rule text, p_missing jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into audit.refusal (scope, subject, act, rule, missing, actor, request_id)
    values (p_offering, p_subject, p_act, p_rule, p_missing, p_actor, p_request);
end $$;

-- Whether a version of a profile is what compliance verified and still stands by.
create function engine.profile_is_verified(p_investor text, p_version integer) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from compliance.identity_fact k join portal.version_fact d using (investor_id)
    where k.investor_id = p_investor and k.status = 'approved' and d.detail_version = p_version
        and k.verified_digest = d.detail_digest);

-- Refuses answers that are none to the questionnaire of an offer.
create function engine.check_answers(p_offering text, p_questionnaire integer, p_answers jsonb) returns void
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select compliance.check_answers(p_offering, p_questionnaire, p_answers);
end;

-- Refuses an account that may not act for an investor in one scope. The account that opened a profile acts for it; to sign
-- and certify for an entity, trust or nominee, and for any other account, an authority is verified and in its dates.
create function engine.require_authority(p_investor text, p_account text, p_scope text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    a record;
begin
    select f.account_id, f.kind into a from portal.account_fact f where f.investor_id = p_investor;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'profile_exists', message = format('there is no profile %s', p_investor);
    end if;
    if not (a.account_id is not distinct from p_account and (a.kind in ('individual', 'joint', 'retirement')
            or p_scope not in ('sign', 'certify')) or compliance.may_act(p_investor, p_account, p_scope)) then
        raise exception using errcode = 'BR010', constraint = 'account_may_act_for_the_investor',
            message = format('%s has no verified authority to %s for %s', coalesce(p_account, 'nobody'), p_scope, p_investor);
    end if;
end $$;

-- Keeps a decision of another book that rests on the compliance programme, under the programme that its person saw.
create function engine.decide_under(p_actor text, p_request text, p_on text[], p_programme text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform compliance.decide_under(p_actor, p_request, p_programme);
    perform compliance.record_decision(p_actor, p_on);
end $$;

create function engine.profile_kind(p_investor text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select f.kind from portal.profile_fact f where f.investor_id = p_investor);

-- Whether money must stay where it is: a match is confirmed, or proposed to be, of whoever paid it, or of somebody its investor rests on,
-- who has invested it or whose balance it is.
create function engine.is_blocked(p_offering text, p_receipt text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from treasury.sender_fact s where s.offering_id = p_offering and s.receipt_id = p_receipt
            and engine.wallet_is_listed(s.sender))
        or exists (select from compliance.blocked_fact b, treasury.payer_fact r
        where r.offering_id = p_offering and r.receipt_id = p_receipt
            and (b.subject_id in ('payer:' || encode(r.source_fingerprint, 'hex'), 'payer:' || encode(r.source_fingerprint, 'hex') || ':entity')
                or b.investor_id in (r.stored_for, (select i.investor_id from engine.investment i
                    where i.offering_id = p_offering and i.investment_id = r.investment_id))));
end $$;

-- Whether the registry knows a wallet of an investor as screened, every list in force has answered for it, and none names it.
create function engine.wallet_is_screened(p_offering text, p_investor text, p_chain bigint, p_address bytea) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from registry.wallet_fact w where w.offering_id = p_offering and w.investor_id = p_investor
            and w.chain_id = p_chain and w.address = p_address and w.status in ('screened', 'issuer_approved', 'linked', 'joined'))
        and compliance.is_answered('wallet:' || encode(p_address, 'hex'));
end $$;

create function engine.wallet_is_listed(p_address bytea) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return compliance.is_hit('wallet:' || encode(p_address, 'hex'));
end $$;

-- Whether money may go back: nothing blocks it, and whoever paid it by name is screened and no case.
create function engine.may_go_back(p_offering text, p_receipt text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return not engine.is_blocked(p_offering, p_receipt) and not exists (
        select from treasury.payer_fact r, (values (''), (':entity')) k (mark)
        where r.offering_id = p_offering and r.receipt_id = p_receipt and r.sender ~ '[[:alpha:]]'
            and not compliance.is_answered('payer:' || encode(r.source_fingerprint, 'hex') || k.mark));
end $$;

-- Why the personal data of an investor, or of somebody behind one, must be kept now, or null: what concerns anybody whom
-- the person is known for counts. Payments and papers of a subscription carry names; they are erased first, by their books.
create function engine.kept_because(p_investor text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select string_agg(distinct k.because, '; ' order by k.because) from compliance.concerned(p_investor) c (id)
    cross join lateral (
        select 'an investment is not ended' as because
        where exists (select from engine.investment i where i.investor_id = c.id
            and i.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully'))
        union
        select 'a legal hold stands' from subscription.legal_hold_fact h
        where h.investor_id = c.id and h.status = 'placed'
        union
        select 'papers of a subscription are on record' from engine.investment i
        where i.investor_id = c.id and (exists (select from subscription.particular_fact p
                where p.offering_id = i.offering_id and p.investment_id = i.investment_id)
            or exists (select from subscription.agreement_fact a join subscription.document_fact d
                on d.sha256 in (a.document_sha256, a.executed_sha256) and not d.is_erased
                where a.offering_id = i.offering_id and a.investment_id = i.investment_id))
        union
        select 'a payment is on record' from engine.investment i join treasury.payer_fact r using (offering_id, investment_id)
        where i.investor_id = c.id
        union
        select 'a rule keeps the record' from compliance.hit_fact h where h.subject_id in (c.id, p_investor)
        union
        select r.because from compliance.retention_fact r
        where r.investor_id = c.id and r.keep_until > current_date) k);

-- What waits for an officer: of which kind, on whose record, since when, and by which rule it is due.
create view engine.waiting_work as
select 'discrepancy' as kind, d.investor_id as scope, d.discrepancy_id as item_id, d.investor_id,
    d.status, 'open' as state, d.element as about, d.opened_at, 'house.decide.identity' as rule, cast(null as date) as due_on
from compliance.discrepancy d where d.status <> 'resolved'
union all
select 'identity', k.investor_id, k.case_id, k.investor_id, k.status, 'open', k.kind,
    (select e.recorded_at from audit.event e where e.scope = k.investor_id and e.subject = k.case_id and e.version = k.version),
    'house.decide.identity', null
from compliance.kyc_case k where k.status = 'in_review'
union all
select 'hit', h.subject_id, h.hit_id, (select min(k.investor_id) from compliance.concerned(h.subject_id) c (id)
        join compliance.kyc_case k on k.investor_id = c.id),
    h.status, case h.status when 'open' then 'open' when 'escalated' then 'escalated' else 'second_person' end,
    h.entry_id, h.opened_at, 'house.decide.hit', null
from compliance.hit h where h.status in ('open', 'escalated', 'proposed', 'release_proposed')
union all
select 'accreditation', a.investor_id, a.accreditation_id, a.investor_id, a.status,
    case a.status when 'info_required' then 'investor' else 'open' end, coalesce(a.method, ''),
    (select e.recorded_at from audit.event e where e.scope = a.investor_id and e.subject = a.accreditation_id
        and e.version = a.version), 'house.decide.accreditation', null
from compliance.accreditation a where a.status in ('pending', 'info_required')
union all
select 'change', c.investor_id, c.change_id, c.investor_id, c.status, 'open', array_to_string(c.fields, ', '),
    (select e.recorded_at from audit.event e where e.scope = c.investor_id and e.subject = c.change_id and e.version = 1),
    'house.decide.change', null
from portal.change_fact c where c.status = 'requested'
union all
select 'diligence', d.investor_id, d.diligence_id, d.investor_id, d.status,
    case d.status when 'open' then 'open' else 'second_person' end, '', d.opened_at, 'house.decide.diligence', null
from compliance.due_diligence d where d.status in ('open', 'completed')
union all
select 'owner', o.investor_id, o.owner_id, o.investor_id, o.status, 'open', o.owner_id, o.changed_at, 'house.decide.identity', null
from compliance.beneficial_owner o where o.status in ('unidentified', 'identified')
    and exists (select from compliance.people_behind(o.investor_id) b where b.owner_id = o.owner_id)
union all
select 'report', r.investor_id, r.report_id, r.investor_id, r.status, 'open', r.kind,
    (select e.recorded_at from audit.event e where e.scope = r.subject_id and e.subject = r.report_id and e.version = 1),
    '', r.due_on
from compliance.sanctions_report r where r.status = 'due'
union all
select 'deficiency', i.investor_id, d.deficiency_id, i.investor_id, d.status, 'investor', d.reason,
    (select e.recorded_at from audit.event e where e.scope = d.offering_id and e.subject = d.deficiency_id and e.version = 1),
    'house.decide.deficiency', null
from subscription.deficiency_fact d join engine.investment i using (offering_id, investment_id) where d.status = 'open'
union all
select 'paper', k.investor_id, k.case_id || ':' || q.code, k.investor_id, 'missing', 'investor', q.code,
    greatest(k.opened_at, (select max(d.valid_until) from compliance.document d
        where d.investor_id = k.investor_id and d.code = q.code and d.valid_until <= clock_timestamp())), 'house.decide.deficiency', null
from compliance.kyc_case k cross join lateral compliance.open_requirements(k.investor_id) q
where exists (select from compliance.clearance c where c.investor_id = k.investor_id
    and c.lacks && array['required_parties_are_verified', 'required_documents_are_on_file'])
union all
select 'notice', n.investor_id, n.about || ':' || n.subject_id || ':' || n.stage, n.investor_id, 'due', 'open', n.about,
    n.due_at, '', cast(n.lapses_at as date)
from compliance.notice n join compliance.kyc_case k using (investor_id)
where n.sent_at is null and n.lapses_at > clock_timestamp() and n.about in ('identity', 'accreditation', 'document', 'party')
union all
select 'review', r.investor_id, r.rating_id, r.investor_id, r.status, 'open', r.tier, r.due_at, 'house.decide.identity', null
from compliance.overdue_review r;

-- The composite stages of every investment, computed at reading; stage n counts only with all stages before it.
create view engine.stage as
select pos.offering_id, pos.investment_id, pos.investor_id, i.units, i.amount_minor, i.currency, i.status, i.closing_id,
    h.holds,
    engine.stage_mask('profile') & ~h.holds = 0 as profile,
    engine.stage_mask('compliance') & ~h.holds = 0 as compliance,
    engine.stage_mask('subscription') & ~h.holds = 0 as subscription,
    engine.stage_mask('funding') & ~h.holds = 0 as funding,
    engine.stage_mask('issuance') & ~h.holds = 0 as issuance,
    engine.missing(pos, engine.act_mask('issue')) as missing,
    pos.issuance as issuance_state, pos.issuance_is_stopped, pos.holding_is_held, pos.received_minor, pos.cleared_minor,
    engine.facts(pos) as facts, pos.version, i.version as investment_version
from engine.position pos join engine.investment i using (offering_id, investment_id)
-- OFFSET keeps the planner from writing the call out once per column.
cross join lateral (select engine.holds(pos) as holds offset 0) h;

-- What each book counts as done by itself, whatever the other books say.
create view engine.five_counts as
select s.offering_id, count(*) as investments,
    count(*) filter (where engine.keeper_mask('portal') & ~s.holds = 0) as profile,
    count(*) filter (where engine.keeper_mask('compliance') & ~s.holds = 0) as compliance,
    count(*) filter (where engine.keeper_mask('subscription') & ~s.holds = 0) as subscription,
    count(*) filter (where engine.keeper_mask('treasury') & ~s.holds = 0) as treasury,
    count(*) filter (where engine.mask('{holding_is_registered}') & ~s.holds = 0) as registry,
    count(*) filter (where engine.act_mask('issue') & ~s.holds = 0 and s.issuance_state = 'open') as issuable
from engine.stage s
where s.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully')
group by s.offering_id;
