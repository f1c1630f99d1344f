-- Lines that nobody can cancel, because of an account, a match or an estate: two people take one out of its buy-back, and the others go on.

-- What may keep the units of a holder from being cancelled for ever. What concerns the whole class or its money is no reason to let one holder
-- go, and nothing that passes is: a screening that waits, or a wallet, an account, a registration or a payee that is being changed.
create function registry.release_reason(p_offering text, p_buyback text, p_holding text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
return (select h.rule from registry.line_hindrances(p_offering, p_buyback) h where h.holding_id = p_holding
    and h.rule in ('seller_account_is_not_frozen', 'holding_is_not_held', 'estate_gives_by_inheritance', 'accepted_units_are_there', 'match_with_a_list',
        'account_is_not_known', 'account_is_not_named', 'account_does_not_fit_its_rail', 'wallet_is_not_linked', 'wallet_changed_since_the_record_date',
        'chain_refuses_the_payment'));

-- The same is asked when it is proposed and when it is decided, under the lock of the book that whoever signs a burn or posts one holds.
create function registry.line_release_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    moves constant text[] := '{status,version,chain_head}' || case when old.status = 'proposed' then '{decided_by,decided_because,decided_at}' end::text[];
    o registry.redemption_open;
begin
    perform registry.hold_buyback(new.offering_id, new.buyback_id);
    if tg_op = 'UPDATE' then
        if to_jsonb(new) - moves is distinct from to_jsonb(old) - moves then
            raise exception using errcode = 'BR006', constraint = 'line_release_stays_as_proposed', message = format('propose %s anew', old.release_id);
        elsif new.status <> 'released' or old.status = 'released' then
            return new;
        end if;
        new.decided_at := clock_timestamp();
    end if;
    perform 1 from registry.holding h where h.offering_id = new.offering_id and h.holding_id = new.holding_id for update;
    select * into o from registry.redemption_open x
    where x.offering_id = new.offering_id and x.buyback_id = new.buyback_id and x.holding_id = new.holding_id;
    -- One that a stranger's transaction dropped may be found again until two people have started its key.
    if o.is_waiting is distinct from false or exists (select from registry.redemption_call c join registry.chain_transaction t using (offering_id, intent_id)
            where c.offering_id = new.offering_id and c.buyback_id = new.buyback_id and c.holding_id = new.holding_id and t.status = 'dropped'
                and not exists (select from registry.started_key k where k.intent_id = t.intent_id)) then
        raise exception using errcode = 'BR008', constraint = 'released_line_is_open',
            message = format('the line of %s is cancelled, released, or a burn of it is on its way', new.holding_id);
    elsif not engine.redemption_is_funded(new.offering_id, new.buyback_id) then
        raise exception using errcode = 'BR008', constraint = 'released_line_has_its_price_set_apart',
            message = format('nothing is set apart for %s; give the buy-back up instead', new.buyback_id);
    elsif registry.release_reason(new.offering_id, new.buyback_id, new.holding_id) is distinct from new.hindered_by then
        raise exception using errcode = 'BR008', constraint = 'released_line_cannot_be_cancelled',
            message = format('nothing of %s itself, or something else than was proposed, keeps its units from being cancelled', new.holding_id);
    end if;
    return new;
end $$;
create trigger line_release_stands before insert or update on registry.line_release for each row execute function registry.line_release_stands();
alter table registry.line_release enable always trigger line_release_stands;

-- Asks to let one line go, on the version of the buy-back that was seen.
create function registry.propose_line_release(p_actor text, p_request text, p_offering text, p_buyback text, p_release text, p_holding text,
    p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    b registry.buyback;
begin
    perform audit.enter(p_actor, p_request);
    b := registry.hold_buyback(p_offering, p_buyback);
    if p_seen is distinct from b.version then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen', message = 'look again, then decide';
    end if;
    if not exists (select from registry.redemption_line l where l.offering_id = p_offering and l.buyback_id = p_buyback and l.holding_id = p_holding) then
        raise exception using errcode = 'BR404', constraint = 'released_line_exists', message = format('%s takes nothing of %s', p_buyback, p_holding);
    end if;
    insert into registry.line_release (offering_id, release_id, buyback_id, holding_id, status, because, hindered_by, proposed_by)
    values (p_offering, p_release, p_buyback, p_holding, 'proposed', p_because,
        coalesce(registry.release_reason(p_offering, p_buyback, p_holding), ''), p_actor);
end $$;

-- Another person lets the line go, or declines, on the version that it saw. The units are free again unless something else holds them.
create function registry.decide_line_release(p_actor text, p_request text, p_offering text, p_release text, p_is_agreed boolean, p_because text,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r registry.line_release;
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    select * into r from registry.line_release x where x.offering_id = p_offering and x.release_id = p_release for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'line_release_exists', message = format('there is no %s in %s', p_release, p_offering);
    end if;
    if p_seen is distinct from r.version then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen', message = 'look again, then decide';
    end if;
    update registry.line_release set status = case when p_is_agreed then 'released' else 'declined' end, decided_by = p_actor,
        decided_because = p_because, decided_at = clock_timestamp()
    where offering_id = p_offering and release_id = p_release;
    if p_is_agreed then
        perform registry.end_buyback(p_offering, r.buyback_id);
    end if;
end $$;

create view registry.line_release_standing as
select r.offering_id, r.buyback_id, r.release_id, r.holding_id, l.investor_id, l.units, l.amount_minor, r.status, r.because, r.hindered_by,
    r.proposed_by, r.proposed_at, r.decided_by, r.decided_because, r.decided_at, r.version
from registry.line_release r join registry.redemption_line l using (offering_id, buyback_id, holding_id);
