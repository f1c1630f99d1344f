-- name: releases
-- Releases of an offer after a place in the order of their ids, or the one that is named.
select r.release_id, r.closing_id, r.status, r.amount_minor, r.deducted_minor, r.currency, r.proposed_by, r.approved_by, r.fees_differ,
    r.version, (select coalesce(jsonb_agg(jsonb_build_object('kind', d.kind, 'payee', d.payee, 'amount_minor', d.amount_minor)
        order by d.line), '[]') from treasury.deduction d
        where d.offering_id = r.offering_id and d.release_id = r.release_id) as deductions
from treasury.release r
where r.offering_id = :offering and (cast(:after as text) is null or r.release_id > :after)
    and (cast(:release as text) is null or r.release_id = :release)
order by r.release_id limit cast(:most as integer);

-- name: propose_release^
-- Claims the key, proposes to release the escrow of a closing, stores the answer.
select answer, is_replay from api.propose_release(:key, :request, :body_sha256, :offering, :release, :closing, :payee_fingerprint,
    cast(:deductions as jsonb));

-- name: decide_release^
-- Claims the key, approves or declines a release as another person, stores the answer.
select answer, is_replay from api.decide_release(:key, :request, :body_sha256, :offering, :release, :version, :is_approved,
    :payee_fingerprint, cast(:named as jsonb), :because);

-- name: move_wallet^
-- Claims the key, takes one step with a wallet, stores the answer.
select answer, is_replay from api.move_wallet(:key, :request, :body_sha256, :offering, :mapping, :version, :act, :because,
    cast(:witness as jsonb));

-- name: act_on_break^
-- Claims the key, acts on a break, stores the answer.
select answer, is_replay from api.act_on_break(:actor, :request, :body_sha256, :offering, :break_id, :version, :serving, :act, :words);

-- name: bank_statements
-- Statements of an offer's account after a place in the order of their ids, or the one that is named, and how far their entries are.
select s.statement_id, s.status, s.account, s.bank_statement_id, encode(s.file_sha256, 'hex') as file_sha256, s.opening_minor,
    s.closing_minor, s.closed_on, s.entries, s.version, o.currency,
    (select coalesce(jsonb_object_agg(x.status, x.receipts), '{}') from (
        select r.status, count(*) as receipts from treasury.receipt r
        where r.offering_id = s.offering_id and r.statement_id = s.statement_id group by r.status) x) as receipts
from treasury.statement s join engine.offer o using (offering_id)
where s.offering_id = :offering and (cast(:after as text) is null or s.statement_id > :after)
    and (cast(:statement as text) is null or s.statement_id = :statement)
order by s.statement_id limit cast(:most as integer);

-- name: take_bank_statement^
-- Claims the key of a bank statement, stores the answer.
select answer, is_replay from api.take_bank_statement(:key, :request, :body_sha256, :offering, :statement, :file_sha256);

-- name: act_on_interest^
-- Claims the key, acts on the board for a holder, stores the answer.
select answer, is_replay from api.act_on_interest(:actor, :request, :body_sha256, :offering, :interest, :act, cast(:said as jsonb),
    :transfer, :item, cast(:clock as jsonb));

-- name: distributions
-- The distributions of an offer by id, or one of them, each with its tiers.
select s.*, t.tiers from engine.distribution_standing s join engine.distribution_tiers t using (offering_id, distribution_id)
where s.offering_id = :offering and (cast(:distribution as text) is null or s.distribution_id = :distribution)
    and (cast(:after as text) is null or s.distribution_id > :after) order by s.distribution_id limit cast(:most as integer);

-- name: distribution_lines
-- The lines of a distribution by id, each with its payment where it is owed.
select * from engine.distribution_line_standing l where l.offering_id = :offering and l.distribution_id = :distribution
    and (cast(:after as text) is null or l.line_id > :after) order by l.line_id limit cast(:most as integer);

-- name: decide_distribution^
-- Claims the key, approves a distribution on its version or cancels it, stores the answer.
select answer, is_replay from api.decide_distribution(:key, :request, :body_sha256, :offering, :distribution, :version, :is_approved,
    :because);

-- name: splits
-- The splits of an offer, the newest first, with their sums and the rules that an agreed one waits for.
select s.*, array(select h.rule from registry.split_hindrances(s.offering_id, s.split_id) h where s.status = 'approved' order by h.place) as waits_for
from registry.split_standing s where s.offering_id = :offering order by s.proposed_at desc, s.split_id;

-- name: buybacks
-- The buy-backs of an offer, the newest first, with their sums.
select * from registry.buyback_standing s where s.offering_id = :offering order by s.proposed_at desc, s.buyback_id;

-- name: propose_buyback^
-- Claims the key, proposes a buy-back, stores the answer.
select answer, is_replay from api.propose_buyback(:key, :request, :body_sha256, :offering, :buyback, cast(:terms as jsonb));

-- name: decide_buyback^
-- Claims the key, opens, declines, accepts or abandons a buy-back on its version, stores the answer.
select answer, is_replay from api.decide_buyback(:key, :request, :body_sha256, :offering, :buyback, :version, :decision, :because);

-- name: tender_units^
-- Claims the key, records what a holder offers or takes back, stores the answer.
select answer, is_replay from api.tender(:key, :request, :body_sha256, :offering, :buyback, :tender, :investor, :units, :paper_sha256);

-- name: propose_split^
-- Claims the key, proposes a split, stores the answer.
select answer, is_replay from api.propose_split(:key, :request, :body_sha256, :offering, :split, cast(:terms as jsonb));

-- name: decide_split^
-- Claims the key, approves, declines or abandons a split on its version, stores the answer.
select answer, is_replay from api.decide_split(:key, :request, :body_sha256, :offering, :split, :version, :decision, :because);

-- name: act_on_remittance^
-- Claims the key, does one act on a remittance of withheld tax, stores the answer.
select answer, is_replay from api.act_on_remittance(:key, :request, :body_sha256, :offering, :subject, :version, :act, cast(:said as jsonb));

-- name: propose_line_release^
-- Claims the key, asks to let a line of a buy-back go, stores the answer.
select answer, is_replay from api.propose_line_release(:key, :request, :body_sha256, :offering, :buyback, :version, :release, :investor,
    :because);

-- name: decide_line_release^
-- Claims the key, decides on that as another person, stores the answer.
select answer, is_replay from api.decide_line_release(:key, :request, :body_sha256, :offering, :buyback, :version, :release,
    cast(:is_agreed as boolean), :because);

-- name: line_releases
-- The lines of a buy-back that somebody asks to let go, or that were let go, those that wait first.
select * from registry.line_release_standing where offering_id = :offering and buyback_id = :buyback
order by status <> 'proposed', proposed_at, release_id limit 200;

-- name: act_on_payee_account^
-- Claims the key, does one act on an account of a payee, stores the answer.
select answer, is_replay from api.act_on_payee_account(:key, :request, :body_sha256, :offering, :subject, :version, :act, cast(:said as jsonb));

-- name: act_on_tax_year^
-- Claims the key, does one act on a tax year, stores the answer.
select answer, is_replay from api.act_on_tax_year(:key, :request, :body_sha256, :offering, :subject, :version, :act, cast(:said as jsonb));

-- name: act_on_mandate^
-- Claims the key, does one act on a mandate of a payee, stores the answer.
select answer, is_replay from api.act_on_mandate(:key, :request, :body_sha256, :offering, :subject, :version, :act, cast(:said as jsonb));

-- name: act_on_rescission^
-- Claims the key, does one act on a rescission, stores the answer.
select answer, is_replay from api.act_on_rescission(:key, :request, :body_sha256, :offering, :subject, :version, :act, cast(:said as jsonb));

-- name: remittances
-- The remittances of withheld tax of an offer, the newest first.
select remittance_id, status, form, tax_year, amount_minor, currency, proposed_by, decided_by, bounce_code, version
from treasury.tax_remittance where offering_id = :offering order by remittance_id desc limit 200;

-- name: payee_accounts
-- The accounts that are proposed or in force of whoever an offer pays or may have to pay, those that wait first; no account is told.
select a.account_id, a.investor_id, a.status, a.way, a.entry_class, a.because, a.proposed_by, a.decided_by, a.version
from treasury.payee_account a where a.status in ('proposed', 'in_force') and exists (select from engine.payee_of_offer p
    where p.offering_id = :offering and p.payee_id = a.investor_id) order by a.status desc, a.investor_id limit 200;

-- name: tax_years
-- The tax years of an offer, the last first, with how many payments each does not count as they are.
select y.tax_year_id, y.status, y.year, y.currency, y.forms, y.gross_minor, y.withheld_minor, y.net_minor, y.drafted_by, y.decided_by,
    y.version, engine.tax_year_differs(y.offering_id, y.tax_year_id, y.year) as differs
from engine.tax_year y where y.offering_id = :offering order by y.year desc, y.drafted_at desc limit 50;

-- name: coupons
-- The coupons of the schedule in force, each with the distribution that pays it and the fixing that it lacks.
select * from engine.coupon_standing where offering_id = :offering order by number;

-- name: mandates
-- The mandates of payees that wait or are in force, those that wait first.
select m.mandate_id, m.status, m.investor_id, m.payee_id, m.because, m.proposed_by, m.decided_by, m.version
from registry.payee_mandate m where m.offering_id = :offering and m.status in ('proposed', 'in_force')
order by m.status desc, m.investor_id limit 200;

-- name: rescissions
-- The rescissions of an offer, those that wait first.
select r.rescission_id, r.request_id, r.action_id, r.status, r.units, r.owed_by, r.owed_to, r.price_minor, r.currency, r.asked_by,
    r.decided_by, r.version
from registry.rescission_standing r where r.offering_id = :offering
order by array_position('{asked,done,repaid,dropped}', r.status), r.asked_at desc, r.rescission_id limit 200;
