"""The receiver: single receipts of the Cloud API over keep-alive connections, while a campaign is sent.

    python -m tests.bench.receive URL FILE       the provider, in a separate process

FILE has the id of a message in each line. The provider posts a signed call for each one, the next one of a
connection when the last one was answered, and says how long the answers took.
"""

import asyncio
import gc
import hashlib
import hmac
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import LiteralString, cast
from urllib.parse import urlsplit

import psycopg
import uvloop
from psycopg.types.json import Jsonb

from tests.bench import drains, engine, world
from tests.bench.measure import Run, interleaved, measured, percentile
from tests.bench.report import Report
from tests.bench.server import Server, running
from tests.support.command import environment
from tests.support.waiting import wait_until

ALONE = "RETOMA_BENCH_RECEIVE_ALONE"
"""With this variable set, no campaign is sent meanwhile."""

CONNECTIONS = 100

_SECRET = "secret of the bench"
_SETTINGS = {
    "phone_number_id": "104",
    "waba_id": "900",
    "access_token": "none",
    "app_secret": _SECRET,
    "base_url": "http://127.0.0.1:1",
}
# Each message has three receipts in its life, so this is what goes with the target.
_RATE_PER_S = 3_333

# The null transport has sent the messages; their provider reports them as if it were Meta. A trigger would
# refuse to change the transport of a channel.
_SPEAKS_META = (
    "set session_replication_role to replica",
    "update retoma_internal.channel as c set transport = m.transport, settings = m.settings"
    " from retoma_internal.channel as m where c.id = %s and m.id = %s",
    "reset session_replication_role",
)
_IDS = """
select retoma_internal.message_id(c.token, g)
from retoma_internal.campaign as c, generate_series(1, c.total) as g
where c.id = %s
"""
_APPLIED = """
select
  (select count(*) from retoma_internal.delivery where campaign_id = %(id)s and receipt = 'delivered'),
  (select sum(b.delivered) from retoma_internal.batch as b where b.campaign_id = %(id)s)
"""
_TRANSACTIONS = """
select count(distinct d.xmin::text) from retoma_internal.delivery as d
where d.campaign_id = %s and d.receipt is not null
"""
_SENT = "select sum(b.sent)::int from retoma_internal.batch as b where b.campaign_id = %s"
_APPLY_WAITING = "select retoma_internal.apply_waiting_receipts(false)"
_WAITING = "select count(*) from retoma_internal.receipt_inbox"

_numbers = itertools.count(1)


def bench(*, quick: bool) -> Report:
    """One receiver; each receipt is a call and is applied once; meanwhile, messages are sent."""
    size, rounds = (6_000, 1) if quick else (60_000, 3)
    sends = ALONE not in os.environ
    name = "a campaign is sent" if sends else "alone"
    report = Report("receive", quick)
    with running() as server:
        side = interleaved({name: lambda: receive(server, size, sends=sends)}, rounds)[name]
    report.sides = [side]
    figure = side.extra
    report.target("receipts a second", side.rate, 10_000)
    report.target("half of the answers", figure("p50_ms"), unit="ms")
    report.target("99 % of the answers", figure("p99_ms"), 250, at_least=False, unit="ms")
    report.target("receipts of a transaction", figure("group"))
    report.target("receipts that had to wait in the inbox", figure("waited"))
    if sends:
        report.target("messages sent meanwhile, a second", figure("sent_per_s"))
    return report


def receive(server: Server, size: int, *, sends: bool) -> Run:
    """Report each message of a campaign of that size as delivered.

    Args:
        sends: whether another campaign is sent meanwhile.
    """
    number = next(_numbers)
    run = Run(size)
    with server.connect() as connection, ExitStack() as stack:
        channel = f"meta-{number}"
        campaign_id = _sent(server, connection, channel, f"reported {number}", size)
        ids = stack.enter_context(tempfile.NamedTemporaryFile("w", suffix=".ids"))
        ids.writelines(f"{row[0]}\n" for row in connection.execute(_IDS, (campaign_id,)))
        ids.flush()
        receiver, address = stack.enter_context(_receiver(server))
        provider = stack.enter_context(_provider(f"{address}/hooks/{channel}", ids.name))
        heads = {"server": server.pid, "receiver": receiver.pid, "client": provider.pid}
        beside = 0
        if sends:
            beside, heads["runner"] = stack.enter_context(
                _campaign_beside(server, connection, number, 10 * size)
            )
        connection.execute("checkpoint")
        sent_before = _one(connection, _SENT, beside)
        with measured(run, heads):
            _tell(provider, "go")
            told = json.loads(_line_of(provider))
        waited = _one(connection, _WAITING)
        sent = _one(connection, _SENT, beside) - sent_before
        group = size / max(1, _one(connection, _TRANSACTIONS, campaign_id))
        run.rss_mb = told["rss_mb"]
        run.extra = {"p50_ms": told["p50_ms"], "p99_ms": told["p99_ms"], "group": group, "waited": waited}
        run.extra["sent_per_s"] = sent / run.wall_s
        assert told["statuses"] == {"200": size}, told["statuses"]
        wait_until(lambda: connection.execute(_APPLY_WAITING) and not _one(connection, _WAITING))
        applied = connection.execute(_APPLIED, {"id": campaign_id}).fetchone()
        assert applied == (size, size), f"{applied} of {size} were applied"
        engine.forget(connection, campaign_id)
    return run


def _one(connection: psycopg.Connection, statement: LiteralString, *parameters: object) -> int:
    row = connection.execute(statement, parameters).fetchone()
    assert row is not None
    return int(row[0] or 0)


def _sent(server: Server, connection: psycopg.Connection, channel: str, campaign: str, size: int) -> int:
    """A campaign of which each message was sent, on a channel whose provider is Meta; returns its id."""
    channel_id = world.make_channel(connection, channel, leases=2)
    meta_id = world.make_channel(connection, f"settings-of-{channel}", "whatsapp_cloud", _SETTINGS)
    campaign_id = world.make_campaign(connection, campaign, [channel], size)
    world.start(connection, campaign)
    engine.drain(server, [channel_id])
    connection.execute(_SPEAKS_META[0])
    connection.execute(_SPEAKS_META[1], (channel_id, meta_id))
    connection.execute(_SPEAKS_META[2])
    return campaign_id


@contextmanager
def _campaign_beside(
    server: Server, connection: psycopg.Connection, number: int, size: int
) -> Iterator[tuple[int, int]]:
    """A campaign that is being sent at a steady rate: its id, and the process of its runner."""
    channel, campaign = f"null-{number}", f"sent meanwhile {number}"
    channel_id = world.make_channel(connection, channel, leases=2)
    pacing = Jsonb({"rate_per_s": _RATE_PER_S, "burst": _RATE_PER_S // 10})
    connection.execute("select retoma.configure_channel(%s, '{}', %s)", (channel, pacing))
    campaign_id = world.make_campaign(connection, campaign, [channel], size)
    with drains.started(server.url, 2, [channel_id]) as process:
        world.start(connection, campaign)
        process.begin()
        wait_until(lambda: _one(connection, _SENT, campaign_id))
        yield campaign_id, process.process.pid
        connection.execute("select retoma.cancel_campaign(%s)", (campaign,))
        process.finish()
    engine.forget(connection, campaign_id)


@contextmanager
def _receiver(server: Server) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `retoma receive`, and its address."""
    command = [sys.executable, "-m", "retoma", "receive", "--port", "0"]
    process = subprocess.Popen(
        command, env=environment(database_url=server.url), stdout=subprocess.PIPE, text=True
    )
    try:
        yield process, _line_of(process).split()[2].removesuffix("/hooks/CHANNEL;")
    finally:
        process.kill()
        process.wait()


@contextmanager
def _provider(url: str, ids: str) -> Iterator[subprocess.Popen[str]]:
    """The provider, ready to begin."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.receive", url, ids],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert _line_of(process) == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()


def _tell(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()


def _line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "a process of the bench has died"
    return line


class _Connection(asyncio.Protocol):
    """Posts the next call as soon as the last one was answered."""

    def __init__(self, calls: Iterator[bytes], done: asyncio.Event) -> None:
        self.statuses: Counter[str] = Counter()
        self.seconds: list[float] = []
        self._calls = calls
        self._done = done
        self._posted_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def post(self) -> None:
        call = next(self._calls, None)
        if call is None:
            self._done.set()
            return
        self._posted_at = time.perf_counter()
        self._transport.write(call)

    def data_received(self, data: bytes) -> None:
        # An answer has a few hundred bytes and comes in one piece.
        self.seconds.append(time.perf_counter() - self._posted_at)
        self.statuses[data[9:12].decode()] += 1
        self.post()

    def connection_lost(self, exc: Exception | None) -> None:
        self._done.set()


def _call(target: str, host: str, message_id: str) -> bytes:
    status = {
        "id": f"wamid.{hashlib.sha256(message_id.encode()).hexdigest()[:44]}",
        "status": "delivered",
        "timestamp": str(int(time.time())),
        "recipient_id": "999000000001",
        "recipient_user_id": "BR.Xk29fQ7",
        "biz_opaque_callback_data": message_id,
        "pricing": {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "marketing"},
    }
    metadata = {"display_phone_number": "999000000000", "phone_number_id": _SETTINGS["phone_number_id"]}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": [status]}
    change = {"field": "messages", "value": value}
    entry = {"id": _SETTINGS["waba_id"], "changes": [change]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    signature = hmac.digest(_SECRET.encode(), body, "sha256").hex()
    head = (
        f"POST {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: facebookexternalua\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-Hub-Signature-256: sha256={signature}\r\n\r\n"
    )
    return head.encode() + body


async def _main(url: str, message_ids: list[str]) -> None:
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    calls = [_call(address.path, address.netloc, line) for line in message_ids]
    remaining, loop = iter(calls), asyncio.get_running_loop()
    connections, ends = [], []
    for _ in range(CONNECTIONS):
        ends.append(asyncio.Event())
        connections.append(_Connection(remaining, ends[-1]))
        await loop.create_connection(lambda: connections[-1], address.hostname, address.port)
    gc.freeze()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for connection in connections:
        connection.post()
    await asyncio.gather(*(end.wait() for end in ends))
    seconds = [each for connection in connections for each in connection.seconds]
    told = {
        "p50_ms": percentile(seconds, 0.5) * 1000,
        "p99_ms": percentile(seconds, 0.99) * 1000,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "statuses": sum((connection.statuses for connection in connections), Counter()),
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], Path(sys.argv[2]).read_text().split()))
