"""What the database ends or refuses for the moment is tried again: nothing is lost, nothing is in doubt."""

import json

import psycopg
import pytest

from retoma.runner.calls import is_passing
from tests.runner.conftest import World
from tests.support.campaigns import Db, call
from tests.support.runners import Runners

PASSING = {
    "25P03": "idle_in_transaction_session_timeout",
    "25P04": "transaction_timeout",
    "57014": "statement_timeout, pg_cancel_backend",
    "55P03": "lock_timeout",
    "57P01": "pg_terminate_backend, shutdown",
    "57P05": "idle_session_timeout",
    "40P01": "deadlock",
    "53100": "full disk",
}

# The work is done, and then taken back: of twelve calls, one ends by each of three faults.
FAULTS = """
create sequence if not exists public.calls;
grant usage on sequence public.calls to public;
create function public.fail_sometimes() returns void language plpgsql as $$
begin
  case nextval('public.calls') % 12
    when 3 then
      perform set_config('transaction_timeout', '1', true);
      perform pg_sleep(600);
    when 6 then
      perform pg_terminate_backend(pg_backend_pid());
      perform pg_sleep(600);
    when 9 then raise exception using errcode = '57014', message = 'statement timeout';
    else null;
  end case;
end
$$;
alter function retoma.advance_batch(uuid, bigint, int, jsonb, int, int, int[]) rename to real_advance_batch;
create function retoma.advance_batch(
  uuid, bigint, int, jsonb, int, int, int[],
  out action text, out wait_s double precision, out reserved int, out messages json, out why_not text,
  out because text, out in_flight int
) language plpgsql as $$
begin
  select r.* into action, wait_s, reserved, messages, why_not, because, in_flight
  from retoma.real_advance_batch($1, $2, $3, $4, $5, $6, $7) as r;
  perform public.fail_sometimes();
end
$$;
"""


@pytest.mark.parametrize("state", PASSING)
def test_a_fault_of_this_kind_passes(state: str) -> None:
    assert is_passing(psycopg.errors.lookup(state)("ended"))


@pytest.mark.parametrize("state", ["42501", "22003", "XX000", "25001"])
def test_a_refusal_does_not(state: str) -> None:
    assert not is_passing(psycopg.errors.lookup(state)("refused"))


def test_steps_that_are_ended_lose_no_outcome_and_keep_no_channel(
    db: Db, world: World, runners: Runners
) -> None:
    db.execute(FAULTS.encode())
    world.webhook("sales", rate_per_s=300)
    runner = runners.start("r1", patient=True)

    world.campaign("spring", "sales", messages=600, batch_size=100)

    row = world.wait_for_end("spring")
    assert call(db, "select last_value from public.calls") > 12
    assert (row["sent"], row["in_doubt"], row["failed"]) == (600, 0, 0)
    assert set(world.accepted("sales").values()) == {1}
    assert runner.terminate() == 0
    lines = [json.loads(line) for line in runner.text().splitlines()]
    assert {line["event"] for line in lines if line["level"] == "error"} == set()
    assert "Traceback" not in runner.text()
