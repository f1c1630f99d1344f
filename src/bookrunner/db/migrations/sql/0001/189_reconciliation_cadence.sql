-- When the books have to be compared: data that says how often in which phase of an offer, and what is due now.

-- A new row with a later day takes the place of an older one; two people name it.
create table reconciliation.cadence (
    phase text not null constraint phase_is_known check (phase in ('quiet', 'raising', 'closing')),
    valid_from date not null,
    every interval not null constraint cadence_has_a_length check (every > interval '0'),
    sentence text not null,
    proposed_by text not null,
    approved_by text not null,
    primary key (phase, valid_from),
    constraint cadence_needs_two_people check (audit.person_of(proposed_by) <> audit.person_of(approved_by)),
    constraint cadence_is_at_least_the_least check (every <= case phase when 'quiet' then interval '1 month'
        when 'raising' then interval '7 days' else interval '1 day' end)
);
insert into reconciliation.cadence (phase, valid_from, every, sentence, proposed_by, approved_by) values
    ('quiet', '2020-01-01', '1 month', 'At least monthly while nothing is raised.', 'house', 'house rules'),
    ('raising', '2020-01-01', '7 days', 'Weekly while investors subscribe.', 'house', 'house rules'),
    ('closing', '2020-01-01', '1 day', 'Daily in the two weeks before and after a close.', 'house', 'house rules');
call audit.append_only('reconciliation.cadence');

-- The phase of each offer that is open or was: near a close, raising, or quiet. A close is an end that the terms name, or a
-- closing whose record moved.
create view reconciliation.phase as
select o.offering_id, o.status, o.published_at, case
        when o.status in ('published', 'legally_closed') and t.closes_at <= clock_timestamp() + interval '14 days'
            or o.status = 'legally_closed' or c.moved_at >= clock_timestamp() - interval '14 days' then 'closing'
        when o.status = 'published' then 'raising' else 'quiet' end as phase
from engine.offer o
left join lateral (select min(x.closes_at) as closes_at from engine.terms x
    where x.offering_id = o.offering_id and x.status <> 'superseded') t on true
left join lateral (select max(e.recorded_at) as moved_at from engine.closing x
    join audit.event e on e.scope = x.offering_id and e.subject = x.closing_id where x.offering_id = o.offering_id) c on true
where o.published_at is not null and o.status <> 'closed_unsuccessfully';

-- When the next whole run of each offer is due; one that did not see the chain was none. What was due a quarter of its period ago was missed.
create view reconciliation.due as
select p.offering_id, p.phase, k.every, r.started_at as last_run_at, r.run_id as last_run_id,
    coalesce(r.started_at, p.published_at) + k.every as due_at,
    coalesce(r.started_at, p.published_at) + k.every <= clock_timestamp() as is_due,
    coalesce(r.started_at, p.published_at) + k.every * 1.25 as missed_at,
    coalesce(r.started_at, p.published_at) + k.every * 1.25 <= clock_timestamp() as is_missed
from reconciliation.phase p
join lateral (select c.every from reconciliation.cadence c where c.phase = p.phase and c.valid_from <= current_date
    order by c.valid_from desc limit 1) k on true
left join lateral (select x.started_at, x.run_id from reconciliation.run x where x.offering_id = p.offering_id and x.is_whole
        and x.saw_the_chain
    order by x.started_at desc limit 1) r on true;

create function reconciliation.kept_cadence(p_offering text) returns setof reconciliation.difference
language sql stable
begin atomic
    select 'run_was_missed', d.offering_id, cast(null as text), audit.instant(d.due_at), coalesce(audit.instant(d.last_run_at), 'none'),
        cast(null as text)
    from reconciliation.due d where d.offering_id = p_offering and d.is_missed;
end;
