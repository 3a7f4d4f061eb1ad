create or replace view retoma.v_open_transaction as
select
  h.pid, h.role, h.application, h.state, h.since, h.tables,
  format('select pg_terminate_backend(%s)', h.pid) as how_to_end
from retoma_internal.lock_holders() as h;

comment on view retoma.v_open_transaction is
'One row per session whose transaction holds locks on tables of Retoma now. A runner needs some milliseconds. An older
one, most often "idle in transaction", holds up what it has locked. state and since are null for the sessions of other
roles, unless the owner of Retoma is a member of pg_read_all_stats.';
