-- Drafts the distribution that pays an accepted buy-back; it is approved, funded and started like any other.

-- A line for each holder bought from, with the price of its units; nothing is withheld of what units are sold for. The register is that of
-- the last day that is over, and compared since.
create function engine.draft_redemption(p_actor text, p_request text, p_offering text, p_buyback text, p_distribution text, p_pay_on date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    record_on constant date := registry.today() - 1;
    b registry.buyback_fact;
    compared text;
    sums record;
    outstanding numeric;
    unreturned numeric;
begin
    perform audit.enter(p_actor, p_request);
    -- Whoever gives the buy-back up holds the book.
    perform 1 from registry.control_book c where c.offering_id = p_offering for share;
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    select * into b from registry.buyback_fact x where x.offering_id = p_offering and x.buyback_id = p_buyback;
    if b.status is distinct from 'accepted' or engine.redemption_is_drafted(p_offering, p_buyback) then
        raise exception using errcode = 'BR008', constraint = 'redemption_follows_its_acceptance',
            message = format('%s is not accepted, or is paid already', p_buyback);
    end if;
    compared := reconciliation.require_reconciled(p_offering, record_on);
    select count(*)::integer as holders, sum(f.units)::bigint as units, sum(f.amount_minor)::bigint as amount into sums
    from registry.redemption_line_fact f where f.offering_id = p_offering and f.buyback_id = p_buyback;
    select coalesce(sum(h.units), 0) into outstanding from registry.holding_fact h where h.offering_id = p_offering;
    select greatest(coalesce(sum(f.contributed - f.returned), 0), 0) into unreturned from engine.distribution_flows(p_offering, record_on) f;
    insert into engine.distribution_tier (offering_id, distribution_id, tier, kind, holders_bp, due_minor, holders_minor, sponsor_minor, left_minor, working)
    values (p_offering, p_distribution, 1, 'redemption', 10000, sums.amount, sums.amount, 0, 0,
        array[format('%s units at %s minor units of %s: %s', sums.units, b.price_minor, b.currency, sums.amount)]);
    insert into engine.distribution_line (offering_id, distribution_id, line_id, holding_id, investor_id, payee_id, units, capital_minor,
        income_minor, form, country, rate_bp, rate_source, withheld_minor, net_minor)
    select p_offering, p_distribution, 'dln_' || left(encode(sha256(convert_to(p_distribution || '/' || f.holding_id, 'UTF8')), 'hex'), 26), f.holding_id,
        f.investor_id, coalesce(m.payee_id, f.investor_id), f.units, f.amount_minor, 0, s.form, s.country, 0, 'proceeds of units that are sold', 0, f.amount_minor
    from registry.redemption_line_fact f
    join engine.tax_standing(p_offering, array(select x.investor_id from registry.redemption_line_fact x where x.offering_id = p_offering
        and x.buyback_id = p_buyback), p_pay_on) s on s.investor_id = f.investor_id
    left join registry.payees_as_of(p_offering, record_on) m on m.investor_id = f.investor_id
    where f.offering_id = p_offering and f.buyback_id = p_buyback;
    insert into engine.distribution (offering_id, distribution_id, status, record_on, pay_on, currency, income, available_minor,
        reserved_minor, distributable_minor, holders, units, withheld_minor, net_minor, lines_sha256, compared_in, drafted_by)
    select p_offering, p_distribution, 'draft', record_on, p_pay_on, b.currency, 'dividend', sums.amount, 0, sums.amount, sums.holders, sums.units, 0,
        sums.amount, sha256(convert_to(string_agg(concat_ws(' ', x.line_id, x.payee_id, x.units, x.gross_minor, x.withheld_minor), E'\n'
            order by x.line_id collate "C"), 'UTF8')), compared, p_actor
    from engine.distribution_line x where x.offering_id = p_offering and x.distribution_id = p_distribution;
    insert into engine.redemption (offering_id, distribution_id, buyback_id, capital_minor)
    values (p_offering, p_distribution, p_buyback, div(unreturned * sums.units, outstanding)::bigint);
end $$;

-- The distributions of buy-backs, each with where its payment is.
create view engine.redemption_standing as
select r.offering_id, r.buyback_id, r.distribution_id, d.status, d.pay_on, d.distributable_minor, d.drafted_by, d.approved_by, d.version
from engine.redemption r join engine.distribution d using (offering_id, distribution_id);
