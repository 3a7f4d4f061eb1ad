"""The HTTP client alone, on both event loops: whatever a server does, what is known of a request is right."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trustme
from yarl import URL

from retoma.transports.http import client as http
from retoma.transports.http import connection
from retoma.transports.http.client import Answer, HttpClient
from tests.support.waiting import PATIENT_S
from tests.transports.scripted_server import Script, ScriptedServer, scripted

_EMPTY = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


@asynccontextmanager
async def client_of(server: ScriptedServer, timeout_s: float = PATIENT_S) -> AsyncIterator[HttpClient]:
    client = HttpClient(URL(server.url), {}, timeout_s)
    yield client
    await client.aclose()


async def post(client: HttpClient, payload: bytes = b"{}") -> Answer:
    return await client.post_json("/", payload, {})


def answering(*pieces: bytes) -> Script:
    """A script that answers each request with the same bytes, each piece in a separate packet."""

    async def script(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            await server.read_request(reader)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)

    return script


@pytest.mark.parametrize("one_by_one", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n" + b'{"id":"7"}',
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'4;a=b\r\n{"id\r\n6\r\n":"7"}\r\n0\r\nTrailer: t\r\n\r\n',
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n"
        b"HTTP/1.1 201 \r\nContent-Length: 10\r\n\r\n" + b'{"id":"7"}',
        b'HTTP/1.1 201 Created\nContent-Length: 10\n\n{"id":"7"}',
    ],
    ids=["length", "chunked", "interim", "bare line feeds"],
)
async def test_answers_are_read_and_the_connection_is_used_again(answer: bytes, one_by_one: bool) -> None:
    pieces = [bytes([byte]) for byte in answer] if one_by_one else [answer]
    async with scripted(answering(*pieces)) as server, client_of(server) as client:
        answers = [await post(client) for _ in range(3)]

    assert answers == [Answer(201, b'{"id":"7"}')] * 3
    assert (server.connections, server.requests) == (1, 3)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.0 201 Created\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        _EMPTY + _EMPTY,
        _EMPTY + b"HTTP/1.1 2",
        _EMPTY + b"no HTTP",
    ],
    ids=["close", "1.0", "upgrade", "101", "two answers", "one and a part of another", "one and no HTTP"],
)
async def test_a_connection_in_a_state_that_is_not_sure_is_not_used_again(answer: bytes) -> None:
    async def answers_and_waits(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.answer(reader, writer, answer)
        await server.wait_until_client_leaves(reader)

    async with scripted(answers_and_waits) as server, client_of(server) as client, asyncio.timeout(60):
        first = await post(client)
        await server.client_left.wait()
        second = await post(client)

    assert first == second
    assert first.status in (201, 101)
    assert (server.connections, server.requests) == (2, 2)


async def test_an_answer_that_comes_unasked_is_not_taken_for_the_next_one() -> None:
    async def talks_on(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.answer(reader, writer)
        if server.connections == 1:
            await asked_once.wait()
            writer.write(b"HTTP/1.1 500 Late\r\nContent-Length: 0\r\n\r\n")
        await server.wait_until_client_leaves(reader)

    asked_once = asyncio.Event()
    async with scripted(talks_on) as server, client_of(server) as client, asyncio.timeout(60):
        statuses = [(await post(client)).status]
        asked_once.set()
        await server.client_left.wait()
        statuses.append((await post(client)).status)

    assert statuses == [201, 201]
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000,
    ],
    ids=["cut short", "cut in a chunk", "broken chunk", "too long"],
)
@pytest.mark.parametrize("then", ["closes", "stalls"])
async def test_once_the_status_is_there_it_decides(answer: bytes, then: str) -> None:
    async def answers_badly(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.answer(reader, writer, answer)
        if then == "stalls":
            await server.wait_until_client_leaves(reader)

    # Half a second is enough for the status to come, but on a busy machine.
    for timeout_s in (0.5, 5, 60):
        async with scripted(answers_badly) as server, client_of(server, timeout_s) as client:
            answers = [await post(client) for _ in range(2)]
        if all(read.status for read in answers):
            break

    assert [(read.status, read.body, read.failure) for read in answers] == [(201, None, None)] * 2
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Le",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 201 Created\r\nX: " + b"x" * 2_000_000,
    ],
    ids=["nothing", "interim", "part of a head", "no HTTP", "endless header"],
)
async def test_without_a_status_the_request_may_have_arrived(answer: bytes) -> None:
    async def answers_badly(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.answer(reader, writer, answer)

    async with scripted(answers_badly) as server, client_of(server) as client:
        result = await post(client)

    assert (result.status, result.failure, result.written) == (None, "connection_lost", True)
    assert (server.connections, server.requests) == (1, 1)


async def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    async def answers_and_closes(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.answer(reader, writer, b'HTTP/1.1 404 Not Found\r\n\r\n{"id":"7"}')

    async with scripted(answers_and_closes) as server, client_of(server) as client:
        answer = await client.get_json("/7?a=b")

    assert (answer.status, answer.field("id")) == (404, "7")


async def test_a_body_nested_without_end_is_one_that_cannot_be_read() -> None:
    body = b"[" * 100_000
    head = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with scripted(answering(head + body)) as server, client_of(server) as client:
        answer = await post(client)

    assert (answer.status, answer.body) == (201, None)


async def test_a_server_that_speaks_first_got_nothing_or_is_in_doubt() -> None:
    """A greeting that is there before the request is written proves that this is no HTTP server."""

    async def greets(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await server.wait_until_client_leaves(reader)

    async with scripted(greets) as server, client_of(server) as client:
        result = await post(client)
        await server.client_left.wait()

    assert result.status is None
    assert result.written or not server.bytes_arrived.is_set()


async def test_the_rest_of_a_cancelled_request_is_not_sent() -> None:
    async def reads_late(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        server.bytes_arrived.set()
        await cancelled.wait()
        with suppress(ConnectionError):
            while received := await reader.read(65536):
                server.body += received
        server.client_left.set()

    payload = b"x" * 50_000_000  # more than the buffers of both sides hold
    cancelled = asyncio.Event()
    async with scripted(reads_late) as server, client_of(server) as client, asyncio.timeout(60):
        sending = asyncio.create_task(post(client, payload))
        await server.bytes_arrived.wait()

        sending.cancel()

        with pytest.raises(asyncio.CancelledError):
            await sending
        cancelled.set()
        await server.client_left.wait()

    assert len(server.body) < len(payload)


async def test_the_rest_of_a_request_that_was_refused_early_is_not_sent() -> None:
    async def refuses_the_head(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await answered.wait()
        with suppress(ConnectionError):
            while received := await reader.read(65536):
                server.body += received
        server.client_left.set()

    payload = b"x" * 50_000_000
    answered = asyncio.Event()
    async with scripted(refuses_the_head) as server, client_of(server) as client, asyncio.timeout(60):
        answer = await post(client, payload)
        answered.set()
        await server.client_left.wait()

    assert (answer.status, answer.written) == (413, True)
    assert len(server.body) < len(payload)


async def test_a_connection_is_not_used_again_after_idling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "IDLE_CONNECTION_S", 0.0)
    async with scripted(answering(_EMPTY)) as server, client_of(server) as client:
        statuses = [(await post(client)).status for _ in range(2)]

    assert statuses == [201, 201]
    assert server.connections == 2


async def test_a_connection_that_idles_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answers_and_waits(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.answer(reader, writer)
        await server.wait_until_client_leaves(reader)

    monkeypatch.setattr(http, "IDLE_CONNECTION_S", 0.01)
    async with scripted(answers_and_waits) as server, client_of(server) as client, asyncio.timeout(60):
        await post(client)
        await server.client_left.wait()


async def test_a_closed_client_leaves_no_connection_behind() -> None:
    async def answers_when_told(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.read_request(reader)
        server.bytes_arrived.set()
        await closed.wait()
        writer.write(_EMPTY)
        await server.wait_until_client_leaves(reader)

    closed = asyncio.Event()
    async with scripted(answers_when_told) as server, client_of(server) as client, asyncio.timeout(60):
        sending = asyncio.create_task(post(client))
        await server.bytes_arrived.wait()
        await client.aclose()
        closed.set()
        answer = await sending
        await server.client_left.wait()

    assert answer.status == 201


@pytest.mark.parametrize("host", ["x" * 64, f"{'x.' * 200}example"], ids=["label too long", "name too long"])
async def test_a_name_that_cannot_be_looked_up_wrote_nothing(host: str) -> None:
    client = HttpClient(URL(f"http://{host}/"), {}, PATIENT_S)

    answers = await asyncio.gather(post(client), post(client))

    assert {(answer.failure, answer.written) for answer in answers} == {("connect_failed", False)}
    await client.aclose()


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    """localhost is ::1 first in most places, and this server listens on 127.0.0.1 only."""
    async with scripted(answering(_EMPTY)) as server:
        client = HttpClient(URL(server.url.replace("127.0.0.1", "localhost")), {}, PATIENT_S)
        answer = await post(client)
        await client.aclose()

    assert answer.status == 201
    assert server.headers["host"] == f"localhost:{URL(server.url).port}"


async def test_an_address_of_ipv6_is_reached() -> None:
    server = ScriptedServer(answering(_EMPTY))
    try:
        listener = await asyncio.start_server(server.handle, "::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    port = listener.sockets[0].getsockname()[1]
    client = HttpClient(URL(f"http://[::1]:{port}/"), {}, PATIENT_S)

    answer = await post(client)

    await client.aclose()
    listener.close()
    assert answer.status == 201
    assert server.headers["host"] == f"[::1]:{port}"


AUTHORITY = trustme.CA()


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Make this process trust the test's authority; before, its certificates are like any unknown ones."""

    def trust() -> None:
        AUTHORITY.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        connection.tls_context.cache_clear()

    yield trust
    connection.tls_context.cache_clear()


@asynccontextmanager
async def tls_server(script: Script) -> AsyncIterator[ScriptedServer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert("localhost").configure_cert(context)
    server = ScriptedServer(script)
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0, ssl=context)
    server.url = f"https://localhost:{listener.sockets[0].getsockname()[1]}"
    yield server
    listener.close()


async def test_https_is_spoken_with_a_server_whose_certificate_is_trusted(
    trusting: Callable[[], None],
) -> None:
    trusting()
    async with tls_server(answering(_EMPTY)) as server, client_of(server) as client:
        statuses = [(await post(client, b"x" * 300_000)).status for _ in range(3)]

    assert statuses == [201, 201, 201]
    assert (server.connections, server.requests, len(server.body)) == (1, 3, 300_000)


@pytest.mark.parametrize(
    ("trusted", "host"),
    [(False, "localhost"), (True, "127.0.0.1")],
    ids=["unknown certificate", "certificate of another name"],
)
async def test_a_server_whose_certificate_is_not_right_gets_nothing(
    trusting: Callable[[], None], trusted: bool, host: str
) -> None:
    async def waits(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.wait_until_client_leaves(reader)

    if trusted:
        trusting()
    async with tls_server(waits) as server:
        client = HttpClient(URL(server.url).with_host(host), {}, PATIENT_S)
        answer = await post(client)
        await client.aclose()

    assert (answer.failure, answer.detail) == ("connect_failed", "SSLCertVerificationError")
    assert not answer.written
    assert not server.bytes_arrived.is_set()


def test_a_header_never_carries_a_line_of_its_own() -> None:
    with pytest.raises(ValueError, match="X-Key"):
        HttpClient(URL("http://127.0.0.1"), {"X-Key": "a\r\nX-Other: b"}, PATIENT_S)
