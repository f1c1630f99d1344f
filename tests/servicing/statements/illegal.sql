-- Refused to a login with every right. Each head: login, constraint, sentence.

-- engine | filing_is_owed_by_its_fact | a filing that no fact owes
insert into engine.filing (offering_id, filing_id, clock, form, period, place, status, fact_on, fact_source, due_on)
    values ('ofr_one', 'fil_x', 'form_c', 'C', '', '', 'due', '2026-11-20', 'x', '2026-11-19');

-- engine | fact_owes_one_filing | a second filing for one fact
insert into engine.filing (offering_id, filing_id, clock, form, period, place, status, fact_on, fact_source, due_on, rule_id, rule_version)
    select offering_id, 'fil_x', clock, form, period, place, 'due', fact_on, fact_source, due_on, rule_id, rule_version
    from engine.filing where clock = 'form_d';

-- engine | filing_is_owed_by_its_fact | a later day
update engine.filing set due_on = due_on + 1 where clock = 'form_d';

-- engine | filing_is_of_one_fact | a filing of another form
update engine.filing set form = 'D/A' where clock = 'form_d';

-- engine | prepared_pack_is_filled | a pack with gaps that is called ready
update engine.filing set status = 'prepared', pack = '{}', pack_sha256 = sha256('{}'), prepared_by = 'usr_thief' where clock = 'state_notice';

-- engine | pack_is_of_the_facts_now | a pack that says something else
update engine.filing set status = 'prepared', pack = '{}', pack_sha256 = sha256('{}'), prepared_by = 'usr_thief' where clock = 'form_d';

-- engine | prepared_filing_has_its_pack | a digest of something else
update engine.filing set status = 'prepared', pack = engine.filing_text(offering_id, filing_id), pack_sha256 = sha256('{}'),
    prepared_by = 'usr_thief' where clock = 'form_d';

-- engine | transition_is_listed_for_the_keeper | filed without being prepared
update engine.filing set status = 'filed', pack = engine.filing_text(offering_id, filing_id),
    pack_sha256 = sha256(convert_to(engine.filing_text(offering_id, filing_id), 'UTF8')), prepared_by = 'usr_thief',
    filed_by = 'usr_thief', filed_on = '2026-01-01', reference = 'x', proof_sha256 = sha256('x') where clock = 'form_d';

-- engine | filing_is_made_by_a_person | the engine prepares by itself
select audit.enter('process', 'req_theft');
update engine.filing set status = 'prepared', pack = engine.filing_text(offering_id, filing_id),
    pack_sha256 = sha256(convert_to(engine.filing_text(offering_id, filing_id), 'UTF8')), prepared_by = 'process' where clock = 'form_d';

-- engine | owed_filing_is_ended_by_a_person | the engine ends what is owed
select audit.enter('process', 'req_theft');
update engine.filing set status = 'not_owed', because = 'so' where clock = 'form_d';

-- engine | owed_filing_is_ended_by_a_person | nobody ends what is owed
update engine.filing set status = 'not_owed', because = 'so' where clock = 'form_d';

-- engine | filing_that_is_not_owed_says_why | ended without a reason
update engine.filing set status = 'ending', ended_by = 'usr_thief' where clock = 'form_d';

-- engine | ended_filing_needs_two_people | ended in one breath
update engine.filing set status = 'not_owed', because = 'so', ended_by = 'usr_thief', end_confirmed_by = 'usr_other' where clock = 'form_d';

-- engine | ended_filing_needs_two_people | ended by one person twice
update engine.filing set status = 'ending', because = 'so', ended_by = 'usr_thief' where clock = 'form_d';
update engine.filing set status = 'not_owed', end_confirmed_by = 'usr_thief' where clock = 'form_d';

-- engine | history_is_append_only | a filled value that is changed
update engine.filing_value set value = 'Another';

-- engine | history_is_append_only | a stated fact that is taken back
delete from engine.filing_fact;

-- engine | fact_is_stated_by_a_person | a fact of the engine's own
insert into engine.filing_fact (offering_id, fact_id, fact, happened_on, because, evidence_sha256, stated_by)
    values ('ofr_one', 'fct_x', 'year_end', '2026-12-31', 'so', sha256('x'), 'process');

-- engine | value_is_filled_by_a_person | a value of the engine's own
insert into engine.filing_value (offering_id, filing_id, code, ordinal, value, source, stated_by)
    select offering_id, filing_id, 'cik', 9, '1', 'so', 'process' from engine.filing where clock = 'form_d';

-- engine | filled_value_names_its_source | a value from nowhere
insert into engine.filing_value (offering_id, filing_id, code, ordinal, value, source, stated_by)
    select offering_id, filing_id, 'cik', 9, '1', ' ', 'usr_thief' from engine.filing where clock = 'form_d';

-- engine | history_is_append_only | a clock that runs longer
update engine.filing_clock set fixed_days = 900, rule_id = null where clock = 'form_d';

-- engine | history_is_append_only | an item that nobody has to fill
update engine.filing_item set is_mandatory = false;

-- engine | records_are_never_deleted | a filing that was never owed
delete from engine.filing;

-- compliance | transition_is_listed_for_the_keeper | another keeper ends a filing
update engine.filing set status = 'ending', because = 'so', ended_by = 'usr_thief' where clock = 'form_d';

-- compliance | history_is_append_only | a calendar with another source
update compliance.calendar set saturday_moves_to_friday = false;
