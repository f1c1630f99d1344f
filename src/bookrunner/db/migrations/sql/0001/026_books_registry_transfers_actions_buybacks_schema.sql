-- Buy-backs and redemptions of a class: what two people opened, what holders offer, what is accepted of it, what the chain burned.

-- A tender is answered by holders within its window; a redemption takes the units of all of them by the terms of the issue. The most that
-- is bought is of units, of money, or both; a redemption without it takes every unit.
create table registry.buyback (
    offering_id text not null,
    buyback_id text not null,
    status text not null,
    kind text not null constraint buyback_kind_is_known check (kind in ('tender', 'redemption')),
    price_minor bigint not null constraint buyback_has_its_price check (price_minor > 0),
    currency text not null,
    most_units bigint constraint bought_units_are_positive check (most_units > 0),
    most_minor bigint constraint bought_money_is_positive check (most_minor > 0),
    periods_bind boolean not null,
    opens_at timestamptz not null,
    closes_at timestamptz not null constraint buyback_window_ends_after_it_opens check (closes_at > opens_at),
    authority_sha256 bytea not null constraint buyback_has_its_paper check (octet_length(authority_sha256) = 32),
    authority_reference text not null constraint buyback_names_its_authority check (authority_reference ~ '\S'),
    proposed_by text not null,
    proposed_at timestamptz not null default clock_timestamp(),
    decided_by text,
    decided_because text,
    decided_at timestamptz,
    accepted_by text,
    accepted_at timestamptz,
    ended_by text,
    ended_because text,
    executed_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, buyback_id),
    constraint buyback_class_has_a_control_book foreign key (offering_id) references registry.control_book,
    constraint buyback_states_its_limit check (kind = 'redemption' or num_nonnulls(most_units, most_minor) > 0),
    constraint bought_money_pays_a_unit check (most_minor >= price_minor),
    constraint buyback_needs_two_people
        check (status in ('proposed', 'declined', 'abandoned') or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false)),
    constraint declined_buyback_has_its_reason check (status <> 'declined' or coalesce(decided_because ~ '\S', false)),
    constraint abandoned_buyback_has_its_reason check (status <> 'abandoned' or coalesce(ended_because ~ '\S', false)),
    constraint buyback_is_given_up_by_another_person check (status <> 'abandoned' or accepted_at is null
        or coalesce(audit.person_of(ended_by) <> audit.person_of(accepted_by), false)),
    constraint accepted_buyback_names_who check ((status in ('accepted', 'executed')) <= (num_nulls(accepted_by, accepted_at) = 0)),
    constraint executed_buyback_has_its_moment check ((status = 'executed') = (executed_at is not null))
);
create unique index one_buyback_is_under_way on registry.buyback (offering_id) where status in ('proposed', 'open', 'accepted');
call audit.keep('registry.buyback', 'buyback', 'buyback_id', 'offering_id');

-- What one holder offers, and what was accepted of it. Somebody who records it for the holder has the holder's paper.
create table registry.tender (
    offering_id text not null,
    tender_id text not null,
    buyback_id text not null,
    status text not null,
    investor_id text not null,
    units bigint not null constraint tendered_units_are_positive check (units > 0),
    accepted_units bigint,
    tendered_by text not null,
    tendered_at timestamptz not null default clock_timestamp(),
    paper_sha256 bytea constraint tender_paper_is_a_sha256 check (octet_length(paper_sha256) = 32),
    withdrawn_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, tender_id),
    foreign key (offering_id, buyback_id) references registry.buyback,
    constraint tender_is_of_a_holder foreign key (offering_id, investor_id) references registry.holding (offering_id, investor_id),
    constraint accepted_tender_says_how_many check (case when status = 'accepted' then coalesce(accepted_units between 1 and units, false)
        else accepted_units is null end),
    constraint withdrawn_tender_names_who check ((status = 'withdrawn') = (withdrawn_by is not null))
);
create unique index holder_tenders_once on registry.tender (offering_id, buyback_id, investor_id) where status = 'tendered';
call audit.keep('registry.tender', 'tender', 'tender_id', 'offering_id');

-- What is taken of one holding for how much, since the acceptance.
create table registry.redemption_line (
    offering_id text not null,
    buyback_id text not null,
    holding_id text not null,
    investor_id text not null,
    offered_units bigint not null,
    units bigint not null constraint redeemed_units_were_offered check (units between 1 and offered_units),
    amount_minor bigint not null check (amount_minor > 0),
    primary key (offering_id, buyback_id, holding_id),
    foreign key (offering_id, buyback_id) references registry.buyback,
    foreign key (offering_id, holding_id) references registry.holding
);
create index redemption_line_of_investor on registry.redemption_line (offering_id, investor_id);
call audit.append_only('registry.redemption_line');

-- Which intent burns the units of a line in which wallet; one that comes to nothing has a successor.
create table registry.redemption_call (
    offering_id text not null,
    buyback_id text not null,
    holding_id text not null,
    address bytea not null check (octet_length(address) = 20),
    units bigint not null check (units > 0),
    intent_id text not null references registry.chain_intent,
    primary key (offering_id, buyback_id, holding_id, address, intent_id),
    foreign key (offering_id, buyback_id, holding_id) references registry.redemption_line
);
call audit.append_only('registry.redemption_call');

-- A line whose units are gone from the chain and from the register; its price is owed from then on.
create table registry.cancellation (
    offering_id text not null,
    buyback_id text not null,
    holding_id text not null,
    units bigint not null,
    cancelled_at timestamptz not null default clock_timestamp(),
    constraint line_is_cancelled_once primary key (offering_id, buyback_id, holding_id),
    foreign key (offering_id, buyback_id, holding_id) references registry.redemption_line
);
call audit.append_only('registry.cancellation');

-- A line that two people take out of a started buy-back because nobody can cancel it: its units are the holder's again, its price the issuer's.
create table registry.line_release (
    offering_id text not null,
    release_id text not null,
    buyback_id text not null,
    holding_id text not null,
    status text not null,
    because text not null constraint released_line_has_its_reason check (because ~ '\S'),
    hindered_by text not null,
    proposed_by text not null,
    proposed_at timestamptz not null default clock_timestamp(),
    decided_by text,
    decided_because text,
    decided_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, release_id),
    constraint released_line_exists foreign key (offering_id, buyback_id, holding_id) references registry.redemption_line,
    constraint decided_line_release_names_who check ((status = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null)),
    constraint decided_line_release_has_its_reason check (status = 'proposed' or coalesce(decided_because ~ '\S', false)),
    constraint line_release_needs_two_people
        check (status <> 'released' or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false))
);
create unique index line_is_released_once on registry.line_release (offering_id, buyback_id, holding_id) where status <> 'declined';
call audit.keep('registry.line_release', 'line_release', 'release_id', 'offering_id', '{because,decided_because,hindered_by}');

create function registry.is_line_released(p_offering text, p_buyback text, p_holding text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
return exists (select from registry.line_release r where r.offering_id = p_offering and r.buyback_id = p_buyback and r.holding_id = p_holding
    and r.status = 'released');

-- Units of a holder that a buy-back takes, and that are not cancelled yet.
create function registry.accepted_units(p_offering text, p_investor text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
return (select coalesce(sum(l.units), 0)::bigint from registry.redemption_line l join registry.buyback b using (offering_id, buyback_id)
    where l.offering_id = p_offering and l.investor_id = p_investor and b.status = 'accepted'
        and not exists (select from registry.cancellation c where c.offering_id = l.offering_id and c.buyback_id = l.buyback_id
            and c.holding_id = l.holding_id) and not registry.is_line_released(l.offering_id, l.buyback_id, l.holding_id));

-- Units of a holder that it has offered, or that were accepted and are not cancelled yet: none of them is free.
create function registry.tendered_units(p_offering text, p_investor text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
return (select coalesce(sum(t.units), 0)::bigint from (
    select x.units from registry.tender x join registry.buyback b using (offering_id, buyback_id)
    where x.offering_id = p_offering and x.investor_id = p_investor and x.status = 'tendered' and b.status = 'open'
    union all select registry.accepted_units(p_offering, p_investor)) t);

-- Lines whose units are there still; waiting are those with an attempt that may yet come through.
create view registry.redemption_open as
select l.offering_id, l.buyback_id, l.holding_id, l.investor_id, l.units, l.amount_minor,
    exists (select from registry.redemption_call c join registry.chain_transaction t using (intent_id) where c.offering_id = l.offering_id
        and c.buyback_id = l.buyback_id and c.holding_id = l.holding_id and t.status in ('signed', 'broadcast', 'mined')) as is_waiting
from registry.redemption_line l join registry.buyback b using (offering_id, buyback_id)
where b.status = 'accepted' and not exists (select from registry.cancellation c where c.offering_id = l.offering_id
    and c.buyback_id = l.buyback_id and c.holding_id = l.holding_id) and not registry.is_line_released(l.offering_id, l.buyback_id, l.holding_id);

-- Burns that the chain may do any moment, and the register has not heard of.
create view registry.burn_under_way as
select distinct c.offering_id, c.intent_id, c.address, c.units from registry.redemption_call c
join registry.chain_transaction t using (offering_id, intent_id) where t.status in ('signed', 'broadcast', 'mined');

create view registry.buyback_fact as
select offering_id, buyback_id, status, kind, price_minor, currency, most_units, most_minor, opens_at, closes_at, accepted_by, accepted_at,
    executed_at, version, chain_head from registry.buyback;

create view registry.tender_fact as
select offering_id, tender_id, buyback_id, status, investor_id, units, accepted_units, tendered_at, version, chain_head from registry.tender;

create view registry.redemption_line_fact as
select l.offering_id, l.buyback_id, l.holding_id, l.investor_id, l.units, l.amount_minor, c.cancelled_at,
    case r.status when 'released' then r.decided_at end as released_at
from registry.redemption_line l left join registry.cancellation c using (offering_id, buyback_id, holding_id)
left join registry.line_release r on r.offering_id = l.offering_id and r.buyback_id = l.buyback_id and r.holding_id = l.holding_id
    and r.status = 'released';

create view registry.line_release_fact as
select offering_id, release_id, buyback_id, holding_id, status, proposed_by, decided_by, version, chain_head from registry.line_release;
