"""The sandbox is the judge of the drills, so it has tests: a durable ledger, exact faults."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from retoma.transports.base import Message, Receipt
from tests.support import transports
from tests.support.contents import text
from tests.support.sandbox_process import SandboxProcess

NewSandbox = Callable[..., SandboxProcess]


def to_webhook(sandbox: SandboxProcess, channel: str) -> dict[str, object]:
    return {"url": f"{sandbox.url}/webhook/{channel}"}


def messages(count: int) -> list[Message]:
    return [Message(f"{n:032x}", f"+55119555{n:05}", text(f"text {n}")) for n in range(count)]


async def test_every_answered_message_survives_a_kill_of_the_sandbox(
    new_sandbox: NewSandbox, tmp_path: Path
) -> None:
    first = new_sandbox(tmp_path)
    first.fault(do="stall", after=1000)
    transport = transports.create("webhook", to_webhook(first, "a"))
    sending = [asyncio.create_task(transport.send(m)) for m in messages(2000)]
    answered = 0
    for done in asyncio.as_completed(sending):
        answered += (await done).status == "accepted"
        if answered == 500:
            first.process.kill()
    results = [task.result() for task in sending]
    first.kill()
    await transport.aclose()

    second = new_sandbox(tmp_path)
    figures = second.figures("webhook", "a")
    recorded = {entry["message_id"] for entry in second.entries()}
    second.kill()

    accepted = {m.id for m, r in zip(messages(2000), results, strict=True) if r.status == "accepted"}
    assert 500 <= len(accepted) <= 1000
    assert accepted <= recorded
    assert figures["unique"] == len(recorded)


async def test_a_restarted_sandbox_knows_the_ids_that_it_took(
    new_sandbox: NewSandbox, tmp_path: Path, message: Message
) -> None:
    first = new_sandbox(tmp_path, "--idempotent")
    transport = transports.create("webhook", to_webhook(first, "a"))
    await transport.send(message)
    await transport.aclose()
    first.kill()

    second = new_sandbox(tmp_path, "--idempotent")
    transport = transports.create("webhook", to_webhook(second, "a"))
    await transport.send(message)
    await transport.aclose()
    figures = second.figures("webhook", "a")
    second.kill()

    assert (figures["unique"], figures["repeats"], figures["duplicates"]) == (1, 1, 0)


async def test_a_line_that_was_never_finished_was_never_answered(
    new_sandbox: NewSandbox, tmp_path: Path, message: Message
) -> None:
    first = new_sandbox(tmp_path)
    transport = transports.create("webhook", to_webhook(first, "a"))
    await transport.send(message)
    await transport.aclose()
    first.kill()
    with (tmp_path / "ledger.jsonl").open("a") as ledger:
        ledger.write('{"seq":2,"at":')

    second = new_sandbox(tmp_path)
    seqs = [entry["seq"] for entry in second.entries()]
    second.kill()

    assert seqs == [1]


def test_two_sandboxes_cannot_share_a_ledger(new_sandbox: NewSandbox, tmp_path: Path) -> None:
    first = new_sandbox(tmp_path)

    with pytest.raises(RuntimeError, match="Another sandbox uses this ledger"):
        new_sandbox(tmp_path)

    first.kill()


async def test_the_ledger_keeps_no_text(sandbox: SandboxProcess) -> None:
    transport = transports.create("webhook", to_webhook(sandbox, "no-text"))
    await transport.send(Message("f" * 32, "+5511955500001", text("for her eyes only")))
    await transport.aclose()

    assert "her eyes" not in str(sandbox.entries("no-text"))


@pytest.mark.parametrize(
    ("rule", "refused"),
    [
        ({"every": 3}, [2, 5, 8]),
        ({"first": 2}, [0, 1]),
        ({"after": 7}, [7, 8]),
        ({"after": 2, "first": 4, "every": 2}, [3, 5]),
        ({"to": ["+5511955500004"]}, [4]),
        ({"dialect": "waha"}, []),
    ],
)
async def test_a_fault_hits_exactly_the_requests_that_it_names(
    sandbox: SandboxProcess, rule: dict[str, object], refused: list[int]
) -> None:
    channel = f"rule-{rule}".replace(" ", "").replace("/", "")
    channel = "".join(c for c in channel if c.isalnum() or c == "-")
    sandbox.fault(channel=channel, do="status", status=500, **rule)
    transport = transports.create("webhook", to_webhook(sandbox, channel))

    codes = [(await transport.send(m)).code for m in messages(9)]

    await transport.aclose()
    sandbox.call("DELETE", "/_sandbox/faults")
    assert [n for n, code in enumerate(codes) if code] == refused


async def test_the_same_seed_gives_the_same_faults(new_sandbox: NewSandbox, tmp_path: Path) -> None:
    runs = []
    for run in ("one", "two"):
        sandbox = new_sandbox(tmp_path / run, "--seed", "7")
        sandbox.fault(do="status", probability=0.5)
        transport = transports.create("webhook", to_webhook(sandbox, "a"))
        runs.append([(await transport.send(m)).code for m in messages(40)])
        await transport.aclose()
        sandbox.kill()

    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 2


@pytest.mark.parametrize(
    "rule",
    [{"do": "explode"}, {"evry": 2}, {"every": "2"}, {"every": 0}, {"status": 99}, {"latency_ms": [1]}, 3],
)
def test_a_fault_that_is_not_understood_is_refused(sandbox: SandboxProcess, rule: object) -> None:
    status, answer = sandbox.call("POST", "/_sandbox/faults", rule)

    assert status == 400
    assert answer["error"]
    assert answer["hint"]


@pytest.mark.parametrize("transport_name", ["waha", "webhook"])
async def test_receipts_come_late_twice_and_out_of_order_and_are_understood(
    new_sandbox: NewSandbox, tmp_path: Path, transport_name: str
) -> None:
    calls: list[tuple[dict[str, str], bytes]] = []
    complete = asyncio.Event()

    async def receive(request: web.BaseRequest) -> web.Response:
        calls.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        if len(calls) == 60:
            complete.set()
        return web.Response()

    receiver = web.ServerRunner(web.Server(receive))
    await receiver.setup()
    await web.TCPSite(receiver, "127.0.0.1", 0).start()
    port = receiver.addresses[0][1]
    sandbox = new_sandbox(tmp_path)
    plan = {"url": f"http://127.0.0.1:{port}/{{channel}}", "key": "k", "twice": 1.0, "shuffle": True}
    sandbox.call("POST", "/_sandbox/receipts", plan | {"delay_ms": [0, 20]})
    settings: dict[str, dict[str, object]] = {
        "waha": {
            "base_url": f"{sandbox.url}/waha",
            "session": "a",
            "engine": "NOWEB",
            "webhook_hmac_key": "k",
        },
        "webhook": {**to_webhook(sandbox, "a"), "secret": "k"},
    }
    transport = transports.create(transport_name, settings[transport_name])

    for message in messages(10):
        await transport.send(message)
    await asyncio.wait_for(complete.wait(), 60)

    facts = [fact for headers, body in calls for fact in transport.parse_webhook(headers, body)]
    await transport.aclose()
    sandbox.kill()
    await receiver.cleanup()
    seen = Counter((f.message_id, f.status) for f in facts if isinstance(f, Receipt))
    statuses = ("server", "delivered", "read")
    assert seen == {(message.id, status): 2 for message in messages(10) for status in statuses}


async def test_an_account_that_is_refused_later_is_told_by_receipt_as_waha_tells_it(
    new_sandbox: NewSandbox, tmp_path: Path, message: Message
) -> None:
    calls: asyncio.Queue[bytes] = asyncio.Queue()

    async def receive(request: web.BaseRequest) -> web.Response:
        calls.put_nowait(await request.read())
        return web.Response()

    receiver = web.ServerRunner(web.Server(receive))
    await receiver.setup()
    await web.TCPSite(receiver, "127.0.0.1", 0).start()
    sandbox = new_sandbox(tmp_path)
    url = f"http://127.0.0.1:{receiver.addresses[0][1]}/{{channel}}"
    sandbox.call("POST", "/_sandbox/receipts", {"url": url})
    sandbox.fault(channel="a", do="refuse_later", error="463")
    settings: dict[str, object] = {"base_url": f"{sandbox.url}/waha", "session": "a", "engine": "NOWEB"}
    transport = transports.create("waha", settings)

    result = await transport.send(message)
    (receipt,) = transport.parse_webhook({}, await asyncio.wait_for(calls.get(), 60))

    await transport.aclose()
    await receiver.cleanup()
    (entry,) = sandbox.entries("a")
    sandbox.kill()
    assert result.status == "accepted"
    assert isinstance(receipt, Receipt)
    assert (receipt.message_id, receipt.status, receipt.code) == (message.id, "failed", "server_463")
    assert (entry["kind"], entry["code"]) == ("withdrawn", "463")


async def test_a_session_that_ignores_our_ids_answers_with_its_own_and_repeats(
    new_sandbox: NewSandbox, tmp_path: Path, message: Message
) -> None:
    sandbox = new_sandbox(tmp_path, "--ignores-ids", "old")
    settings: dict[str, object] = {"base_url": f"{sandbox.url}/waha", "session": "old", "engine": "NOWEB"}
    transport = transports.create("waha", settings)

    results = [await transport.send(message) for _ in range(2)]

    await transport.aclose()
    kinds = [entry["kind"] for entry in sandbox.entries("old")]
    sandbox.kill()
    assert [result.took_id for result in results] == [False, False]
    assert results[0].provider_id != results[1].provider_id
    assert kinds == ["accepted", "duplicate"]
