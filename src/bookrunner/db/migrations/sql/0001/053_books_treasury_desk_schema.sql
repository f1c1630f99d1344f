-- The administrators' desk: what one proposes about a receipt and another decides, and until when a payment is asked for.

create table treasury.proposal (
    offering_id text not null,
    proposal_id text not null,
    status text not null,
    act text not null constraint proposed_act_is_known check (act in ('match', 'undo', 'accept_source', 'refund', 'redeem')),
    receipt_id text not null,
    receipt_version bigint not null,
    investment_id text,
    amount_minor bigint check (amount_minor > 0),
    refund_reason text,
    because text not null constraint proposal_has_its_reason check (because ~ '\S'),
    proposed_by text not null,
    decided_by text,
    decided_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, proposal_id),
    foreign key (offering_id, receipt_id) references treasury.receipt,
    constraint proposed_match_names_its_investment check ((act = 'match') = (investment_id is not null)),
    constraint proposed_amount_is_of_a_refund check (act = 'refund' or amount_minor is null and refund_reason is null),
    constraint decided_proposal_names_who check ((status = 'proposed') = (decided_by is null)),
    constraint declined_proposal_has_its_reason check ((status = 'declined') <= (decided_because is not null and decided_because ~ '\S')),
    constraint proposal_needs_two_people check ((status = 'approved') <= (audit.person_of(decided_by) <> audit.person_of(proposed_by)))
);

create unique index one_proposal_waits_per_receipt on treasury.proposal (offering_id, receipt_id) where status = 'proposed';

-- Within how many banking days after its instructions a payment is asked for.
create table treasury.payment_term (
    valid_from date primary key,
    banking_days integer not null constraint payment_term_is_a_length_of_time check (banking_days between 1 and 366),
    proposed_by text not null,
    approved_by text not null,
    constraint payment_term_needs_two_people check (audit.person_of(proposed_by) <> audit.person_of(approved_by))
);

insert into treasury.payment_term (valid_from, banking_days, proposed_by, approved_by)
values ('2020-01-01', 10, 'bookrunner', 'administrator');

-- Until when on a banking day a payment of a rail still settles that day, in the time of a place.
create table treasury.rail_cut_off (
    rail text not null constraint cut_off_is_of_a_rail_of_banks check (rail in ('wire', 'ach_credit')),
    valid_from date not null,
    until time not null,
    zone text not null constraint cut_off_has_its_zone check (now() at time zone zone is not null),
    source text not null constraint cut_off_names_its_source check (source ~ '\S'),
    proposed_by text not null,
    approved_by text not null,
    primary key (rail, valid_from),
    constraint cut_off_needs_two_people check (audit.person_of(proposed_by) <> audit.person_of(approved_by))
);

insert into treasury.rail_cut_off (rail, valid_from, until, zone, source, proposed_by, approved_by) values
    ('wire', '2021-03-08', '18:45', 'America/New_York', 'Fedwire Funds Service: cut-off of customer transfers', 'bookrunner', 'administrator'),
    ('ach_credit', '2021-03-19', '16:45', 'America/New_York', 'FedACH: last window of Same Day ACH', 'bookrunner', 'administrator');

-- Who looked at the name of a payer, and for what.
create table treasury.payer_view (
    offering_id text not null,
    view_id text not null,
    receipt_id text not null,
    status text not null,
    purpose text not null constraint payer_view_has_its_purpose check (purpose ~ '\S'),
    viewed_by text not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, view_id),
    foreign key (offering_id, receipt_id) references treasury.receipt
);

-- Who took the bytes of an order to the bank, which name accounts and people, and for what.
create table treasury.order_view (
    offering_id text not null,
    view_id text not null,
    payout_id text not null,
    status text not null,
    purpose text not null constraint order_view_has_its_purpose check (purpose ~ '\S'),
    viewed_by text not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, view_id),
    foreign key (offering_id, payout_id) references treasury.payout
);

call audit.append_only('treasury.payment_term');
call audit.append_only('treasury.rail_cut_off');
call audit.keep('treasury.proposal', 'proposal', 'proposal_id', 'offering_id');
call audit.keep('treasury.payer_view', 'payer_view', 'view_id', 'offering_id');
call audit.keep('treasury.order_view', 'order_view', 'view_id', 'offering_id');
