-- The life of an offer beside its status: versions of its terms, why and how it ended, and whose money does not count.

-- What each type of security asks of its offer, and nothing else.
create table engine.instrument_term (
    security_type text not null,
    code text not null,
    is_required boolean not null,
    sentence text not null,
    primary key (security_type, code)
);

insert into engine.instrument_term (security_type, code, is_required, sentence) values
    ('equity', 'share_class', false, 'The class of the shares.'),
    ('equity', 'votes_per_share', false, 'Votes of one share.'),
    ('preferred', 'preference_bps', true, 'What a holder gets before common holders, in hundredths of a percent of the price.'),
    ('preferred', 'dividend_bps', false, 'Preferred dividend of a year, in hundredths of a percent.'),
    ('preferred', 'share_class', false, 'The class of the shares.'),
    ('debt', 'rate_bps', true, 'Interest of a year, in hundredths of a percent.'),
    ('debt', 'matures_on', true, 'The day on which the principal is due.'),
    ('convertible', 'matures_on', true, 'The day on which the note converts or is due.'),
    ('convertible', 'discount_bps', false, 'Discount on the price of the next round, in hundredths of a percent.'),
    ('convertible', 'cap_minor', false, 'The valuation above which the price of conversion does not rise.'),
    ('convertible', 'rate_bps', false, 'Interest of a year, in hundredths of a percent.'),
    ('fund_interest', 'management_fee_bps', false, 'Fee of a year for the management, in hundredths of a percent.'),
    ('fund_interest', 'term_months', false, 'How long the fund runs.');
call audit.append_only('engine.instrument_term');

-- What an exemption asks of the terms of an offer, and which rule caps the issuer over twelve months.
create table engine.exemption_term (
    exemption text primary key,
    needs_deadline_and_target boolean not null,
    open_rule text,
    cap_rule text,
    early_close_rule text
);

insert into engine.exemption_term (exemption, needs_deadline_and_target, open_rule, cap_rule, early_close_rule) values
    ('506(b)', false, null, null, null), ('506(c)', false, null, null, null), ('reg_s', false, null, null, null),
    ('reg_cf', true, 'us.regcf.open_for', 'us.regcf.issuer_cap', 'us.regcf.early_close_notice'),
    ('reg_a_tier_1', false, null, 'us.rega.tier_1.issuer_cap', null),
    ('reg_a_tier_2', false, null, 'us.rega.tier_2.issuer_cap', null),
    ('eu_crowdfunding', true, null, 'eu.ecspr.issuer_cap', null);
call audit.append_only('engine.exemption_term');

-- One version of the terms beside those that stand on the offer itself. Money is counted against the target until pays_by.
create table engine.terms (
    offering_id text not null references engine.offer,
    terms_id text not null,
    ordinal integer not null check (ordinal > 0),
    status text not null,
    security_type text not null constraint security_type_is_known
        check (security_type in ('equity', 'preferred', 'debt', 'convertible', 'fund_interest')),
    instrument jsonb not null constraint instrument_is_an_object check (jsonb_typeof(instrument) = 'object'),
    target_minor bigint constraint target_is_positive check (target_minor > 0),
    opens_at timestamptz,
    closes_at timestamptz,
    pays_by timestamptz,
    closes_at_cap boolean not null,
    two_people_close boolean not null,
    drafted_by text not null,
    edited_by text[] not null default '{}',
    locked_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, terms_id),
    constraint versions_of_terms_are_numbered unique (offering_id, ordinal),
    constraint offer_closes_after_it_opens check (closes_at > opens_at),
    constraint money_is_counted_from_the_deadline_on check ((pays_by is null) = (closes_at is null) and pays_by >= closes_at),
    constraint target_is_reached_by_a_deadline check (target_minor is null or closes_at is not null)
);

create unique index one_version_of_terms_stands on engine.terms (offering_id) where status <> 'superseded';
create index deadlines_in_order on engine.terms (closes_at) where status = 'locked';

call audit.keep('engine.terms', 'terms', 'terms_id', 'offering_id');

-- Locked terms are changed by a new version alone.
create function engine.locked_terms_stand() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status <> 'draft' and (to_jsonb(old) - array['status', 'locked_at', 'version', 'chain_head'])
        is distinct from (to_jsonb(new) - array['status', 'locked_at', 'version', 'chain_head']) then
        raise exception using errcode = 'BR006', constraint = 'terms_are_locked_after_review',
            message = format('the terms of %s are locked since its legal review', old.offering_id);
    end if;
    return new;
end $$;

create trigger locked_terms_stand before update on engine.terms
    for each row execute function engine.locked_terms_stand();
alter table engine.terms enable always trigger locked_terms_stand;

-- Investors whose money does not count towards the target, because they belong to the issuer (17 CFR 240.10b-9).
create table engine.related_investor (
    offering_id text not null references engine.offer,
    investor_id text not null,
    declared_by text not null,
    because text not null constraint relation_says_what_it_is check (because ~ '\S'),
    declared_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, investor_id)
);
call audit.append_only('engine.related_investor');

-- Until when an investor may cancel without anybody's consent, counted from the deadline or from its own confirmation.
create table engine.cancellation_rule (
    exemption text primary key,
    rule_id text not null,
    counted_from text not null check (counted_from in ('deadline', 'confirmation')),
    is_last_word boolean not null
);

insert into engine.cancellation_rule (exemption, rule_id, counted_from, is_last_word) values
    ('reg_cf', 'us.regcf.cancel_until', 'deadline', true),
    ('eu_crowdfunding', 'eu.ecspr.reflection', 'confirmation', false);
call audit.append_only('engine.cancellation_rule');

-- Nobody ends, or asks to end, while a running set has it: it leaves the set first, or is issued.
create function engine.require_no_running_set(p_offering text, p_investment text) returns void
language plpgsql as $$
begin
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id = p_investment for update;
    if exists (select from engine.closing_member m join engine.closing c using (offering_id, closing_id)
        where m.offering_id = p_offering and m.investment_id = p_investment and m.status = 'frozen'
        and c.status in ('proposed', 'frozen')) then
        raise exception using errcode = 'BR008', constraint = 'ended_investment_is_in_no_running_set',
            message = format('%s is in the set of a closing that runs', p_investment);
    end if;
end $$;
