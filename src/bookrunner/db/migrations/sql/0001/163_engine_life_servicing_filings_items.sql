-- What the pack of each form contains. An item with a word under found comes from a book and cannot be typed over.

insert into engine.filing_item (form, place, code, found, is_mandatory, sentence, citation)
select f.form, 10 * i.place + f.shift, i.code, i.found, i.is_mandatory, i.sentence, f.citation
from (values ('D', 0, 'Form D, 17 CFR 239.500'), ('D/A', 0, 'Form D, 17 CFR 239.500')) as f (form, shift, citation)
cross join (values
    (1, 'issuer_name', 'issuer_name', true, 'Item 1: the name of the issuer.'),
    (2, 'jurisdiction', null, true, 'Item 1: where the issuer is formed.'),
    (3, 'entity_type', null, true, 'Item 1: what kind of entity it is.'),
    (4, 'year_formed', null, true, 'Item 1: the year in which it was formed.'),
    (5, 'cik', null, true, 'The CIK under which it files.'),
    (6, 'place_of_business', null, true, 'Item 2: principal place of business and telephone.'),
    (7, 'related_persons', null, true, 'Item 3: executive officers, directors and promoters.'),
    (8, 'industry', null, true, 'Item 4: the industry group.'),
    (9, 'size', null, true, 'Item 5: revenue range or net asset value, or that it declines to say.'),
    (10, 'exemption', 'exemption', true, 'Item 6: the exemption claimed.'),
    (11, 'first_sale_on', 'first_sale_on', true, 'Item 7: the date of first sale.'),
    (12, 'lasts_over_a_year', null, true, 'Item 8: whether the offer is meant to last over a year.'),
    (13, 'security_type', 'security_type', true, 'Item 9: the type of security.'),
    (14, 'is_business_combination', null, true, 'Item 10: whether it is part of a business combination.'),
    (15, 'minimum_investment', 'minimum_investment', true, 'Item 11: the least investment from outside.'),
    (16, 'sales_compensation', null, true, 'Item 12: who is paid for sales, or nobody.'),
    (17, 'offer_amount', 'offer_amount', true, 'Item 13: the total amount of the offer.'),
    (18, 'amount_sold', 'amount_sold', true, 'Item 13: the amount sold.'),
    (19, 'investors', 'investors', true, 'Item 14: how many have invested.'),
    (20, 'non_accredited', null, true, 'Item 14: how many of them are not accredited.'),
    (21, 'commissions', null, true, 'Item 15: sales commissions and finders'' fees.'),
    (22, 'use_of_proceeds', null, true, 'Item 16: what goes to related persons.'),
    (23, 'signer', null, true, 'Who signs, and in which capacity.')
) as i (place, code, found, is_mandatory, sentence);

insert into engine.filing_item (form, place, code, found, is_mandatory, sentence, citation) values
    ('D/A', 400, 'earlier_notice', 'earlier_reference', true, 'The notice that is amended.', 'Form D, 17 CFR 239.500'),
    ('D/A', 410, 'change', null, true, 'What has changed since then, or that nothing has.', '17 CFR 230.503(a)(3)'),
    ('state notice', 10, 'issuer_name', 'issuer_name', true, 'The name of the issuer.', 'law of each state'),
    ('state notice', 20, 'state', 'state', true, 'The state of the first sale.', 'law of each state'),
    ('state notice', 30, 'first_sale_on', 'state_sale_on', true, 'The day of the first sale there.', 'law of each state'),
    ('state notice', 40, 'federal_notice', 'earlier_reference', false, 'The federal notice that goes with it.', 'law of each state'),
    ('state notice', 45, 'state_fee', 'state_fee', false, 'The fee that the state asks for, where it is on record.', 'law of each state'),
    ('state notice', 50, 'fee', null, true, 'The fee and how it was paid, or that none is due.', 'law of each state');

-- The family of Form C: each has the head, and what is its own (17 CFR 227.201, 17 CFR 239.900).
insert into engine.filing_item (form, place, code, found, is_mandatory, sentence, citation)
select f.form, i.place, i.code, i.found, true, i.sentence, '17 CFR 239.900'
from unnest(array['C', 'C/A', 'C-U', 'C-AR', 'C-TR']) as f (form)
cross join (values
    (10, 'issuer_name', 'issuer_name', 'The name of the issuer.'),
    (20, 'cik', null, 'The CIK under which it files.'),
    (30, 'jurisdiction', null, 'Where and as what the issuer is formed.'),
    (40, 'intermediary', null, 'The intermediary with its file number and CRD number.'),
    (900, 'signer', null, 'Who signs: issuer, principal officers, a majority of the board.')
) as i (place, code, found, sentence)
union all
select f.form, i.place, i.code, i.found, true, i.sentence, i.citation
from unnest(array['C', 'C/A']) as f (form)
cross join (values
    (100, 'directors_and_officers', null, 'Directors and officers with three years of experience.', '17 CFR 227.201(b)'),
    (110, 'holders_of_a_fifth', null, 'Who holds 20 % of the votes, not older than 120 days.', '17 CFR 227.201(c)'),
    (120, 'business', null, 'The business and its plan.', '17 CFR 227.201(d)'),
    (130, 'employees', null, 'How many employees.', '17 CFR 227.201(e)'),
    (140, 'risks', null, 'What makes the investment risky.', '17 CFR 227.201(f)'),
    (150, 'target', 'target', 'The target.', '17 CFR 227.201(g)'),
    (160, 'deadline', 'deadline', 'The deadline.', '17 CFR 227.201(g)'),
    (170, 'most_amount', 'offer_amount', 'The most that is taken.', '17 CFR 227.201(h)'),
    (180, 'use_of_proceeds', null, 'What the money is for.', '17 CFR 227.201(i)'),
    (190, 'price', 'price', 'The price of one unit.', '17 CFR 227.201(l)'),
    (200, 'security_type', 'security_type', 'What is offered, with its terms.', '17 CFR 227.201(m)'),
    (210, 'compensation', null, 'What the intermediary is paid.', '17 CFR 227.201(o)'),
    (220, 'indebtedness', null, 'What the issuer owes.', '17 CFR 227.201(p)'),
    (230, 'earlier_offers', null, 'Exempt offers of three years.', '17 CFR 227.201(q)'),
    (240, 'related_dealings', null, 'Dealings with related persons.', '17 CFR 227.201(r)'),
    (250, 'financial_statements', null, 'Financial statements of the step that the amount asks for.', '17 CFR 227.201(s), (t)')
) as i (place, code, found, sentence, citation)
union all
select i.form, i.place, i.code, i.found, true, i.sentence, i.citation
from (values
    ('C/A', 300, 'earlier_statement', 'earlier_reference', 'The statement that is amended.', '17 CFR 227.203(a)(2)'),
    ('C/A', 310, 'change', 'change', 'What has changed.', '17 CFR 227.203(a)(2)'),
    ('C-U', 300, 'earlier_statement', 'earlier_reference', 'The statement that is updated.', '17 CFR 227.203(a)(3)'),
    ('C-U', 310, 'target', 'target', 'The target.', '17 CFR 227.203(a)(3)'),
    ('C-U', 320, 'committed', 'committed', 'Committed and not cancelled.', '17 CFR 227.203(a)(3)'),
    ('C-U', 330, 'amount_sold', 'amount_sold', 'Sold.', '17 CFR 227.203(a)(3)(iii)'),
    ('C-AR', 300, 'year_end', 'year_end', 'The end of the year that is reported.', '17 CFR 227.202(a)'),
    ('C-AR', 310, 'directors_and_officers', null, 'Directors and officers with three years of experience.', '17 CFR 227.201(b)'),
    ('C-AR', 320, 'business', null, 'The business.', '17 CFR 227.201(d)'),
    ('C-AR', 330, 'employees', null, 'How many employees.', '17 CFR 227.201(e)'),
    ('C-AR', 340, 'financial_statements', null, 'Financial statements certified by the principal executive.', '17 CFR 227.202(a)'),
    ('C-AR', 350, 'holders', 'holders', 'Holders of record.', '17 CFR 227.202(b)'),
    ('C-AR', 360, 'site', null, 'Where it stands on the site of the issuer.', '17 CFR 227.202(a)'),
    ('C-TR', 300, 'ground', null, 'The ground on which reports end.', '17 CFR 227.202(b)'),
    ('C-TR', 310, 'holders', 'holders', 'Holders of record.', '17 CFR 227.202(b)(2)')
) as i (form, place, code, found, sentence, citation);

-- The family of Form 1-A, by its parts; the circular itself is a document that the pack names.
insert into engine.filing_item (form, place, code, found, is_mandatory, sentence, citation)
select i.form, i.place, i.code, i.found, true, i.sentence, i.citation
from (values
    ('1-A', 10, 'issuer_name', 'issuer_name', 'Part I: the name of the issuer.', '17 CFR 239.90'),
    ('1-A', 20, 'cik', null, 'The CIK under which it files.', '17 CFR 239.90'),
    ('1-A', 30, 'jurisdiction', null, 'Part I: where and as what it is formed.', '17 CFR 239.90'),
    ('1-A', 40, 'tier', 'exemption', 'Part I, item 4: the tier.', '17 CFR 239.90'),
    ('1-A', 50, 'security_type', 'security_type', 'Part I, item 4: what is offered.', '17 CFR 239.90'),
    ('1-A', 60, 'units_offered', 'units_offered', 'Part I, item 4: how many units.', '17 CFR 239.90'),
    ('1-A', 70, 'price', 'price', 'Part I, item 4: the price of one unit.', '17 CFR 239.90'),
    ('1-A', 80, 'offer_amount', 'offer_amount', 'Part I, item 4: the total amount.', '17 CFR 239.90'),
    ('1-A', 90, 'jurisdictions', null, 'Part I, item 5: where it is offered.', '17 CFR 239.90'),
    ('1-A', 100, 'earlier_sales', null, 'Part I, item 6: unregistered sales of a year.', '17 CFR 239.90'),
    ('1-A', 110, 'circular', null, 'Part II: the offering circular, by its hash.', '17 CFR 239.90'),
    ('1-A', 120, 'financial_statements', null, 'Part F/S: financial statements.', '17 CFR 239.90'),
    ('1-A', 130, 'exhibits', null, 'Part III: exhibits, with the opinion on legality.', '17 CFR 239.90'),
    ('1-A', 140, 'signer', null, 'Who signs, and in which capacity.', '17 CFR 239.90'),
    ('1-K', 10, 'issuer_name', 'issuer_name', 'The name of the issuer.', '17 CFR 239.91'),
    ('1-K', 20, 'year_end', 'year_end', 'The end of the year that is reported.', '17 CFR 239.91'),
    ('1-K', 30, 'amount_sold', 'amount_sold', 'Part I: what was sold in the offer.', '17 CFR 239.91'),
    ('1-K', 40, 'business', null, 'Part II: business, results, officers, dealings.', '17 CFR 239.91'),
    ('1-K', 50, 'financial_statements', null, 'Part II: audited financial statements.', '17 CFR 239.91'),
    ('1-K', 60, 'signer', null, 'Who signs, and in which capacity.', '17 CFR 239.91'),
    ('1-SA', 10, 'issuer_name', 'issuer_name', 'The name of the issuer.', '17 CFR 239.92'),
    ('1-SA', 20, 'half_year_end', 'half_year_end', 'The end of the half-year that is reported.', '17 CFR 239.92'),
    ('1-SA', 30, 'results', null, 'Results of operations.', '17 CFR 239.92'),
    ('1-SA', 40, 'financial_statements', null, 'Financial statements.', '17 CFR 239.92'),
    ('1-SA', 50, 'signer', null, 'Who signs, and in which capacity.', '17 CFR 239.92'),
    ('1-U', 10, 'issuer_name', 'issuer_name', 'The name of the issuer.', '17 CFR 239.93'),
    ('1-U', 20, 'event', 'event', 'What happened.', '17 CFR 239.93'),
    ('1-U', 30, 'event_on', 'event_on', 'When it happened.', '17 CFR 239.93'),
    ('1-U', 40, 'signer', null, 'Who signs, and in which capacity.', '17 CFR 239.93'),
    ('1-Z', 10, 'issuer_name', 'issuer_name', 'The name of the issuer.', '17 CFR 239.94'),
    ('1-Z', 20, 'amount_sold', 'amount_sold', 'Part I: what was sold.', '17 CFR 239.94'),
    ('1-Z', 30, 'units_sold', 'units_sold', 'Part I: how many units were sold.', '17 CFR 239.94'),
    ('1-Z', 40, 'price', 'price', 'Part I: the price of one unit.', '17 CFR 239.94'),
    ('1-Z', 50, 'signer', null, 'Who signs, and in which capacity.', '17 CFR 239.94')
) as i (form, place, code, found, sentence, citation);
call audit.append_only('engine.filing_item');
