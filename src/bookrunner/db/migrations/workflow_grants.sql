-- The workflow login reads and writes its library's rows; it defines nothing.
grant usage on schema dbos to workflow;
grant select, insert, update, delete on all tables in schema dbos to workflow;
grant usage, select, update on all sequences in schema dbos to workflow;
grant execute on all functions in schema dbos to workflow;
revoke all on all functions in schema dbos from public;
