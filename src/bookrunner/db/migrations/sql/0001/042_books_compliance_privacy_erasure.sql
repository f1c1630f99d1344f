-- Erasure: what this book knows of an investor, and of people who are here for that investor alone.

-- Score parts stand as they were written, until the key of their subject is destroyed.
create function compliance.parts_stand() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'DELETE' and exists (select from compliance.data_key k
        where k.investor_id = old.subject_id and k.status = 'destroyed') then
        return old;
    end if;
    raise exception using errcode = 'BR003', constraint = 'history_is_append_only',
        message = format('%s on %s.%s is refused: history is append only', tg_op, tg_table_schema, tg_table_name);
end $$;

create trigger aa_append_only before update or delete on compliance.score_part
    for each row execute function compliance.parts_stand();
create trigger aa_append_only_truncate before truncate on compliance.score_part
    for each statement execute function compliance.parts_stand();
alter table compliance.score_part enable always trigger aa_append_only;
alter table compliance.score_part enable always trigger aa_append_only_truncate;

-- Destroys the key of one subject and empties what stood in clear; one without a key gets one that never opened anything,
-- so that nothing is kept of the subject again.
create function compliance.erase_subject(p_subject text, p_because text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform compliance.await_key(p_subject);
    insert into compliance.data_key (investor_id, key_id, status, wrapped)
    select p_subject, 'dek_' || replace(gen_random_uuid()::text, '-', ''), 'active', uuid_send(gen_random_uuid())
    where not exists (select from compliance.data_key k where k.investor_id = p_subject);
    update compliance.data_key set status = 'destroyed', wrapped = null, destroyed_because = p_because
    where investor_id = p_subject and status = 'active';
    delete from compliance.score_part where subject_id = p_subject;
end $$;

-- Erases what is known of an investor, and of everybody who is here for this investor alone: owners, parties, payers,
-- signers, clients. Refused with the reason while a rule keeps the record.
create function compliance.erase_files(p_actor text, p_request text, p_investor text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    kept text := engine.kept_because(p_investor);
    one text;
begin
    perform audit.enter(p_actor, p_request);
    if kept is not null then
        raise exception using errcode = 'BR008', constraint = 'retention_allows_erasure', message = kept;
    end if;
    if not exists (select from compliance.data_key k where k.investor_id = p_investor and k.status = 'active')
        and not exists (select from compliance.score_part p where p.subject_id = p_investor) then
        raise exception using errcode = 'BR404', constraint = 'erased_key_exists',
            message = format('there is no key of %s', p_investor);
    end if;
    for one in select s.id from compliance.subjects_of(p_investor) s (id) where s.id not like 'wallet:%' and not exists (
        select from compliance.concerned(s.id) c (id) where c.id not in (s.id, p_investor)) order by 1 loop
        perform compliance.erase_subject(one, p_because);
    end loop;
end $$;
