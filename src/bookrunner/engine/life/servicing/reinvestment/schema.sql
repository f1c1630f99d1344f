-- What distributions reinvest: every holder with an election, its units at the price of the plan, or why it is paid in cash.

-- A share of what one line would pay becomes whole units; the rest stays cash of the line. What is reinvested is set off and never paid in money.
create table engine.reinvestment (
    offering_id text not null,
    distribution_id text not null,
    line_id text not null,
    investor_id text not null,
    plan_id text not null,
    election_id text not null,
    share_bp integer not null constraint reinvested_share_is_a_part check (share_bp between 1 and 10000),
    price_minor bigint not null check (price_minor > 0),
    units bigint not null check (units >= 0),
    amount_minor bigint not null,
    because text constraint cash_has_a_known_reason check (because in ('match_with_a_list', 'payee_is_another', 'amount_is_less_than_a_unit',
        'units_changed_since_the_plan', 'another_class_is_converted_into_this_one', 'holder_is_not_cleared', 'account_is_frozen', 'holding_is_held',
        'holder_has_no_units', 'holder_died', 'wallet_is_not_linked',
        'share_is_over_its_limit', 'plan_has_too_few_units', 'supply_is_not_known', 'authorised_units_are_too_few')),
    primary key (offering_id, distribution_id, line_id),
    foreign key (offering_id, distribution_id, line_id) references engine.distribution_line deferrable initially deferred,
    constraint reinvested_amount_is_the_price_of_its_units check (amount_minor::numeric = units::numeric * price_minor),
    constraint cash_alone_has_its_reason check ((units = 0) = (because is not null))
);
create index reinvestment_of_investor on engine.reinvestment (offering_id, investor_id);
create index reinvestment_of_plan on engine.reinvestment (offering_id, plan_id);
call audit.append_only('engine.reinvestment');

create trigger part_is_drafted_with_the_whole before insert on engine.reinvestment
    for each row execute function engine.part_is_drafted_with_the_whole();
alter table engine.reinvestment enable always trigger part_is_drafted_with_the_whole;

-- Units that distributions give instead of money, those of drafts with them.
create view engine.reinvestment_due as
select r.offering_id, r.distribution_id, r.line_id, l.holding_id, r.investor_id, r.plan_id, r.price_minor, r.units, r.amount_minor, d.status,
    d.drafted_at, d.pay_on
from engine.reinvestment r join engine.distribution d using (offering_id, distribution_id)
join engine.distribution_line l using (offering_id, distribution_id, line_id)
where r.units > 0 and d.status <> 'cancelled';

-- Whether two people agreed to a distribution, its payment has begun and no bank took money of it back.
create function engine.reinvestment_is_funded(p_offering text, p_distribution text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from engine.distribution d where d.offering_id = p_offering and d.distribution_id = p_distribution
        and d.status in ('paying', 'paid') and not treasury.lacks_money(p_offering, p_distribution));
end $$;
