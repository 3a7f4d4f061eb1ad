"""The duties of every transport, for any provider: River's idea of one suite for all drivers.

A transport reports facts. The most important one is `written`: it is False only when nothing can have reached
the provider, because then the message is sent again without a question.
"""

import asyncio
import hashlib
import socket

import pytest

from retoma.transports.base import Message, SendResult, now
from tests.support import transports
from tests.support.contents import text
from tests.transports.conftest import Channel, Kind
from tests.transports.scripted_server import ScriptedServer, scripted


async def test_a_message_is_accepted_once(channel: Channel, message: Message) -> None:
    result = await channel.transport.send(message)

    assert result.status == "accepted"
    assert result.code is None
    assert channel.figures["accepted"] == channel.figures["unique"] == 1


async def test_the_provider_gets_our_id_the_number_and_the_text_unchanged(
    channel: Channel, message: Message
) -> None:
    await channel.transport.send(message)

    (entry,) = channel.sandbox.entries(channel.name)
    assert entry["message_id"] == (message.id if channel.kind.sends_id else None)
    assert entry["to"] == message.phone
    assert entry["sha256"] == hashlib.sha256(str(message.content["text"]).encode()).hexdigest()


async def test_a_repeat_reaches_nobody_twice_if_the_provider_dedupes(
    channel: Channel, message: Message
) -> None:
    await channel.transport.send(message)

    again = await channel.transport.send(message)

    assert again.status == "accepted"
    expected = {"repeats": 1, "duplicates": 0} if channel.kind.dedupes else {"duplicates": 1}
    assert channel.figures | expected == channel.figures


async def test_a_refused_connection_wrote_nothing(kind: Kind, message: Message) -> None:
    with socket.socket() as bound_but_not_listening:
        bound_but_not_listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound_but_not_listening.getsockname()[1]}"
        transport = transports.create(kind.transport, kind.settings(url, "any"))

        result = await transport.send(message)

    await transport.aclose()
    assert (result.status, result.code, result.written) == ("error", "connect_failed", False)


async def test_a_connection_that_is_never_made_wrote_nothing(kind: Kind, message: Message) -> None:
    async def never_answers(server: ScriptedServer, reader: asyncio.StreamReader, _: object) -> None:
        await server.wait_until_client_leaves(reader)

    # TLS against a server that keeps silent: connecting takes forever.
    async with scripted(never_answers, "https") as server:
        transport = transports.create(kind.transport, {**kind.settings(server.url, "any"), "timeout_s": 1})
        result = await transport.send(message)
        await transport.aclose()

    assert (result.status, result.code, result.written) == ("error", "connect_failed", False)


async def test_a_server_that_does_not_speak_tls_got_nothing(kind: Kind, message: Message) -> None:
    async def speaks_no_tls(
        _: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with scripted(speaks_no_tls, "https") as server:
        transport = transports.create(kind.transport, kind.settings(server.url, "any"))
        result = await transport.send(message)
        await transport.aclose()

    assert (result.status, result.code, result.written) == ("error", "connect_failed", False)


async def test_a_message_whose_time_is_over_when_the_connection_stands_is_not_sent(
    channel: Channel, message: Message
) -> None:
    before = channel.figures

    late = await channel.transport.send(message._replace(send_before=now()))

    assert (late.status, late.code, late.written) == ("error", "not_attempted", False)
    assert channel.figures == before
    assert (await channel.transport.send(message._replace(send_before=now() + 60))).status == "accepted"


@pytest.mark.parametrize(("fault", "taken"), [("accept_then_drop", 1), ("drop_before_accept", 0)])
async def test_a_connection_lost_after_the_request_tells_nothing_about_it(
    channel: Channel, message: Message, fault: str, taken: int
) -> None:
    channel.fault(do=fault)

    result = await channel.transport.send(message)

    assert (result.status, result.code, result.written) == ("error", "connection_lost", True)
    assert channel.figures["accepted"] == taken


@pytest.mark.parametrize(("fault", "taken"), [({"do": "stall"}, 0), ({"latency_ms": 600_000}, 1)])
async def test_no_answer_in_time_tells_nothing_about_the_request(
    channel: Channel, message: Message, fault: dict[str, object], taken: int
) -> None:
    channel.fault(**fault)
    # One second is enough, but on a busy machine the provider may not have read the request by then.
    for attempt, timeout_s in enumerate((1, 10, 60)):
        settings = {**channel.kind.settings(channel.sandbox.url, channel.name), "timeout_s": timeout_s}
        transport = transports.create(channel.kind.transport, settings)
        to = f"{message.phone[:-1]}{attempt}"
        result = await transport.send(message._replace(id=f"{attempt}{message.id[1:]}", phone=to))
        await transport.aclose()
        times_taken = sum(entry["to"] == to for entry in channel.sandbox.entries(channel.name))
        if result.code != "connect_failed" and times_taken == taken:
            break

    assert (result.status, result.code, result.written) == ("error", "timeout", True)
    assert times_taken == taken


async def test_a_rate_limit_comes_with_the_pause_that_the_provider_asks_for(
    channel: Channel, message: Message
) -> None:
    channel.fault(do="rate_limit", retry_after_s=7)

    result = await channel.transport.send(message)

    assert (result.code, result.http_status, result.retry_after_s) == ("http_429", 429, 7.0)
    assert channel.figures["accepted"] == 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500, 502, 503])
async def test_an_error_is_reported_by_its_status(channel: Channel, message: Message, status: int) -> None:
    channel.fault(do="status", status=status)

    result = await channel.transport.send(message)

    expected = SendResult("error", code=f"http_{status}", http_status=status, written=True)
    assert result == expected


async def test_an_error_that_lies_is_still_reported_as_it_came(channel: Channel, message: Message) -> None:
    channel.fault(do="lie", status=500)

    result = await channel.transport.send(message)

    assert (result.code, result.written) == ("http_500", True)
    assert channel.figures["accepted"] == 1


async def test_an_error_never_repeats_content_or_the_number(channel: Channel, message: Message) -> None:
    for fault in (
        {"do": "status", "body": {"message": message.content["text"], "code": message.phone}},
        {"do": "drop_before_accept"},
    ):
        channel.fault(**fault)
        result = await channel.transport.send(message)
        assert str(message.content["text"]) not in repr(result)
        assert message.phone[1:] not in repr(result)


async def test_a_redirect_is_not_followed(kind: Kind, message: Message) -> None:
    async def redirects(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.read_request(reader)
        writer.write(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        await server.wait_until_client_leaves(reader)

    async with scripted(redirects) as server:
        transport = transports.create(kind.transport, kind.settings(server.url, "any"))
        result = await transport.send(message)
        await transport.aclose()

    assert (result.status, result.code, server.requests) == ("error", "http_307", 1)


@pytest.mark.parametrize("accepted_before", [0, 1])
async def test_a_send_is_never_repeated_behind_our_back(
    kind: Kind, message: Message, accepted_before: int
) -> None:
    """Neither on a new connection nor on one used before, where clients like to try again."""

    async def closes_after_reading(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        for _ in range(accepted_before):
            await server.answer(reader, writer, kind.accepting_answer)
        await server.read_request(reader)

    async with scripted(closes_after_reading) as server:
        transport = transports.create(kind.transport, kind.settings(server.url, "any"))
        for _ in range(accepted_before):
            assert (await transport.send(message)).status == "accepted"
        result = await transport.send(message)
        await transport.aclose()

    assert (result.code, result.written) == ("connection_lost", True)
    assert (server.connections, server.requests) == (1, accepted_before + 1)


async def test_a_connection_that_the_server_closed_while_idle_costs_no_message(
    kind: Kind, message: Message
) -> None:
    async def closes_after_answering(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.answer(reader, writer, kind.accepting_answer)
        writer.write_eof()
        await server.wait_until_client_leaves(reader)

    async with scripted(closes_after_answering) as server:
        transport = transports.create(kind.transport, kind.settings(server.url, "any"))
        first = await transport.send(message)
        await asyncio.wait_for(server.client_left.wait(), 60)
        second = await transport.send(message)
        await transport.aclose()

    assert (first.status, second.status) == ("accepted", "accepted")
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{", b"no HTTP\r\n\r\n"]
)
async def test_a_broken_answer_is_judged_by_its_status_if_it_has_one(
    kind: Kind, message: Message, answer: bytes
) -> None:
    async def answers_badly(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.answer(reader, writer, answer)

    async with scripted(answers_badly) as server:
        transport = transports.create(kind.transport, kind.settings(server.url, "any"))
        result = await transport.send(message)
        await transport.aclose()

    expected: tuple[str | None, str]
    if b"201" not in answer:
        expected = ("connection_lost", "error")
    elif kind.answers_with_id:
        expected = ("unreadable_answer", "error")
    else:
        expected = (None, "accepted")
    assert (result.code, result.status) == expected
    assert result.written


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_cancelled_send_leaves_nothing_behind_that_could_still_be_sent(
    kind: Kind, message: Message, scheme: str
) -> None:
    """Else a message could go out after its lease was lost and a lookup had called it absent."""

    async def never_answers(server: ScriptedServer, reader: asyncio.StreamReader, _: object) -> None:
        await server.wait_until_client_leaves(reader)

    async with scripted(never_answers, scheme) as server, asyncio.timeout(60):
        transport = transports.create(kind.transport, kind.settings(server.url, "any"))
        sending = asyncio.create_task(transport.send(message))
        await server.bytes_arrived.wait()

        sending.cancel()

        with pytest.raises(asyncio.CancelledError):
            await sending
        await server.client_left.wait()
        await transport.aclose()


async def test_a_lookup_finds_what_was_taken_and_only_that(channel: Channel, message: Message) -> None:
    if not channel.kind.looks_up:
        assert await channel.transport.lookup(message.id, message.phone) == "unknown"
        return
    await channel.transport.send(message)

    assert await channel.transport.lookup(message.id, message.phone) == "found"
    other = await channel.transport.lookup(message.id[::-1], message.phone)
    assert other == ("absent" if channel.kind.says_absent else "unknown")


@pytest.mark.parametrize("answer", [b"404 Not Found", b"500 Internal Server Error", b"401 Unauthorized"])
async def test_a_lookup_that_fails_proves_nothing(kind: Kind, message: Message, answer: bytes) -> None:
    async def answers_like_a_proxy(
        server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await server.read_request(reader)
        writer.write(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 13\r\n\r\n<html></html>")

    async with scripted(answers_like_a_proxy) as server:
        transport = transports.create(kind.transport, kind.settings(server.url, "any"))
        result = await transport.lookup(message.id, message.phone)
        await transport.aclose()

    assert result == "unknown"


async def test_a_number_check_says_yes_or_that_it_does_not_know(channel: Channel, message: Message) -> None:
    check = await channel.transport.check_number(message.phone)

    assert check.exists is (True if channel.kind.checks_numbers else None)


async def test_many_sends_at_once_are_kept_apart(channel: Channel, message: Message) -> None:
    messages = [Message(f"{n:032x}", message.phone, text(f"text {n}")) for n in range(200)]

    results = await asyncio.gather(*(channel.transport.send(m) for m in messages))

    assert {(result.status, result.code) for result in results} == {("accepted", None)}
    assert channel.figures["unique"] == 200
    assert channel.figures["duplicates"] == 0
