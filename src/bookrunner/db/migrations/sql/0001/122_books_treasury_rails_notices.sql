-- What payment providers tell: facts beside the receipts. No notice moves money, and none clears any.

create table treasury.payment_notice (
    offering_id text not null,
    notice_id text not null,
    status text not null,
    provider text not null,
    message_id text not null,
    key_id text not null,
    payment_id text not null,
    amount_minor bigint not null constraint notice_tells_of_money check (amount_minor > 0),
    currency text not null,
    rail text,
    code text,
    happened_at timestamptz not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, notice_id),
    constraint each_message_is_one_notice unique (offering_id, provider, message_id),
    constraint failed_payment_has_its_reason check (
        (status in ('returned', 'failed')) <= (rail is not null and code is not null))
);

-- What the administrator has to look at; rule is the proposition that a message or a bank entry broke.
create table treasury.alarm (
    source text not null,
    alarm_id text not null,
    status text not null,
    rule text not null constraint alarm_rule_is_known check (rule in ('message_id_has_one_body', 'payment_is_known',
        'notice_fits_its_payment', 'received_money_stays', 'entry_can_be_posted', 'return_has_its_receipt',
        'settled_allocation_is_known', 'settlement_fits_its_allocation', 'payout_goes_to_nobody_blocked')),
    offering_id text,
    subject text not null,
    evidence_sha256 bytea not null check (octet_length(evidence_sha256) = 32),
    answered_by text,
    answered_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (source, alarm_id),
    constraint answered_alarm_says_who_and_why check (
        (status = 'answered') = (answered_by is not null and coalesce(answered_because, '') <> ''))
);

create index alarm_that_is_open on treasury.alarm (offering_id, subject) where status = 'raised';

-- What an investor and the administrators are told of a payment that failed or came back, in plain words; once for each reason.
create table treasury.notification (
    offering_id text not null,
    attempt_id text not null,
    told_to text not null constraint somebody_is_told check (told_to in ('investor', 'administrator')),
    code text not null,
    investment_id text not null,
    sentence text not null,
    told_at timestamptz not null default clock_timestamp(),
    constraint each_reason_is_told_once primary key (offering_id, attempt_id, told_to, code)
);

create index notification_of_investment on treasury.notification (offering_id, investment_id);
call audit.append_only('treasury.notification');

-- Written at commit, when the reason stands beside the status. It has the rights of its owner: no login writes these lines.
create function treasury.tell_of_failure() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a treasury.payment_attempt;
    f record;
begin
    select * into a from treasury.payment_attempt t where t.offering_id = new.offering_id and t.attempt_id = new.attempt_id;
    if a.status not in ('failed', 'returned') then
        return null;
    end if;
    select * into f from treasury.what_follows(a.offering_id, a.attempt_id);
    insert into treasury.notification (offering_id, attempt_id, told_to, code, investment_id, sentence)
    select a.offering_id, a.attempt_id, w.told_to, coalesce(a.failed_code, 'none'), a.investment_id,
        concat_ws(' ', case a.status when 'failed' then 'The payment failed.' else 'The payment came back.' end, f.sentence,
            case when f.tries_left = 0 and f.until_day is not null then f.stopped_because end,
            case f.then_do when 'retry' then w.again when 'new_account' then w.elsewhere else w.stop end)
    from (values ('investor', 'It may be tried again.', 'It may be tried again from another account.', 'An administrator will be in touch.'),
        ('administrator', 'It may be tried again on this investment.', 'It may be tried again from another approved account.',
            'No further attempt follows by itself.')) as w (told_to, again, elsewhere, stop)
    on conflict do nothing;
    return null;
end $$;

create constraint trigger tell_of_failure after update on treasury.payment_attempt deferrable initially deferred
    for each row when (new.status in ('failed', 'returned')
        and (old.status, old.failed_code) is distinct from (new.status, new.failed_code))
    execute function treasury.tell_of_failure();
alter table treasury.payment_attempt enable always trigger tell_of_failure;

call audit.keep('treasury.payment_notice', 'payment_notice', 'notice_id', 'offering_id');
call audit.keep('treasury.alarm', 'alarm', 'alarm_id', 'source');

-- The attempts whose money a provider says was taken back: it counts as final only once the administrator has answered.
create view treasury.recalled_attempt as
select a.offering_id, a.subject as attempt_id from treasury.alarm a where a.status = 'raised' and a.rule = 'received_money_stays';

create view treasury.open_alarm as
select source, alarm_id, rule, offering_id, subject, evidence_sha256, version from treasury.alarm where status = 'raised';

create view treasury.notice_fact as
select offering_id, notice_id, status, provider, payment_id, amount_minor, currency, rail, code, happened_at, version, chain_head
from treasury.payment_notice;

-- The same finding about the same evidence is one alarm.
create function treasury.raise_alarm(p_source text, p_rule text, p_offering text, p_subject text, p_evidence_sha256 bytea)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    named text := 'alr_' || left(encode(sha256(convert_to(concat_ws(E'\n', p_rule, p_offering, p_subject), 'UTF8')
        || p_evidence_sha256), 'hex'), 32);
begin
    if exists (select from treasury.alarm a where a.source = p_source and a.alarm_id = named) then
        return;
    end if;
    insert into treasury.alarm (source, alarm_id, status, rule, offering_id, subject, evidence_sha256)
    values (p_source, named, 'raised', p_rule, p_offering, p_subject, p_evidence_sha256);
end $$;

-- Money that a provider says was taken back; no policy clears it before the administrator has answered.
create function treasury.is_recalled(r treasury.receipt) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from treasury.alarm a where a.offering_id = r.offering_id and a.subject = r.attempt_id
        and a.status = 'raised' and a.rule = 'received_money_stays');
end $$;

create function treasury.answer_alarm(p_actor text, p_request text, p_source text, p_alarm text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    recalled record;
begin
    perform audit.enter(p_actor, p_request);
    select t.offering_id, t.investment_id into recalled from treasury.alarm a join treasury.payment_attempt t
        on t.offering_id = a.offering_id and t.attempt_id = a.subject
    where a.source = p_source and a.alarm_id = p_alarm and a.rule = 'received_money_stays';
    perform treasury.lock(recalled.offering_id, recalled.investment_id);
    update treasury.alarm set status = 'answered', answered_by = p_actor, answered_because = p_because
    where source = p_source and alarm_id = p_alarm;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'alarm_exists', message = format('there is no alarm %s', p_alarm);
    end if;
    if recalled.investment_id is not null then
        perform treasury.publish(recalled.offering_id, array[recalled.investment_id]);
    end if;
end $$;

-- An entry of a bank file that the administrator has to look at; the same entry again is the same alarm.
create function treasury.question_entry(p_actor text, p_request text, p_offering text, p_rule text, p_entry text,
    p_evidence bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.raise_alarm('bank', p_rule, p_offering, p_entry, p_evidence);
end $$;

-- Keeps a verified message of a payment provider and lets it have its one effect. Answers kept, known (it came before),
-- contradicted (its id came before with another body) or unclaimed (it names no payment of ours).
-- A notice is {offering, payment, status, amount, currency, rail, code, happened_at}.
create function treasury.hear_payment(p_actor text, p_request text, p_provider text, p_message text, p_key_id text,
    p_body bytea, p_notice jsonb) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    n record;
    fresh boolean;
begin
    perform audit.enter(p_actor, p_request);
    select * into n from jsonb_to_record(p_notice) as x (offering text, payment text, status text, amount bigint,
        currency text, rail text, code text, happened_at timestamptz);
    begin
        fresh := audit.receive_message('payments.' || p_provider, p_message, p_body, p_key_id);
    exception when sqlstate 'BR422' then
        perform treasury.raise_alarm(p_provider, 'message_id_has_one_body', null, p_message, sha256(p_body));
        insert into audit.refusal (scope, subject, act, rule, missing, actor, request_id)
        values (p_provider, p_message, 'receive_message', 'message_id_has_one_body', '[]', p_actor, p_request);
        return 'contradicted';
    end;
    if not fresh then
        return 'known';
    end if;
    if exists (select from treasury.payment_attempt a where a.offering_id = n.offering and a.attempt_id = n.payment) then
        perform treasury.heed_payment(n.offering, n.payment, p_provider, sha256(p_body), p_notice);
    elsif not exists (select from treasury.refund f where f.offering_id = n.offering and f.refund_id = n.payment
        and f.payout_id is not null) then
        perform treasury.raise_alarm(p_provider, 'payment_is_known', n.offering, p_message, sha256(p_body));
        return 'unclaimed';
    end if;
    insert into treasury.payment_notice (offering_id, notice_id, status, provider, message_id, key_id, payment_id,
        amount_minor, currency, rail, code, happened_at)
    values (n.offering, p_provider || ':' || p_message, n.status, p_provider, p_message, p_key_id, n.payment,
        n.amount, n.currency, n.rail, n.code, n.happened_at);
    return 'kept';
end $$;

-- What a notice means for the attempt it names, in any order of arrival: money on its way until the statement shows it;
-- failed when it was refused or taken back before any arrived; an alarm when some has.
create function treasury.heed_payment(p_offering text, p_attempt text, p_provider text, p_evidence bytea, p_notice jsonb)
returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    a treasury.payment_attempt;
    ended boolean := p_notice ->> 'status' in ('returned', 'failed');
begin
    perform treasury.lock(p_offering, (select x.investment_id from treasury.payment_attempt x
        where x.offering_id = p_offering and x.attempt_id = p_attempt));
    select * into a from treasury.payment_attempt x where x.offering_id = p_offering and x.attempt_id = p_attempt for update;
    if a.currency <> p_notice ->> 'currency' or a.due_minor < (p_notice ->> 'amount')::bigint then
        perform treasury.raise_alarm(p_provider, 'notice_fits_its_payment', p_offering, p_attempt, p_evidence);
    end if;
    if ended and a.received_minor > 0 then
        perform treasury.raise_alarm(p_provider, 'received_money_stays', p_offering, p_attempt, p_evidence);
        perform treasury.publish(p_offering, array[a.investment_id]);
    elsif ended and a.status in ('initialized', 'in_progress') then
        update treasury.payment_attempt set status = 'failed', failed_rail = p_notice ->> 'rail', failed_code = p_notice ->> 'code'
        where offering_id = p_offering and attempt_id = p_attempt;
    elsif not ended and a.status = 'initialized' then
        update treasury.payment_attempt set status = 'in_progress' where offering_id = p_offering and attempt_id = p_attempt;
    else
        return;
    end if;
    perform treasury.publish(p_offering, array[a.investment_id]);
end $$;
