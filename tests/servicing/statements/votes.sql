-- Refused to a login with every right. Each head: login, constraint, sentence.

-- engine | vote_weighs_by_the_register | weights that the register does not give, of the same sum
insert into engine.vote_weight values ('ofr_voted', 'vot_waits', 'ivr_voted1', 3), ('ofr_voted', 'vot_waits', 'ivr_voted2', 2),
    ('ofr_voted', 'vot_waits', 'ivr_voted3', 1);
update engine.vote set status = 'open', opened_by = 'usr_thief', opened_at = clock_timestamp() where vote_id = 'vot_waits';

-- engine | vote_weighs_by_the_register | a weight of a stranger beside those of the register
insert into engine.vote_weight select 'ofr_voted', 'vot_waits', r.investor_id, r.units from engine.vote v,
    engine.vote_register('ofr_voted', v.record_on) r where v.vote_id = 'vot_waits';
insert into engine.vote_weight values ('ofr_voted', 'vot_waits', 'ivr_thief', 1);
update engine.vote set status = 'open', opened_by = 'usr_thief', opened_at = clock_timestamp() where vote_id = 'vot_waits';

-- engine | vote_weighs_by_the_register | a weight that comes after the opening
insert into engine.vote_weight values ('ofr_voted', 'vot_one', 'ivr_thief', 1);

-- engine | vote_weighs_by_the_register | a vote that is opened without its holders
update engine.vote set status = 'open', opened_by = 'usr_thief', opened_at = clock_timestamp() where vote_id = 'vot_waits';

-- engine | history_is_append_only | a weight that is changed
update engine.vote_weight set units = 100 where vote_id = 'vot_one';

-- engine | ballot_has_a_position | a ballot of somebody without units
insert into engine.ballot (offering_id, ballot_id, vote_id, investor_id, status, choice, cast_by, cast_at)
    values ('ofr_voted', 'bal_x', 'vot_one', 'ivr_thief', 'cast', 'for', 'ivr_thief', clock_timestamp());

-- engine | holder_has_one_ballot | a second ballot of one holder
insert into engine.ballot (offering_id, ballot_id, vote_id, investor_id, status, choice, cast_by, cast_at)
    values ('ofr_voted', 'bal_x', 'vot_one', 'ivr_voted1', 'cast', 'for', 'ivr_voted1', clock_timestamp());

-- engine | ballot_stays_with_its_holder | a ballot that goes to another holder
update engine.ballot set investor_id = 'ivr_voted3' where vote_id = 'vot_one';

-- engine | ballot_is_cast_in_time | a ballot in a vote that is over
insert into engine.ballot (offering_id, ballot_id, vote_id, investor_id, status, choice, cast_by, cast_at)
    values ('ofr_voted', 'bal_x', 'vot_over', 'ivr_voted1', 'cast', 'for', 'ivr_voted1', clock_timestamp());

-- engine | ballot_is_cast_in_time | a changed ballot in a vote that is over
update engine.ballot set choice = 'against' where vote_id = 'vot_over';

-- engine | delegate_has_a_proxy | a ballot that nobody may cast for the holder
update engine.ballot set delegate_id = 'ivr_voted3' where vote_id = 'vot_one';

-- engine | holder_has_one_delegate | a second delegate
insert into engine.proxy (offering_id, proxy_id, vote_id, investor_id, delegate_id, status, given_by)
    values ('ofr_voted', 'prx_x', 'vot_one', 'ivr_voted2', 'ivr_thief', 'given', 'ivr_thief');

-- engine | proxy_stays_with_its_delegate | a proxy that goes to another
update engine.proxy set delegate_id = 'ivr_thief';

-- engine | proxy_is_of_a_position | a proxy of nobody
insert into engine.proxy (offering_id, proxy_id, vote_id, investor_id, delegate_id, status, given_by)
    values ('ofr_voted', 'prx_x', 'vot_one', 'ivr_thief', 'ivr_voted1', 'given', 'ivr_thief');

-- engine | vote_closes_at_its_end | a vote that is closed early
update engine.vote set status = 'closed', result = engine.vote_count(offering_id, vote_id) where vote_id = 'vot_one';

-- engine | result_is_the_count_of_its_ballots | a result that is changed
update engine.vote set result = result || '{"is_carried": true}' where vote_id = 'vot_over';

-- engine | vote_is_locked_as_proposed | another resolution under the ballots
update engine.vote set resolution = 'The fund may lend everything.' where vote_id = 'vot_one';

-- engine | vote_is_locked_as_proposed | a vote that goes on
update engine.vote set closes_at = closes_at + interval '1 day' where vote_id = 'vot_one';

-- engine | transition_is_listed_for_the_keeper | a vote that is closed twice
update engine.vote set because = 'once more' where vote_id = 'vot_over';

-- engine | records_are_never_deleted | a ballot that was never cast
delete from engine.ballot;

-- registry | transition_is_listed_for_the_keeper | another keeper ends a vote
update engine.vote set status = 'cancelled', because = 'so' where vote_id = 'vot_one';
