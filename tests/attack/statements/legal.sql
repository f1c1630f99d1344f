-- Accepted from the keeper's own login.

-- portal | accepted | a legal statement 0
select portal.require_correction('usr_1', 'req_1', 'ivr_early1');

-- portal | accepted | a legal statement 1
select missing
    from engine.stage;

-- compliance | accepted | a legal statement 2
select compliance.revoke_identity('usr_1', 'req_1', 'ivr_full1', 'forged');

-- compliance | accepted | a legal statement 3
select legal_name
    from portal.profile_claim;

-- subscription | accepted | a legal statement 4
select subscription.void_agreement('usr_1', 'req_1', 'ofr_full', 'agr_full1', 'amended');

-- treasury | accepted | a legal statement 5
select treasury.record_return('usr_1', 'req_1', 'ofr_open', 'rcp_open2');

-- treasury | accepted | a legal statement 6
select treasury.import_statement('usr_1', 'req_1', 'ofr_open', '{"id": "stm_x", "account": "ESCROW1", "bank_id": "b", "file_sha256": "00", "opening_minor": 0, "closing_minor": 5, "closed_on": "2026-03-31", "currency": "USD"}', '[{"id": "rcp_x", "key": "x", "amount": 5, "currency": "USD", "booked_on": "2026-03-30", "value_on": "2026-03-30", "line_sha256": "00"}]'), treasury.match('usr_1', 'req_1', 'ofr_open');

-- treasury | accepted | a legal statement 7
select treasury.approve_release('usr_second', 'req_1', 'ofr_done', 'rel_done', sha256('payee'), 300000);

-- registry | accepted | a legal statement 8
select registry.stop('usr_1', 'req_1', 'ofr_full', '{inv_full1}', 'asked');

-- registry | accepted | a legal statement 9
select registry.take_lines('usr_1', 'req_1', 'ofr_full', 'cls_full', 10);

-- engine | accepted | a legal statement 10
select engine.freeze_closing('usr_1', 'req_1', 'ofr_open', 'cls_open', '{inv_open2,inv_open3}');

-- engine | accepted | a legal statement 11
select *
    from engine.five_counts;

-- engine | accepted | a legal statement 12
select engine.move_offer('usr_1', 'req_1', 'ofr_full', 'legally_closed');

-- audit | accepted | a legal statement 13
select audit.advance_feed(10);

-- audit | accepted | a legal statement 14
select *
    from engine.stage;

-- reconciliation | accepted | a legal statement 15
select reconciliation.run('usr_1', 'req_1', 'ofr_full', 'run_1', null);
