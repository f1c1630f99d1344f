-- The conditions in the order to fix them, and what each act of ours waits for.

insert into engine.condition (condition, bit, stage, keeper, sentence) values
    ('profile_is_complete', 0, 'profile', 'portal', 'The profile is complete and its fields pass their checks.'),
    ('investor_is_cleared', 1, 'compliance', 'compliance', 'The investor is cleared for this offer and the clearance has not lapsed.'),
    ('materials_are_received', 2, 'subscription', 'subscription', 'Every offering material in force has been received.'),
    ('risks_are_acknowledged', 3, 'subscription', 'subscription', 'Every risk statement has been acknowledged.'),
    ('representations_are_made', 4, 'subscription', 'subscription', 'Every representation has been made, and each material change since is reconfirmed.'),
    ('agreement_is_signed', 5, 'subscription', 'subscription', 'The investor has signed the agreement in force.'),
    ('agreement_is_countersigned', 6, 'subscription', 'subscription', 'The issuer has countersigned the agreement in force.'),
    ('allocation_is_approved', 7, 'subscription', 'subscription', 'The units have been approved by a second person.'),
    ('funds_are_received', 8, 'funding', 'treasury', 'The whole amount is in escrow and matched.'),
    ('funds_are_cleared', 9, 'funding', 'treasury', 'The whole amount can no longer come back.'),
    ('wallet_is_linked', 10, 'issuance', 'registry', 'A screened and approved wallet is linked to the holder.'),
    ('holding_is_registered', 11, 'issuance', 'registry', 'The holding stands in the master securityholder file.');

-- The masks are immutable, so that a view's plan holds them as numbers: only a migration changes a condition or a gate,
-- and its end is the start of new sessions.
create function engine.mask(conditions text[]) returns integer
language sql immutable strict set search_path = pg_catalog, pg_temp
return (select bit_or(1 << c.bit) from engine.condition c where c.condition = any (conditions));

-- The conditions of a stage and of every stage before it.
create function engine.stage_mask(p_stage text) returns integer
language sql immutable strict set search_path = pg_catalog, pg_temp
return (select bit_or(1 << c.bit) from engine.condition c
    where c.bit <= (select max(s.bit) from engine.condition s where s.stage = p_stage));

-- The conditions that one keeper confirms.
create function engine.keeper_mask(p_keeper text) returns integer
language sql immutable strict set search_path = pg_catalog, pg_temp
return (select bit_or(1 << c.bit) from engine.condition c where c.keeper = p_keeper);

insert into engine.gate (act, mask, sentence) values
    ('open_signing', engine.mask('{profile_is_complete,investor_is_cleared}'),
     'The agreement opens for signature.'),
    ('confirm', engine.mask('{profile_is_complete,investor_is_cleared,materials_are_received,risks_are_acknowledged,representations_are_made,agreement_is_signed}'),
     'The investment is confirmed.'),
    ('countersign', engine.mask('{profile_is_complete,investor_is_cleared,materials_are_received,risks_are_acknowledged,representations_are_made,agreement_is_signed}'),
     'The issuer countersigns.'),
    ('confirm_legally', engine.mask('{profile_is_complete,investor_is_cleared,materials_are_received,risks_are_acknowledged,representations_are_made,agreement_is_signed,agreement_is_countersigned,allocation_is_approved}'),
     'The investment is legally confirmed.'),
    ('release_instructions', engine.mask('{profile_is_complete,investor_is_cleared,materials_are_received,risks_are_acknowledged,representations_are_made,agreement_is_signed,agreement_is_countersigned,allocation_is_approved}'),
     'Funding instructions are released.'),
    ('issue', engine.mask('{profile_is_complete,investor_is_cleared,materials_are_received,risks_are_acknowledged,representations_are_made,agreement_is_signed,agreement_is_countersigned,allocation_is_approved,funds_are_received,funds_are_cleared,wallet_is_linked}'),
     'The investment enters a closing and its units are issued.'),
    ('release_escrow', engine.mask('{funds_are_cleared,holding_is_registered}'),
     'Escrow is released to the issuer.');

create function engine.act_mask(p_act text) returns integer
language sql immutable strict set search_path = pg_catalog, pg_temp
return (select g.mask from engine.gate g where g.act = p_act);

-- The missing conditions of an act as a list a person can work through.
create function engine.missing(p engine.position, p_mask integer) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
return case when p_mask & ~engine.holds(p) = 0 then '[]' else (
    select coalesce(jsonb_agg(jsonb_build_object(
        'condition', c.condition, 'keeper', c.keeper, 'investment', p.investment_id,
        'since', audit.instant(engine.since(p, c.condition)),
        'lacks', case when c.condition = 'investor_is_cleared' then to_jsonb(p.clearance_lacks) else '[]' end
    ) order by c.bit), '[]')
    from engine.condition c
    where (p_mask >> c.bit) & 1 = 1 and (engine.holds(p) >> c.bit) & 1 = 0) end;

-- Locks the position in one statement, which reads what it stands at once it is locked; computes the gate in the next, and
-- refuses by name. A verb that gives the mask of its act gives it as the number that its plan holds; else it is looked up.
create function engine.require_gate(p_offering text, p_investment text, p_act text, p_mask integer default null) returns void
language plpgsql volatile as $$
declare
    needed integer := p_mask;
    standing integer;
    lapses timestamptz;
begin
    if needed is null then
        needed := engine.act_mask(p_act);
    end if;
    select x.standing, least(x.cleared_until, x.rescreen_by) into standing, lapses
    from engine.position x where x.offering_id = p_offering and x.investment_id = p_investment for update of x;
    if needed & ~engine.holds_at(standing, lapses) = 0 then
        return;
    end if;
    if standing is null then
        raise exception using errcode = 'BR404', constraint = 'investment_exists',
            message = format('there is no investment %s in %s', p_investment, p_offering);
    end if;
    raise exception using errcode = 'BR409', constraint = 'gate_is_closed',
        message = format('%s waits for %s', p_act, p_investment),
        detail = (select jsonb_build_object('act', p_act, 'missing', engine.missing(x, needed))
            from engine.position x where x.offering_id = p_offering and x.investment_id = p_investment);
end $$;

-- As require_gate, and returns the locked row for what the act needs of it.
create function engine.pass(p_offering text, p_investment text, p_act text) returns engine.position
language plpgsql volatile as $$
begin
    perform engine.require_gate(p_offering, p_investment, p_act);
    return (select x from engine.position x where x.offering_id = p_offering and x.investment_id = p_investment);
end $$;

-- The ids and hashes of the facts that a gate saw.
create function engine.facts(p engine.position) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
return jsonb_build_object(
    'portal', jsonb_build_object('fact', p.profile_fact, 'hash', encode(p.profile_hash, 'hex')),
    'compliance', jsonb_build_object('fact', p.clearance_fact, 'hash', encode(p.clearance_hash, 'hex'),
        'screened_against', coalesce(p.screened_against, '{}')),
    'subscription', jsonb_build_object('fact', p.agreement_fact, 'hash', encode(p.agreement_hash, 'hex')),
    'treasury', jsonb_build_object('fact', p.funding_fact, 'hash', encode(p.funding_hash, 'hex')),
    'registry', jsonb_build_object('fact', p.wallet_fact, 'hash', encode(p.wallet_hash, 'hex')));
