-- Votes of holders: one resolution each, weighed by the register at the end of the record date.

-- Carried by more than needed_over of needed_of of the units that vote for or against, where at least the quorum votes.
create table engine.vote (
    offering_id text not null references engine.offer,
    vote_id text not null,
    status text not null,
    resolution text not null constraint vote_is_on_a_resolution check (resolution ~ '\S' and length(resolution) <= 2000),
    document_sha256 bytea not null check (octet_length(document_sha256) = 32),
    record_on date not null,
    closes_at timestamptz not null,
    quorum_bps integer not null constraint quorum_is_a_share check (quorum_bps between 0 and 10000),
    needed_over integer not null,
    needed_of integer not null,
    proposed_by text not null constraint vote_is_proposed_by_a_person check (proposed_by <> 'process' and proposed_by not like 'provider:%'),
    opened_by text,
    opened_at timestamptz,
    result jsonb,
    because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, vote_id),
    constraint needed_part_is_a_fraction check (needed_over >= 1 and needed_over < needed_of and needed_of <= 1000),
    constraint vote_needs_two_people check (audit.person_of(opened_by) is distinct from audit.person_of(proposed_by)),
    constraint open_vote_names_who_opened_it check ((status in ('open', 'closed')) <= (opened_by is not null)
        and (opened_by is null) = (opened_at is null)),
    constraint closed_vote_has_its_result check ((status = 'closed') = (result is not null)),
    constraint cancelled_vote_says_why check (status <> 'cancelled' or coalesce(because ~ '\S', false))
);
create index votes_to_close on engine.vote (closes_at) where status = 'open';

call audit.keep('engine.vote', 'vote', 'vote_id', 'offering_id');

-- The units of each holder at the end of the record date, as the register had them when the vote was opened.
create table engine.vote_weight (
    offering_id text not null,
    vote_id text not null,
    investor_id text not null,
    units bigint not null check (units > 0),
    primary key (offering_id, vote_id, investor_id),
    foreign key (offering_id, vote_id) references engine.vote
);
call audit.append_only('engine.vote_weight');

-- The units of each holder at the end of a day, by the register.
create function engine.vote_register(p_offering text, p_on date) returns table (investor_id text, units bigint)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select h.investor_id, sum(a.units)::bigint
    from registry.units_as_of(p_offering, p_on) a join registry.holding h on h.offering_id = p_offering and h.holding_id = a.holding_id
    group by h.investor_id having sum(a.units) > 0;
end;

-- A weight is written in the breath in which its vote is opened, and never beside it.
create function engine.weight_is_of_its_opening() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.vote v where v.offering_id = new.offering_id and v.vote_id = new.vote_id and v.status = 'proposed';
    if not found then
        raise exception using errcode = 'BR008', constraint = 'vote_weighs_by_the_register',
            message = format('%s is not being opened', new.vote_id);
    end if;
    return new;
end $$;
create trigger weight_is_of_its_opening before insert on engine.vote_weight
    for each row execute function engine.weight_is_of_its_opening();
alter table engine.vote_weight enable always trigger weight_is_of_its_opening;

create table engine.ballot (
    offering_id text not null,
    ballot_id text not null,
    vote_id text not null,
    investor_id text not null,
    status text not null,
    choice text not null constraint ballot_is_for_against_or_abstains check (choice in ('for', 'against', 'abstain')),
    delegate_id text,
    cast_by text not null,
    cast_at timestamptz not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, ballot_id),
    constraint holder_has_one_ballot unique (offering_id, vote_id, investor_id),
    constraint ballot_has_a_position foreign key (offering_id, vote_id, investor_id) references engine.vote_weight
);

call audit.keep('engine.ballot', 'ballot', 'ballot_id', 'offering_id');

-- Who casts the ballot of a holder in its place: one delegate at a time, in one vote.
create table engine.proxy (
    offering_id text not null,
    proxy_id text not null,
    vote_id text not null,
    investor_id text not null,
    delegate_id text not null constraint delegate_is_another_investor check (delegate_id ~ '^ivr_' and delegate_id <> investor_id),
    status text not null,
    given_by text not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, proxy_id),
    constraint proxy_is_of_a_position foreign key (offering_id, vote_id, investor_id) references engine.vote_weight
);
create unique index holder_has_one_delegate on engine.proxy (offering_id, vote_id, investor_id) where status = 'given';

call audit.keep('engine.proxy', 'proxy', 'proxy_id', 'offering_id');

create function engine.proxy_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and (old.vote_id, old.investor_id, old.delegate_id) is distinct from (new.vote_id, new.investor_id, new.delegate_id) then
        raise exception using errcode = 'BR006', constraint = 'proxy_stays_with_its_delegate',
            message = format('%s is for one delegate', old.proxy_id);
    end if;
    return new;
end $$;
create trigger proxy_stands before update on engine.proxy for each row execute function engine.proxy_stands();
alter table engine.proxy enable always trigger proxy_stands;

-- A ballot is cast and changed while its vote is open, and its holder stays; a delegate casts it under a proxy alone. The vote is locked, so that none comes between
-- its end and its count.
create function engine.ballot_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v engine.vote;
begin
    if tg_op = 'UPDATE' and (old.vote_id, old.investor_id) is distinct from (new.vote_id, new.investor_id) then
        raise exception using errcode = 'BR006', constraint = 'ballot_stays_with_its_holder',
            message = format('%s is the ballot of one holder in one vote', old.ballot_id);
    end if;
    select * into v from engine.vote x where x.offering_id = new.offering_id and x.vote_id = new.vote_id for share;
    if v.status is distinct from 'open' or clock_timestamp() >= v.closes_at then
        raise exception using errcode = 'BR008', constraint = 'ballot_is_cast_in_time',
            message = format('%s takes no ballots', new.vote_id);
    end if;
    if new.delegate_id is not null and not exists (select from engine.proxy p where p.offering_id = new.offering_id
        and p.vote_id = new.vote_id and p.investor_id = new.investor_id and p.delegate_id = new.delegate_id and p.status = 'given') then
        raise exception using errcode = 'BR008', constraint = 'delegate_has_a_proxy',
            message = format('%s gave %s no proxy', new.investor_id, new.delegate_id);
    end if;
    return new;
end $$;
create trigger ballot_stands before insert or update on engine.ballot for each row execute function engine.ballot_stands();
alter table engine.ballot enable always trigger ballot_stands;

-- The count of a vote: what holds, what voted and how, and the two comparisons in whole numbers.
create function engine.vote_count(p_offering text, p_vote text) returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
return (
    select jsonb_build_object('units', w.units, 'holders', w.holders, 'ballots', w.ballots, 'voted', w.in_favour + w.against + w.abstained,
        'for', w.in_favour, 'against', w.against, 'abstain', w.abstained, 'quorum_bps', v.quorum_bps,
        'needed_over', v.needed_over, 'needed_of', v.needed_of,
        'quorum_is_met', (w.in_favour + w.against + w.abstained) * 10000 >= w.units * v.quorum_bps and w.ballots > 0,
        'is_carried', (w.in_favour + w.against + w.abstained) * 10000 >= w.units * v.quorum_bps and w.ballots > 0
            and w.in_favour * v.needed_of > (w.in_favour + w.against) * v.needed_over)
    from engine.vote v cross join lateral (
        select coalesce(sum(x.units), 0) as units, count(*) as holders, count(b.ballot_id) as ballots,
            coalesce(sum(x.units) filter (where b.choice = 'for'), 0) as in_favour,
            coalesce(sum(x.units) filter (where b.choice = 'against'), 0) as against,
            coalesce(sum(x.units) filter (where b.choice = 'abstain'), 0) as abstained
        from engine.vote_weight x left join engine.ballot b using (offering_id, vote_id, investor_id)
        where x.offering_id = v.offering_id and x.vote_id = v.vote_id) w
    where v.offering_id = p_offering and v.vote_id = p_vote);

-- Every holder of the record date has its units as weight, nobody else has any, and somebody has: the register is read once.
create function engine.require_weights(p_offering text, p_vote text, p_record_on date) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    wrong text;
begin
    select coalesce(w.investor_id, r.investor_id) into wrong from engine.vote_register(p_offering, p_record_on) r
    full join (select x.investor_id, x.units from engine.vote_weight x where x.offering_id = p_offering and x.vote_id = p_vote) w
        on w.investor_id = r.investor_id
    where w.units is distinct from r.units limit 1;
    if found or not exists (select from engine.vote_weight x where x.offering_id = p_offering and x.vote_id = p_vote) then
        raise exception using errcode = 'BR008', constraint = 'vote_weighs_by_the_register',
            message = format('the weights of %s are not the register of %s: %s', p_vote, p_record_on, coalesce(wrong, 'nobody holds'));
    end if;
end $$;

-- What the move of a vote needs, whoever makes it.
create function engine.vote_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if (old.resolution, old.document_sha256, old.record_on, old.closes_at, old.quorum_bps, old.needed_over, old.needed_of, old.proposed_by)
        is distinct from (new.resolution, new.document_sha256, new.record_on, new.closes_at, new.quorum_bps, new.needed_over,
            new.needed_of, new.proposed_by) then
        raise exception using errcode = 'BR006', constraint = 'vote_is_locked_as_proposed',
            message = format('%s says what was proposed', old.vote_id);
    end if;
    if old.status = 'proposed' and new.status = 'open' then
        perform engine.require_weights(new.offering_id, new.vote_id, new.record_on);
    end if;
    if new.status = 'closed' and old.status = 'open' and clock_timestamp() < new.closes_at then
        raise exception using errcode = 'BR008', constraint = 'vote_closes_at_its_end',
            message = format('%s is open until %s', new.vote_id, new.closes_at);
    end if;
    if new.status = 'closed' and new.result is distinct from engine.vote_count(new.offering_id, new.vote_id) then
        raise exception using errcode = 'BR008', constraint = 'result_is_the_count_of_its_ballots',
            message = format('the ballots of %s count otherwise', new.vote_id);
    end if;
    return new;
end $$;
create trigger vote_stands before update on engine.vote for each row execute function engine.vote_stands();
alter table engine.vote enable always trigger vote_stands;

-- Proposes a vote; the record date is a day that has ended, or ends before the vote is opened.
create function engine.propose_vote(p_actor text, p_request text, p_offering text, p_vote text, p_asked jsonb, p_document_sha256 bytea)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    if (p_asked ->> 'closes_at')::timestamptz <= clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'vote_ends_ahead', message = 'a vote ends in the future';
    end if;
    insert into engine.vote (offering_id, vote_id, status, resolution, document_sha256, record_on, closes_at, quorum_bps, needed_over,
        needed_of, proposed_by)
    values (p_offering, p_vote, 'proposed', p_asked ->> 'resolution', p_document_sha256, (p_asked ->> 'record_on')::date,
        (p_asked ->> 'closes_at')::timestamptz, (p_asked ->> 'quorum_bps')::integer, (p_asked ->> 'needed_over')::integer,
        (p_asked ->> 'needed_of')::integer, p_actor);
end $$;

-- A vote at the version that was seen, locked.
create function engine.seen_vote(p_offering text, p_vote text, p_seen bigint) returns engine.vote
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v engine.vote;
begin
    select * into v from engine.vote x where x.offering_id = p_offering and x.vote_id = p_vote for update;
    if v.vote_id is null then
        raise exception using errcode = 'BR404', constraint = 'vote_exists', message = format('there is no vote %s', p_vote);
    end if;
    if p_seen is distinct from v.version then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen',
            message = format('the vote is at version %s', v.version);
    end if;
    return v;
end $$;

-- A second person opens it; the register of the record date is kept as its weights.
create function engine.open_vote(p_actor text, p_request text, p_offering text, p_vote text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v engine.vote;
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    v := engine.seen_vote(p_offering, p_vote, p_seen);
    if (v.record_on + 1)::timestamp at time zone 'UTC' > clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'record_date_has_ended',
            message = format('%s has not ended', v.record_on);
    end if;
    if v.closes_at <= clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'vote_ends_ahead', message = format('%s is over', v.closes_at);
    end if;
    insert into engine.vote_weight (offering_id, vote_id, investor_id, units)
    select p_offering, p_vote, r.investor_id, r.units from engine.vote_register(p_offering, v.record_on) r
    where v.status = 'proposed' order by r.investor_id;
    update engine.vote set status = 'open', opened_by = p_actor, opened_at = clock_timestamp()
    where offering_id = p_offering and vote_id = p_vote;
end $$;

create function engine.cancel_vote(p_actor text, p_request text, p_offering text, p_vote text, p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    perform engine.seen_vote(p_offering, p_vote, p_seen);
    update engine.vote set status = 'cancelled', because = p_because where offering_id = p_offering and vote_id = p_vote;
end $$;

-- The vote decides by its lock which of two words of one holder is the first.
create function engine.take_vote(p_offering text, p_vote text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.vote v where v.offering_id = p_offering and v.vote_id = p_vote for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'vote_exists', message = format('there is no vote %s', p_vote);
    end if;
end $$;

-- A holder casts its ballot, or casts it anew; the last one counts. A delegate does so under a proxy, which ends when the holder
-- casts its ballot itself.
create function engine.cast_ballot(p_actor text, p_request text, p_offering text, p_vote text, p_investor text, p_choice text,
    p_delegate text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.take_vote(p_offering, p_vote);
    update engine.ballot set choice = p_choice, delegate_id = p_delegate, cast_by = p_actor, cast_at = clock_timestamp()
    where offering_id = p_offering and vote_id = p_vote and investor_id = p_investor;
    if not found then
        insert into engine.ballot (offering_id, ballot_id, vote_id, investor_id, status, choice, delegate_id, cast_by, cast_at)
        values (p_offering, 'bal_' || substr(encode(sha256(convert_to(p_vote || '/' || p_investor, 'UTF8')), 'hex'), 1, 26), p_vote, p_investor,
            'cast', p_choice, p_delegate, p_actor, clock_timestamp());
    end if;
    if p_delegate is null then
        update engine.proxy set status = 'revoked'
        where offering_id = p_offering and vote_id = p_vote and investor_id = p_investor and status = 'given';
    end if;
end $$;

-- A holder lets another investor cast its ballot, instead of whom it named before; without a name it takes the proxy back. What
-- a delegate has cast stands until somebody casts it anew.
create function engine.give_proxy(p_actor text, p_request text, p_offering text, p_vote text, p_proxy text, p_investor text,
    p_delegate text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.take_vote(p_offering, p_vote);
    update engine.proxy set status = 'revoked'
    where offering_id = p_offering and vote_id = p_vote and investor_id = p_investor and status = 'given';
    if p_delegate is not null then
        insert into engine.proxy (offering_id, proxy_id, vote_id, investor_id, delegate_id, status, given_by)
        values (p_offering, p_proxy, p_vote, p_investor, p_delegate, 'given', p_actor);
    end if;
end $$;

-- Closes each vote whose time is over, with its count; returns how many.
create function engine.close_votes(p_actor text, p_request text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    due record;
    closed integer := 0;
begin
    perform audit.enter(p_actor, p_request);
    for due in select v.offering_id, v.vote_id from engine.vote v where v.status = 'open' and v.closes_at <= clock_timestamp()
        order by v.offering_id, v.vote_id for update skip locked loop
        update engine.vote v set status = 'closed', result = engine.vote_count(due.offering_id, due.vote_id)
        where v.offering_id = due.offering_id and v.vote_id = due.vote_id;
        closed := closed + 1;
    end loop;
    return closed;
end $$;

-- A vote as it stands, with its result once it is closed.
create view engine.vote_standing as
select v.offering_id, v.vote_id, v.status, v.resolution, encode(v.document_sha256, 'hex') as document, v.record_on, v.closes_at, v.proposed_by,
    v.opened_by, v.opened_at, v.because, v.version, v.status = 'open' and v.closes_at > clock_timestamp() as is_open, v.result,
    v.quorum_bps, v.needed_over, v.needed_of
from engine.vote v;

-- Each position of a vote: the units of its holder, the ballot, who cast it for the holder, and the delegate that it has.
create view engine.vote_position as
select w.offering_id, w.vote_id, w.investor_id as holder_id, w.units, b.choice, b.cast_at, b.delegate_id as cast_for_it_by,
    p.delegate_id, coalesce(b.version, 0) as version
from engine.vote_weight w left join engine.ballot b using (offering_id, vote_id, investor_id)
left join engine.proxy p on p.offering_id = w.offering_id and p.vote_id = w.vote_id and p.investor_id = w.investor_id and p.status = 'given';

-- What an investor sees of a vote: each position that it votes with, its own or one under a proxy, with the ballot and the
-- delegate; the result when it is closed.
create view engine.own_vote as
select v.offering_id, v.vote_id, v.status, v.resolution, v.document, v.record_on, v.closes_at, v.is_open, v.result, v.because,
    p.holder_id, p.units, p.choice, p.cast_at, p.cast_for_it_by, p.delegate_id, p.version, s.investor_id
from engine.vote_standing v join engine.vote_position p using (offering_id, vote_id)
cross join lateral (select p.holder_id union select p.delegate_id where p.delegate_id is not null) s (investor_id);
