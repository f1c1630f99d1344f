-- How a person reads: the language of its pages and mails, and the time zone in which its pages write moments.

-- A preference and no fact: nothing is decided by it, so it has no history.
create table api.reading (
    account_id text primary key references api.account,
    language text not null constraint language_is_a_code check (language ~ '^[a-z]{2,3}$'),
    zone text not null constraint zone_is_written_as_a_name check (zone ~ '^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$' and length(zone) <= 60)
);

-- Keeps how the person behind an open session reads; without one, and for a key, nothing is kept.
create function api.choose_reading(p_session bytea, p_language text, p_zone text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    insert into api.reading as r (account_id, language, zone)
    select s.account_id, p_language, coalesce(p_zone, 'UTC') from api.open_account_session(p_session) s
    where s.account_id is not null
    on conflict (account_id) do update set language = excluded.language, zone = coalesce(p_zone, r.zone);
end;

-- In which language each of these people reads; nobody who has chosen none.
create function api.languages_of(p_names text[]) returns table (name text, language text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select a.name, r.language from api.reading r join api.account a using (account_id) where a.name = any (p_names);
end;

grant select on api.reading to access;
grant execute on function api.choose_reading(bytea, text, text) to access;
grant execute on function api.languages_of(text[]) to engine;
