-- Cash in lieu of the fractions of a split: funded, owed once and paid like the lines of a distribution, under the id of the split.

-- What a split owes for fractions, the money for it, and where its lines are.
create view treasury.lieu_standing as
select c.offering_id, c.split_id, c.currency, c.owed_on, c.lines as holders, c.owed_minor, coalesce(f.taken_minor, 0) as funded_minor,
    coalesce(f.taken_back_minor, 0) as taken_back_minor, coalesce(f.receivable_minor, 0) as receivable_minor,
    j.journal_id is not null as is_started, coalesce(x.states, '{}') as states
from (select l.offering_id, l.split_id, l.currency, l.owed_on, count(*) as lines, sum(l.amount_minor)::bigint as owed_minor
    from engine.cash_in_lieu l group by l.offering_id, l.split_id, l.currency, l.owed_on) c
left join treasury.distribution_money f on f.offering_id = c.offering_id and f.distribution_id = c.split_id
left join treasury.journal j on j.offering_id = c.offering_id and j.journal_id = 'declared:' || c.split_id
left join lateral (select jsonb_object_agg(s.status, jsonb_build_object('lines', s.lines, 'minor', s.minor)) as states
    from (select d.status, count(*) as lines, sum(d.amount_minor) as minor from treasury.disbursement d
        where d.offering_id = c.offering_id and d.distribution_id = c.split_id group by d.status) s) x on true;

-- Owes every line of an executed split, once its money is there. A second start owes nobody anything.
create function treasury.pay_cash_in_lieu(p_actor text, p_request text, p_offering text, p_split text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s treasury.lieu_standing;
    there bigint;
    declared integer;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into s from treasury.lieu_standing x where x.offering_id = p_offering and x.split_id = p_split;
    if s.split_id is null then
        raise exception using errcode = 'BR404', constraint = 'cash_in_lieu_is_of_an_executed_split',
            message = format('%s owes nobody cash for a fraction', p_split);
    end if;
    if s.is_started then
        return 0;
    end if;
    there := coalesce((select f.funded_minor from treasury.distribution_funding f
        where f.offering_id = p_offering and f.distribution_id = p_split), 0);
    if there < s.owed_minor then
        raise exception using errcode = 'BR008', constraint = 'cash_in_lieu_is_funded_before_it_is_paid',
            message = format('%s of %s are there for %s', there, s.owed_minor, p_split);
    end if;
    insert into treasury.disbursement (offering_id, disbursement_id, distribution_id, investor_id, payee_id, status, amount_minor, currency,
        owed_since)
    select l.offering_id, l.line_id, l.split_id, l.investor_id, l.payee_id, 'owed', l.amount_minor, l.currency, l.owed_on
    from engine.cash_in_lieu l where l.offering_id = p_offering and l.split_id = p_split order by l.line_id;
    get diagnostics declared = row_count;
    perform treasury.post(p_offering, 'declared:' || p_split, 'cash_in_lieu_declared', s.currency, jsonb_build_array(
        jsonb_build_object('account', 'liab:distribution_funds:' || p_split, 'side', 'debit', 'amount', s.owed_minor),
        jsonb_build_object('account', 'liab:distribution:' || p_split, 'side', 'credit', 'amount', s.owed_minor)));
    return declared;
end $$;
