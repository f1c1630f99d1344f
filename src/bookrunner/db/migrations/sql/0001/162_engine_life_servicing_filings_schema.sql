-- Filings and reports that an offer owes, what people state for them, and what a pack of each contains.

-- A fact that no book holds, as a person states it on a document: it starts a clock, and is never taken back.
create table engine.filing_fact (
    offering_id text not null references engine.offer,
    fact_id text not null,
    fact text not null constraint stated_fact_is_known check (fact in
        ('year_end', 'state_sale', 'change_of_notice', 'reportable_event', 'end_of_duty')),
    place text not null default '' constraint sale_names_its_state
        check (case when fact = 'state_sale' then place ~ '^US-[A-Z]{2}$' else place = '' end),
    happened_on date not null,
    because text not null constraint stated_fact_says_what_it_is check (because ~ '\S'),
    evidence_sha256 bytea not null check (octet_length(evidence_sha256) = 32),
    stated_by text not null constraint fact_is_stated_by_a_person check (stated_by <> 'process' and stated_by not like 'provider:%'),
    stated_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, fact_id)
);
call audit.append_only('engine.filing_fact');

-- One filing: what it is owed for, until when, and how it was met. The pack is kept as its text when it is prepared; events
-- tell its digest alone. A pack stays while a person proposes that it is owed no more. Who says that it is
-- not owed is another person than who confirms it; both are empty where its fact was gone.
create table engine.filing (
    offering_id text not null references engine.offer,
    filing_id text not null,
    clock text not null references engine.filing_clock,
    form text not null,
    period text not null,
    place text not null,
    status text not null,
    fact_on date,
    fact_source text not null constraint filing_names_its_fact check (fact_source ~ '\S'),
    due_on date,
    rule_id text,
    rule_version integer,
    pack text,
    pack_sha256 bytea,
    prepared_by text,
    filed_by text constraint filing_is_recorded_by_a_person check (filed_by <> 'process' and filed_by not like 'provider:%'),
    filed_on date,
    reference text,
    proof_sha256 bytea,
    because text,
    ended_by text,
    end_confirmed_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, filing_id),
    constraint only_an_ended_filing_names_who_ended_it check (case status when 'ending' then ended_by is not null and end_confirmed_by is null
        when 'not_owed' then (ended_by is null) = (end_confirmed_by is null) else num_nonnulls(ended_by, end_confirmed_by) = 0 end),
    constraint ended_filing_needs_two_people check (end_confirmed_by is null or audit.person_of(end_confirmed_by) <> audit.person_of(ended_by)),
    constraint fact_owes_one_filing unique (offering_id, clock, period),
    constraint prepared_filing_has_its_pack check ((status = 'ending' or (status in ('prepared', 'filed')) = (pack is not null))
        and (pack is null) = (pack_sha256 is null) and (pack is null) = (prepared_by is null)
        and (pack is null or pack_sha256 = sha256(convert_to(pack, 'UTF8')))),
    constraint filed_filing_has_its_proof check ((status = 'filed') = (filed_by is not null)
        and (filed_by is null) = (filed_on is null) and (filed_by is null) = (proof_sha256 is null)
        and coalesce(reference ~ '\S', false) = (filed_by is not null)
        and coalesce(octet_length(proof_sha256), 32) = 32),
    constraint filing_that_is_not_owed_says_why check (status not in ('ending', 'not_owed') or coalesce(because ~ '\S', false))
);
create index filings_by_due_day on engine.filing (due_on) where status in ('due', 'prepared', 'ending');

call audit.keep('engine.filing', 'filing', 'filing_id', 'offering_id', '{pack}');

-- What a form asks for: found in a book, or filled by a person.
create table engine.filing_item (
    form text not null,
    place integer not null check (place > 0),
    code text not null,
    found text,
    is_mandatory boolean not null,
    sentence text not null,
    citation text not null constraint item_names_its_source check (citation ~ '\S'),
    primary key (form, code),
    constraint items_of_a_form_have_their_places unique (form, place)
);

-- What a person filled in, and from which source; the last one counts.
create table engine.filing_value (
    offering_id text not null,
    filing_id text not null,
    code text not null,
    ordinal integer not null check (ordinal > 0),
    value text not null constraint filled_value_says_something check (value ~ '\S' and length(value) <= 4000),
    source text not null constraint filled_value_names_its_source check (source ~ '\S' and length(source) <= 400),
    stated_by text not null constraint value_is_filled_by_a_person check (stated_by <> 'process' and stated_by not like 'provider:%'),
    stated_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, filing_id, code, ordinal),
    foreign key (offering_id, filing_id) references engine.filing
);
call audit.append_only('engine.filing_value');
