create or replace view retoma.v_open_transaction as
select
  h.pid, h.role, h.application, h.state, h.since, h.tables,
  format('select pg_terminate_backend(%s)', h.pid) as how_to_end
from retoma_internal.open_transactions() as h;

comment on view retoma.v_open_transaction is
'One row per session that holds locks on tables of Retoma and is idle in a transaction, or in one for more than 5
seconds: it holds up what it has locked. Statements of runners that are under way are not shown. state and since are
null for the sessions of other roles, unless the owner of Retoma is a member of pg_read_all_stats.';
