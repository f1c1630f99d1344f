-- Notices: what is told to whom after which event, by which law. The row here is the notice; mail only points to it.

create table engine.notice_rule (
    kind text not null,
    code text not null,
    audience text not null check (audience in ('investor', 'investors', 'administrator', 'issuer')),
    is_required boolean not null,
    citation text not null constraint notice_names_its_source check (citation ~ '\S'),
    sentence text not null,
    primary key (kind, code, audience)
);

insert into engine.notice_rule (kind, code, audience, is_required, citation, sentence) values
    ('offer.failed', 'offer_failed', 'investors', true, '17 CFR 227.304(d), 240.10b-9', 'The offer has ended without success. Your money goes back in full.'),
    ('offer.failed', 'offer_failed', 'issuer', true, 'house policy', 'The offer has ended without success; every investor is refunded.'),
    ('amendment.put_to_investors', 'reconfirm', 'investors', true, '17 CFR 227.304(c)', 'The offer has changed. Confirm your investment again in time, or it is cancelled and refunded.'),
    ('change_request.applied', 'terms_changed', 'investors', true, '17 CFR 227.304(b)', 'A term of the offer has changed; the offer page says which, and until when you may cancel.'),
    ('investment.cancelled', 'cancelled', 'investor', true, '17 CFR 227.304', 'Your investment is cancelled. Money that has come goes back to where it came from.'),
    ('investment.expired', 'reservation_ended', 'investor', false, 'house policy', 'The reservation of your units has ended.'),
    ('payment_attempt.failed', 'payment_failed', 'investor', true, 'house policy', 'Your payment has failed; the funding page says what comes next.'),
    ('payment_attempt.failed', 'payment_failed', 'administrator', true, 'house policy', 'A payment has failed.'),
    ('payment_attempt.returned', 'payment_returned', 'investor', true, 'house policy', 'Your payment came back; the investment is not funded any more.'),
    ('payment_attempt.returned', 'payment_returned', 'administrator', true, 'house policy', 'A payment came back.');
call audit.append_only('engine.notice_rule');

create table engine.notice (
    offering_id text not null references engine.offer,
    notice_id text not null,
    status text not null,
    code text not null,
    recipient text not null,
    is_required boolean not null,
    about text not null,
    written_at timestamptz not null default clock_timestamp(),
    sent_at timestamptz,
    ended_at timestamptz,
    because text,
    tries integer not null default 0,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, notice_id),
    constraint notice_is_sent_at_a_moment check (status not in ('sent', 'delivered') or sent_at is not null),
    constraint bounced_notice_says_why check (status <> 'bounced' or coalesce(because ~ '\S', false))
);
create index notices_to_send on engine.notice (written_at) where status = 'written';
create index notices_of_recipient on engine.notice (recipient, written_at);

call audit.keep('engine.notice', 'notice', 'notice_id', 'offering_id');

-- The notices of an investor in the words for investors.
create view engine.investor_notice as
select n.offering_id, n.notice_id, n.recipient as investor_id, n.code, n.is_required, n.status, n.written_at, n.sent_at,
    r.sentence, r.citation
from engine.notice n cross join lateral (
    select min(x.sentence) as sentence, min(x.citation) as citation from engine.notice_rule x
    where x.code = n.code and x.audience in ('investor', 'investors')) r
where n.recipient like 'ivr\_%';

-- Writes the notices of these events, each once: who looks again writes nothing.
create function engine.write_notices(p_actor text, p_request text, p_scopes text[], p_subjects text[], p_versions bigint[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    written integer;
begin
    perform audit.enter(p_actor, p_request);
    insert into engine.notice (offering_id, notice_id, status, code, recipient, is_required, about)
    select e.scope, 'ntc_' || substr(encode(sha256(convert_to(concat_ws('/', e.scope, e.subject, e.version, r.code, w.recipient), 'UTF8')), 'hex'), 1, 26),
        'written', r.code, w.recipient, r.is_required, e.subject || '@' || e.version
    from unnest(p_scopes, p_subjects, p_versions) as x (scope, subject, version)
    join audit.event e using (scope, subject, version) join engine.notice_rule r using (kind)
    cross join lateral (
        select 'role:administrator' as recipient where r.audience = 'administrator'
        union
        select o.issuer_id from engine.offer o where r.audience = 'issuer' and o.offering_id = e.scope
        union
        select i.investor_id from engine.investment i where r.audience = 'investor' and i.offering_id = e.scope
            and i.investment_id = coalesce((select a.investment_id from treasury.attempt_fact a
                where a.offering_id = e.scope and a.attempt_id = e.subject), e.subject)
        union
        select i.investor_id from engine.investment i where r.audience = 'investors' and i.offering_id = e.scope
            and i.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_successfully')) w
    order by 1, 2 on conflict do nothing;
    get diagnostics written = row_count;
    return written;
end $$;

-- The notices that mail has to point to, locked for the one who sends them in this very transaction.
create function engine.take_notices(p_actor text, p_request text, p_most integer) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    return (select coalesce(jsonb_agg(jsonb_build_object('offering', n.offering_id, 'notice', n.notice_id, 'code', n.code,
            'recipient', n.recipient) order by n.written_at, n.notice_id), '[]')
        from (select * from engine.notice x where x.status = 'written' and x.recipient like 'ivr\_%'
            order by x.written_at, x.notice_id limit p_most for update skip locked) n);
end $$;

-- What became of the mail of a notice: sent, delivered, or bounced and why.
create function engine.mark_notice(p_actor text, p_request text, p_offering text, p_notice text, p_status text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update engine.notice set status = p_status, because = coalesce(p_because, because),
        sent_at = case when p_status = 'sent' then clock_timestamp() else sent_at end,
        ended_at = case when p_status in ('delivered', 'bounced') then clock_timestamp() end,
        tries = tries + (p_status = 'sent')::integer
    where offering_id = p_offering and notice_id = p_notice;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'notice_exists',
            message = format('there is no notice %s in %s', p_notice, p_offering);
    end if;
end $$;
