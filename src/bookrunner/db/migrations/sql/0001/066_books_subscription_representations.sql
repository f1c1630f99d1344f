-- What an investor states, compared with the compliance record.

-- Which fact of the record contradicts which statement.
create table subscription.contradiction (
    kind text not null check (kind in ('representation', 'tax_form', 'authority')),
    code text not null,
    fact text not null,
    sentence text not null,
    primary key (kind, code, fact)
);

insert into subscription.contradiction (kind, code, fact, sentence) values
    ('representation', 'accredited_investor', 'accreditation_is_refused', 'The accreditation was declined, has expired or is known not to hold.'),
    ('representation', 'accredited_status', 'accreditation_is_refused', 'The accreditation was declined, has expired or is known not to hold.'),
    ('representation', 'not_politically_exposed', 'political_exposure_is_known', 'A prominent public function is on record.'),
    ('representation', 'sophisticated_purchaser', 'purchaser_is_not_capable', 'The record says that the purchaser cannot judge the offer.'),
    ('representation', 'own_account', 'investor_holds_for_others', 'The investor is a nominee.'),
    ('representation', 'not_us_person', 'residence_is_in_the_united_states', 'The verified residence is in the United States.'),
    ('representation', 'us_resident', 'residence_is_abroad', 'The verified residence is abroad.'),
    ('representation', 'authority_to_invest', 'no_representative_is_verified', 'No representative or trustee is verified.'),
    ('tax_form', 'W-8BEN', 'residence_is_in_the_united_states', 'The verified residence is in the United States.'),
    ('tax_form', 'W-8BEN', 'investor_is_no_natural_person', 'The form is for individuals.'),
    ('tax_form', 'W-8BEN-E', 'residence_is_in_the_united_states', 'The verified residence is in the United States.'),
    ('tax_form', 'W-8BEN-E', 'investor_is_a_natural_person', 'The form is for entities.'),
    ('authority', 'authority', 'no_representative_is_verified', 'No representative or trustee is verified.');
call audit.append_only('subscription.contradiction');

-- What stands in the way of an investment: statements in force that the record contradicts and compliance has not accepted.
create function subscription.contradictions(p_offering text, p_investment text)
returns table (kind text, code text, fact text, sentence text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with stated as (
        select 'representation' as kind, r.code from subscription.requirement_in_force r
        join subscription.acknowledgment a using (offering_id, kind, code, item_version)
        where a.offering_id = p_offering and a.investment_id = p_investment and a.kind = 'representation'
        union all
        select p.kind, case p.kind when 'tax_form' then p.detail ->> 'form' else p.kind end from subscription.particular p
        where p.offering_id = p_offering and p.investment_id = p_investment and p.status = 'stated'
            and p.kind in ('tax_form', 'authority')
    ), investor as (
        select pos.investor_id from engine.position pos where pos.offering_id = p_offering and pos.investment_id = p_investment
    ), record as materialized (
        select i.investor_id, r.fact from investor i cross join lateral compliance.recorded(p_offering, i.investor_id) r (fact)
    ), found as (
        select c.kind, c.code, c.fact, c.sentence, r.investor_id from stated s
        join subscription.contradiction c using (kind, code) join record r using (fact)
        union all
        -- Of a joint investor as many are to sign as were verified.
        select p.kind, p.kind, r.fact, 'As many joint holders are verified as the record says, and others sign.', r.investor_id
        from record r join subscription.particular p on p.offering_id = p_offering and p.investment_id = p_investment
            and p.status = 'stated' and p.kind = 'authority'
        where r.fact like 'joint\_holders\_are\_%'
            and r.fact <> format('joint_holders_are_%s', jsonb_array_length(p.detail -> 'signers'))
    )
    select f.kind, f.code, f.fact, f.sentence from found f
    where not exists (select from compliance.statement_acceptance a where a.offering_id = p_offering
        and a.investor_id = f.investor_id and (a.statement, a.fact, a.status) = (f.code, f.fact, 'accepted'))
    order by f.kind, f.code, f.fact;
end;

-- For both keepers: the desk, which waits, and compliance, which can accept.
create function subscription.read_contradictions(p_investment text)
returns table (offering_id text, investor_id text, kind text, code text, fact text, sentence text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select pos.offering_id, pos.investor_id, c.kind, c.code, c.fact, c.sentence
    from engine.investment i join engine.position pos using (offering_id, investment_id)
    cross join lateral subscription.contradictions(i.offering_id, i.investment_id) c where i.investment_id = p_investment;
end;
