-- Turns of the work that the clock tells of: who takes one does the work for that period, whatever process it is.

create table engine.turn (
    work text primary key,
    taken_at timestamptz not null
);

-- Takes the turn of a work that has stood for so many seconds. Null when it is taken, else the milliseconds until it may
-- be: another worker had it. A worker that is started again finds the turn where the last one left it.
create function engine.take_turn(p_actor text, p_request text, p_work text, p_seconds integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    period interval := make_interval(secs => p_seconds);
begin
    perform audit.enter(p_actor, p_request);
    insert into engine.turn as t (work, taken_at) values (p_work, clock_timestamp())
    on conflict (work) do update set taken_at = excluded.taken_at where t.taken_at + period <= excluded.taken_at;
    if found then
        return null;
    end if;
    return (select greatest(1, ceil(extract(epoch from t.taken_at + period - clock_timestamp()) * 1000)) from engine.turn t
        where t.work = p_work);
end $$;
