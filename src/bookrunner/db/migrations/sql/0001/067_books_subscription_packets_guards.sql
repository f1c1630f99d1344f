-- What an agreement in the form of a packet needs at each step; the database asks, whoever moves the row.

create function subscription.refuse(p_rule text, p_message text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
    raise exception using errcode = 'BR008', constraint = p_rule, message = p_message;
end $$;

create function subscription.refuse_missing(p_rule text, p_id text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
    raise exception using errcode = 'BR404', constraint = p_rule, message = format('there is no %s', p_id);
end $$;

-- The name of a rule that keeps something from happening, as a value.
create domain subscription.rule as text;

-- Whether a gate stands open for an investment now.
create function subscription.gate_is_open(p_offering text, p_investment text, p_act text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return (select g.mask & ~engine.holds(pos) = 0 from engine.position pos, engine.gate g
    where pos.offering_id = p_offering and pos.investment_id = p_investment and g.act = p_act);

create function subscription.is_stated(p_offering text, p_investment text, p_kind text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from subscription.particular p where p.offering_id = p_offering
    and p.investment_id = p_investment and p.kind = p_kind and p.status = 'stated');

-- The first rule that keeps a packet from being countersigned by this signatory, or null. The order is the one in
-- which a desk would clear them.
create function subscription.countersign_hindrance(p_agreement subscription.agreement, p_signatory text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return case
    when p_agreement.status <> 'investor_signed' then subscription.rule 'agreement_waits_for_the_issuer'
    when not subscription.gate_is_open(p_agreement.offering_id, p_agreement.investment_id, 'countersign')
        then subscription.rule 'gate_is_open'
    when not exists (select from engine.investment i where i.offering_id = p_agreement.offering_id
        and i.investment_id = p_agreement.investment_id and i.units = p_agreement.units
        and i.amount_minor = p_agreement.amount_minor) then subscription.rule 'agreement_states_the_committed_amount'
    when not exists (select from subscription.review r
        where r.offering_id = p_agreement.offering_id and r.agreement_id = p_agreement.agreement_id
        and r.status = 'released' and r.signed_sha256 = p_agreement.signed_sha256)
        then subscription.rule 'packet_is_in_good_order'
    when exists (select from subscription.contradictions(p_agreement.offering_id, p_agreement.investment_id))
        then subscription.rule 'statements_agree_with_the_compliance_record'
    when exists (select from subscription.review r where r.offering_id = p_agreement.offering_id
        and r.agreement_id = p_agreement.agreement_id and r.reviewer = p_signatory) then subscription.rule 'reviewer_does_not_countersign'
    when not exists (select from subscription.signatory s where s.offering_id = p_agreement.offering_id
        and s.signatory_id = p_signatory and s.status = 'authorised') then subscription.rule 'signatory_has_recorded_authority'
    end;

create function subscription.packet_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    form constant text := (select o.agreement_form from engine.offer o where o.offering_id = new.offering_id);
    was text := case when tg_op = 'UPDATE' then old.status else '' end;
    hindrance text;
    officer text;
begin
    if form is distinct from 'packet' or (was = new.status and new.signed_sha256 is not distinct from old.signed_sha256) then
        return new;
    end if;
    if new.status in ('sent', 'investor_signed') and not exists (select from subscription.packet p
        where p.offering_id = new.offering_id and p.agreement_id = new.agreement_id) then
        perform subscription.refuse('agreement_has_the_form_of_its_offer',
            format('%s takes packets, and %s is none', new.offering_id, new.agreement_id));
    end if;
    if new.status in ('sent', 'investor_signed')
        and not subscription.gate_is_open(new.offering_id, new.investment_id, 'open_signing') then
        perform subscription.refuse('signing_waits_for_clearance', format('%s is not cleared', new.investment_id));
    end if;
    if (new.status = 'investor_signed' or new.signed_sha256 is not null)
        and coalesce(new.signed_sha256 <> (select s.sha256 from subscription.signed_file s
            where s.offering_id = new.offering_id and s.agreement_id = new.agreement_id and s.party <> 'issuer'
            order by s.ordinal desc limit 1), true) then
        perform subscription.refuse('signed_packet_has_its_file', format('%s has no signed file', new.agreement_id));
    end if;
    if new.status = 'investor_signed' and subscription.unsigned(new.offering_id, new.agreement_id) <> '{}' then
        perform subscription.refuse('every_signer_has_signed', format('%s waits for %s', new.agreement_id,
            array_to_string(subscription.unsigned(new.offering_id, new.agreement_id), ', ')));
    end if;
    if new.status = 'countersigned' then
        select s.signer into officer from subscription.signed_file s where s.offering_id = new.offering_id
            and s.agreement_id = new.agreement_id and s.party = 'issuer' and s.sha256 = new.executed_sha256;
        if not found then
            perform subscription.refuse('executed_packet_has_its_verified_file',
                format('%s has no file that passed the checks', new.agreement_id));
        end if;
        hindrance := subscription.countersign_hindrance(old, officer);
        if hindrance is not null then
            perform subscription.refuse(hindrance, format('%s may not be countersigned', new.agreement_id));
        end if;
    end if;
    return new;
end $$;

create trigger packet_stands before insert or update of status, signed_sha256 on subscription.agreement
    for each row execute function subscription.packet_stands();
alter table subscription.agreement enable always trigger packet_stands;

-- A packet's documents are delivered electronically, so the consent to that comes before the first of them.
create function subscription.consent_comes_first() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (select o.agreement_form from engine.offer o where o.offering_id = new.offering_id) = 'packet'
        and not subscription.is_stated(new.offering_id, new.investment_id, 'records_consent') then
        perform subscription.refuse('records_consent_comes_first',
            format('%s has not consented to electronic records', new.investment_id));
    end if;
    return new;
end $$;

create trigger consent_comes_first before insert on subscription.acknowledgment
    for each row when (new.kind = 'material') execute function subscription.consent_comes_first();
alter table subscription.acknowledgment enable always trigger consent_comes_first;
