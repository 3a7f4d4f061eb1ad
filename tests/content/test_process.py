"""The process that renders: the budget of one message, which no other message pays for."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import psutil
import pytest
import structlog

from retoma.content import process
from retoma.content.budget import CPU_S
from retoma.content.frames import packed
from retoma.content.process import NotTried, RenderProcess
from retoma.content.results import Checked, RenderError
from retoma.content.written import Content
from retoma.errors import RetomaError
from tests.support.contents import written
from tests.support.renderers import with_defect
from tests.support.waiting import wait_until

PHONE = "+5511955500001"
GREETING = "Oi {{ nome | upcase }}"
SLOW = "{% for a in (1..9999) %}{{ (1..9999) | join: ',' | size }}{% endfor %}"
ENDLESS = f"{{% if nome == 'slow' %}}{SLOW}{{% endif %}}Oi {{{{ nome | upcase }}}}"


class Renders:
    """A process, and the short way to ask it."""

    def __init__(self) -> None:
        self.process = RenderProcess()

    def begin(self, body: str, **variables: object) -> asyncio.Future[Content]:
        return self.process.render(body, written(body), PHONE, variables)

    async def one(self, body: str, **variables: object) -> str:
        return await words(self.begin(body, **variables))

    def pid(self) -> int:
        running = self.process._process
        assert running is not None
        return running.pid


async def words(future: asyncio.Future[Content]) -> str:
    """The result: the text, otherwise the code of the error."""
    try:
        async with asyncio.timeout(60):
            content = await future
    except RenderError as error:
        return error.code
    except asyncio.CancelledError:
        return "cancelled"
    assert content["kind"] == "text"
    return str(content["text"])


@pytest.fixture
async def renders() -> AsyncIterator[Renders]:
    renders = Renders()
    yield renders
    await renders.process.aclose()


async def test_a_text_is_rendered_for_each_recipient_in_order(renders: Renders) -> None:
    futures = [renders.begin(GREETING, nome=f"n{n}") for n in range(700)]
    others = [renders.begin("Olá {{ nome | upcase }}", nome=f"n{n}") for n in range(10)]

    assert [await words(future) for future in futures] == [f"Oi N{n}" for n in range(700)]
    assert [await words(future) for future in others] == [f"Olá N{n}" for n in range(10)]


async def test_what_json_can_hold_comes_through(renders: Renders) -> None:
    body = "{{ a | join }} {{ b.c }} {{ d | plus: 1 }} {{ e | default: 'nada' }} {{ f }}"
    variables = {"a": ["é", "🙂"], "b": {"c": "\u2028"}, "d": 1.5, "e": None, "f": True}

    assert await renders.one(body, **variables) == "é 🙂 \u2028 2.5 nada true"


async def test_an_error_of_one_recipient_is_his_alone(renders: Renders) -> None:
    futures = [renders.begin(GREETING, **({} if n == 1 else {"nome": "ana"})) for n in range(3)]

    assert [await words(future) for future in futures] == ["Oi ANA", "missing_variable", "Oi ANA"]


BEYOND = {
    "{{ (1..15000000) | join: ',' }}": {"over_limit"},
    "{{ (1..10001) | join: ',' | split: ',' | sort_natural }}": {"over_limit"},
    "{{ (1..900000000) | size }}{{ (1..900000000) | reverse | first }}": {"over_limit"},
    "{% for i in (1..900000000) %}{% endfor %}": {"over_limit"},
    SLOW: {"over_time"},
    "{{ s | replace: '', s }}": {"over_memory"},
    "{{ s | replace: 'x', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' | size }}": {"over_limit"},
    "{% assign t = s %}{% for i in (1..40) %}{% assign t = t | append: t %}{% endfor %}": {"over_limit"},
    "{% for a in (1..100) %}{% for b in (1..100) %}{{ s | split: '' | sort_natural | size }}"
    "{% endfor %}{% endfor %}": {"over_time"},
    "{% for a in (1..9999) %}{{ s | split: '' | uniq | size }}{% endfor %}": {"over_time"},
    "{% assign x = 9 %}{% for i in (1..40) %}{% assign x = x | times: x %}{% endfor %}{{ x }}": {
        "over_limit",
        "over_time",
        "value_refused",
    },
    "{% for i in (1..10000) %}{{ s }}{% endfor %}": {"over_size"},
}


@pytest.mark.parametrize("body", BEYOND)
async def test_a_text_beyond_its_budget_fails_its_message_and_no_other(renders: Renders, body: str) -> None:
    beyond = renders.begin(body, s="x" * 60_000)
    others = [renders.begin(GREETING, nome="ana") for _ in range(5)]

    assert await words(beyond) in BEYOND[body]
    assert [await words(future) for future in others] == ["Oi ANA"] * 5


async def test_the_messages_behind_one_that_overruns_are_neither_lost_nor_failed(renders: Renders) -> None:
    names = ["ana", "slow", "bia", "slow", "eva"]
    futures = [renders.begin(ENDLESS, nome=name) for name in names]

    assert [await words(future) for future in futures] == [
        "Oi ANA",
        "over_time",
        "Oi BIA",
        "over_time",
        "Oi EVA",
    ]


async def test_contents_take_turns(renders: Renders) -> None:
    slow = [renders.begin(ENDLESS, nome="slow") for _ in range(20)]
    quick = [renders.begin(GREETING, nome="ana") for _ in range(400)]

    assert [await words(future) for future in quick] == ["Oi ANA"] * 400
    assert sum(future.done() for future in slow) <= 4
    for future in slow:
        future.cancel()


async def test_a_frozen_machine_does_not_fail_a_message(renders: Renders) -> None:
    await renders.one(GREETING, nome="ana")
    os.kill(renders.pid(), signal.SIGSTOP)
    future = renders.begin(GREETING, nome="ana")
    # Much longer than the budget, which counts CPU time.
    await asyncio.wait({future}, timeout=2 * CPU_S)
    assert not future.done()

    os.kill(renders.pid(), signal.SIGCONT)

    assert await words(future) == "Oi ANA"


async def test_a_process_that_stays_frozen_is_replaced_and_its_messages_were_not_tried(
    renders: Renders, monkeypatch: pytest.MonkeyPatch
) -> None:
    await renders.one(GREETING, nome="ana")
    monkeypatch.setattr(process, "STALL_S", 0.2)
    frozen = renders.pid()
    os.kill(frozen, signal.SIGSTOP)
    future = renders.begin(GREETING, nome="ana")

    assert await words(future) == "cancelled"

    monkeypatch.undo()
    assert await renders.one(GREETING, nome="bia") == "Oi BIA"
    assert not psutil.pid_exists(frozen)


async def test_a_process_that_is_killed_costs_no_message(renders: Renders) -> None:
    for _ in range(3):
        await renders.one(GREETING, nome="ana")
        os.kill(renders.pid(), signal.SIGSTOP)
        futures = [renders.begin(GREETING, nome="ana") for _ in range(10)]
        # Not before they were written to it.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        os.kill(renders.pid(), signal.SIGKILL)

        assert [await words(future) for future in futures] == ["Oi ANA"] * 10


async def test_a_message_that_ends_the_process_again_and_again_is_given_up(
    renders: Renders, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # As a fault inside an interpreter would.
    with_defect(
        monkeypatch,
        tmp_path,
        "render = child.render\n"
        "def crash(template, phone, variables):\n"
        "    return os.abort() if variables['nome'] == 'crash' else render(template, phone, variables)\n"
        "child.render = crash",
    )
    futures = [renders.begin(GREETING, nome=name) for name in ("ana", "crash", "bia")]

    assert [await words(future) for future in futures] == ["Oi ANA", "crashed", "Oi BIA"]


async def test_where_no_process_can_be_had_messages_were_not_tried(
    renders: Renders, monkeypatch: pytest.MonkeyPatch
) -> None:
    for nowhere in ("/nonexistent", "/bin/false"):
        monkeypatch.setattr(sys, "executable", nowhere)
        futures = [renders.begin(GREETING, nome="ana"), renders.begin("{{ nome | size }}", nome="ana")]
        assert [await words(future) for future in futures] == ["cancelled", "cancelled"]

    monkeypatch.undo()

    assert await renders.one(GREETING, nome="bia") == "Oi BIA"


async def test_a_message_that_nobody_waits_for_is_not_rendered(renders: Renders) -> None:
    futures = [renders.begin(ENDLESS, nome="slow") for _ in range(20)]
    for future in futures:
        future.cancel()

    with structlog.testing.capture_logs() as logs:
        assert await renders.one(GREETING, nome="ana") == "Oi ANA"

    assert [line["event"] for line in logs] == ["renderer_started"]


async def test_closing_ends_the_process_and_cancels_what_waits() -> None:
    renders = Renders()
    await renders.one(GREETING, nome="ana")
    pid = renders.pid()
    futures = [renders.begin(ENDLESS, nome="slow"), renders.begin(GREETING, nome="ana")]
    await asyncio.sleep(0)

    await renders.process.aclose()

    assert [await words(future) for future in futures] == ["cancelled", "cancelled"]
    assert not psutil.pid_exists(pid)


async def test_nothing_of_a_content_is_logged(renders: Renders) -> None:
    body = f"my secret {{% if nome == 'a secret' %}}{SLOW}{{% endif %}}"
    with structlog.testing.capture_logs() as logs:
        assert await renders.one(body, nome="a secret") == "over_time"
        assert await renders.one("{{ nome | slice: 'secret' }}", nome="a secret") == "value_refused"

    assert "secret" not in repr(logs)
    assert [line["event"] for line in logs] == ["renderer_started", "renderer_ended", "renderer_started"]


async def test_a_content_is_read_and_tried_out(renders: Renders) -> None:
    checked = await renders.process.check(written("Olá {{ nome | upcase }} {{ cidade | default: 'aqui' }}"))

    assert checked == Checked(["nome"], ["cidade"])


async def refusal(renders: Renders, body: str) -> RetomaError:
    with pytest.raises(RetomaError) as refused:
        await renders.process.check(written(body))
    return refused.value


async def test_a_content_that_is_no_liquid_is_refused_with_its_place_and_a_hint(renders: Renders) -> None:
    refused = await refusal(renders, "Olá {{ nome")

    assert refused.message == "the text is not valid Liquid: {{ is not closed by }} (line 1)"
    assert refused.hint is not None
    assert refused.hint.startswith("{{ nome: ")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (SLOW, "it takes more than 1 s of CPU time"),
        ("{{ (1..6000000) | join: ',' | size }}", "a range has more than 10,000 numbers"),
        (
            "{% for i in (1..9999) %}{{ 'nine chars' }}{% endfor %}",
            "the text has more than 65,536 characters",
        ),
        (f"{{% if nome %}}{SLOW}{{% endif %}}", "it takes more than 1 s of CPU time"),
        (f"{{% unless nome %}}{SLOW}{{% endunless %}}", "it takes more than 1 s of CPU time"),
    ],
)
async def test_a_content_that_asks_for_too_much_is_refused_before_anybody_could_get_it(
    renders: Renders, body: str, words: str
) -> None:
    refused = await refusal(renders, body)

    assert refused.message == f"the content cannot be sent: {words}"
    assert refused.hint


async def test_what_depends_on_the_values_of_a_recipient_is_no_fault_of_a_content(renders: Renders) -> None:
    body = "{{ lista | join: '; ' | slice: 1, n }} {{ preco | times: 2 }} {{ dia | date: '%d/%m' }}"

    checked = await renders.process.check(written(body))

    assert checked.required_variables == ["dia", "lista", "n", "preco"]


@pytest.mark.parametrize(
    ("defect", "words"),
    [
        (
            "raise MemoryError",
            "the content cannot be sent: the text needs too much memory",
        ),
        ("raise ZeroDivisionError", "the text cannot be read (ZeroDivisionError)"),
        (
            "os.abort()",
            "the content cannot be sent: the process that read it ended with -6",
        ),
        (
            "while True: pass",
            "the content cannot be sent: it takes more than 1 s of CPU time",
        ),
    ],
)
async def test_a_content_that_cannot_be_read_is_refused_and_the_next_one_is_read(
    renders: Renders, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, defect: str, words: str
) -> None:
    with_defect(
        monkeypatch, tmp_path, f"def check(texts):\n    {defect}\nchild.CHECK_CPU_S, child.check = 1, check"
    )
    first = await refusal(renders, GREETING)
    monkeypatch.undo()
    await renders.process.aclose()

    assert first.message == words
    assert (await renders.process.check(written(GREETING))).required_variables == ["nome"]


async def test_where_no_process_can_be_had_a_content_was_not_checked(
    renders: Renders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent")

    with pytest.raises(NotTried):
        await renders.process.check(written(GREETING))


def start(variables: Mapping[str, object]) -> subprocess.Popen[bytes]:
    """The process by itself, with one message to render."""
    command = [sys.executable, "-m", "retoma.content.child"]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdin is not None
    assert running.stdout is not None
    assert running.stdout.read(len(packed([]))) == packed([])
    running.stdin.write(packed({"texts": [ENDLESS], "recipients": [[PHONE, variables]]}))
    running.stdin.flush()
    return running


@pytest.mark.parametrize("name", ["ana", "slow"])
def test_the_process_ends_with_its_runner_however_that_ended(name: str) -> None:
    running = start({"nome": name})
    assert running.stdin is not None
    assert running.stdout is not None

    # As the kernel does it for a runner that was killed.
    running.stdin.close()
    running.stdout.close()

    running.wait(60)
    assert running.stderr is not None
    assert running.stderr.read() == b""


def test_the_signals_that_stop_a_runner_leave_the_process_to_it() -> None:
    with start({"nome": "ana"}) as running:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            running.send_signal(number)
        out, err = running.communicate(timeout=60)

    assert (running.returncode, err) == (0, b"")
    assert b"Oi ANA" in out


def test_the_process_leaves_no_core_with_content() -> None:
    with start({"nome": "ana"}) as running:
        limits = psutil.Process(running.pid)
        wait_until(lambda: limits.status() == psutil.STATUS_SLEEPING, 60)
        if sys.platform == "linux":
            assert limits.rlimit(psutil.RLIMIT_CORE)[0] == 0
        running.communicate(timeout=60)
