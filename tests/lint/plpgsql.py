"""plpgsql_check over every function of the schema: `python -m tests.lint.plpgsql`, a part of `make lint`.

It finds what PostgreSQL itself finds only when a line runs: names that do not exist, types that do not fit,
variables that are never read. Trigger functions are checked against each table that they are attached to.
"""

import sys

import psycopg

from tests.support import clusters

# Each function once, a trigger function once for every table.
CHECK = """
select format('%s%s: line %s: %s: %s', f.name, ' on ' || nullif(f.relid, 0)::regclass, c.lineno, c.level,
              concat_ws(' ', c.message, c.detail, c.hint))
from (
  select p.oid, p.oid::regprocedure::text as name, coalesce(t.tgrelid, 0)::oid as relid
  from pg_proc as p
  join pg_language as l on l.oid = p.prolang and l.lanname = 'plpgsql'
  left join (
    select distinct tgfoid, tgrelid from pg_trigger where not tgisinternal and tgparentid = 0
  ) as t on t.tgfoid = p.oid
  where p.pronamespace::regnamespace::text ~ '^retoma'
) as f
cross join lateral plpgsql_check_function_tb(
  f.oid, f.relid, fatal_errors => false, extra_warnings => true, security_warnings => true
) as c
-- A composite OUT parameter beside others is simply how such a function returns a row and something more.
where c.message not like 'composite OUT variable%'
order by f.name, c.lineno
"""


def main() -> int:
    """Prints what it finds; 1 when there is something, 0 when not, or when the checker is not installed."""
    if "pg15" not in clusters.available():
        print(f"plpgsql_check: SKIPPED, Debian's PostgreSQL 15 is not installed ({clusters.DEBIAN_15})")
        return 0
    with (
        clusters.running("pg15") as server,
        psycopg.connect(server.create_database(), autocommit=True) as connection,
    ):
        known = "select from pg_available_extensions where name = 'plpgsql_check'"
        if connection.execute(known).fetchone() is None:
            print("plpgsql_check: SKIPPED, its Debian package is missing (postgresql-15-plpgsql-check)")
            return 0
        connection.execute("create extension plpgsql_check schema public")
        connection.execute("set search_path = public")
        found = [row[0] for row in connection.execute(CHECK)]
    print("\n".join(found) or "plpgsql_check: no finding")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
