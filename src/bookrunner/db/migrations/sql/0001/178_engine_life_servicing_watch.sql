-- Holders whom mail or money does not reach, over the books of agent and administrator, as one list of work.

-- Whether a list names payee or holder, or somebody who stands behind one of them, and nobody has said that it is another.
create function engine.is_matched(p_investors text[]) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from compliance.subjects_behind(p_investors) b where compliance.is_hit(b.subject_id));
end $$;

-- Whether money of a distribution was owed to somebody on a day and could not be paid. Whom a list names is not written to: that money
-- waits for its match, whatever became of its line since.
create function engine.is_unpaid(p_offering text, p_disbursement text, p_on date) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
return exists (select from treasury.disbursement_fact d where d.offering_id = p_offering and d.disbursement_id = p_disbursement
    and d.status in ('held', 'returned', 'unclaimed') and d.owed_since <= p_on
    and d.held_because is distinct from 'match_with_a_list' and not engine.is_matched(array[d.payee_id, d.investor_id]));

-- Money of distributions that could not be paid: when its payee is written to, and when the state of a lost payee takes it. It is the
-- payee that is written to, not the holder who named it; money of a payee or a holder whom a list names is left out.
create view engine.unpaid_money as
select d.offering_id, d.disbursement_id, d.payee_id, d.amount_minor, d.currency, d.status, d.owed_since,
    (d.owed_since + interval '6 months')::date as notice_from, (d.owed_since + interval '7 months')::date as notice_by,
    n.written_on, l.lost_id is not null as is_of_lost_holder, l.region, c.months, c.source, c.certainty,
    (d.owed_since + make_interval(months => c.months))::date as falls_on
from treasury.disbursement_fact d
left join registry.unpaid_notice n on n.offering_id = d.offering_id and n.disbursement_id = d.disbursement_id
left join lateral (select x.lost_id, x.region from registry.lost_standing x where x.offering_id = d.offering_id
    and x.investor_id = d.payee_id and x.status = 'lost' limit 1) l on true
left join lateral registry.dormancy_of(d.offering_id, l.region, 'distributions') c on true
where d.status in ('held', 'returned', 'unclaimed') and d.held_because is distinct from 'match_with_a_list'
    and not engine.is_matched(array[d.payee_id, d.investor_id]);

-- The work: mail to send again, searches in their windows (17 CFR 240.17Ad-17(a)), payees to write to (240.17Ad-17(c)), property that
-- falls to a state.
create view engine.holder_work as
select w.offering_id, w.work, w.subject, w.investor_id, w.opens_on, w.due_on, w.opens_on <= t.today as is_open, w.due_on < t.today as is_overdue,
    w.source, w.certainty
from (
    select l.offering_id, 'send_mail_again' as work, l.lost_id as subject, l.investor_id, l.returned_on as opens_on, l.send_again_by as due_on,
        '17 CFR 240.17Ad-17(b)(2)' as source, 'confirmed' as certainty
    from registry.lost_standing l where l.status = 'returned'
    union all
    select l.offering_id, case l.search_no when 1 then 'make_first_search' else 'make_second_search' end, l.task_id, l.investor_id,
        l.opens_on, l.due_on, '17 CFR 240.17Ad-17(a)(1)', 'confirmed'
    from registry.lost_standing l where l.task_id is not null
    union all
    select l.offering_id, 'units_fall_to_state', l.lost_id, l.investor_id, (l.dormant_on - interval '6 months')::date, l.dormant_on,
        l.dormancy_source, l.dormancy_certainty
    from registry.lost_standing l where l.status = 'lost' and l.units > 0 and l.dormant_on is not null
    union all
    select u.offering_id, 'write_to_unpaid_payee', u.disbursement_id, u.payee_id, u.notice_from, u.notice_by,
        '17 CFR 240.17Ad-17(c)', 'confirmed'
    from engine.unpaid_money u where u.written_on is null and not u.is_of_lost_holder
    union all
    select u.offering_id, 'money_falls_to_state', u.disbursement_id, u.payee_id, (u.falls_on - interval '6 months')::date, u.falls_on,
        u.source, u.certainty
    from engine.unpaid_money u where u.falls_on is not null) w
cross join (select (clock_timestamp() at time zone 'UTC')::date as today) t;
