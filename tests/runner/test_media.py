"""Runners send stored files: uploaded before anything is sent that says them, or along with each message."""

import asyncio
import base64
import hashlib
from typing import Any

import pytest
import structlog
from psycopg.types.json import Jsonb

from retoma.rehearsal.sandbox.cloud_media import media_id
from retoma.runner.calls import Database
from retoma.runner.media import Place, placed
from retoma.runner.uploads import upload_media
from retoma.transports.base import Message, SendResult
from tests.runner.conftest import World, drains_through
from tests.support.campaigns import Db, call, make_channel, phone
from tests.support.files import PNG
from tests.support.runners import Runners
from tests.support.waiting import PATIENT_S, wait_until

PICTURE = {"kind": "image", "media": {"file": "offer.png"}, "caption": "Olá"}


def store(db: Db, content: dict[str, Any], size: int = 3) -> None:
    db.execute("select retoma.media_add('offer.png', %s)", (PNG,))
    db.execute("select retoma.create_campaign('may', 'sales', p_content => %s)", [Jsonb(content)])
    recipients = [{"phone": phone(n)} for n in range(1, size + 1)]
    db.execute("select retoma.add_recipients('may', %s)", [Jsonb(recipients)])
    db.execute("select retoma.start_campaign('may')")


def test_a_campaign_waits_for_its_upload_and_is_sent(world: World, runners: Runners) -> None:
    settings = {"base_url": f"{world.sandbox.url}/cloud", "phone_number_id": "104", "access_token": "t"}
    make_channel(world.db, transport="whatsapp_cloud", settings=settings)
    store(world.db, PICTURE)
    runners.start("r1")

    assert world.wait_for_end("may")["sent"] == 3
    uploads = world.db.execute("select provider_id, fault from retoma_internal.medium_upload").fetchall()
    assert uploads == [(media_id(hashlib.sha256(PNG).digest()), None)]


async def test_a_provider_that_refuses_the_file_interrupts_the_campaign(db: Db, database: str) -> None:
    settings = {"base_url": "http://127.0.0.1:1", "phone_number_id": "104", "access_token": "t"}
    make_channel(db, transport="whatsapp_cloud", settings=settings)
    store(db, PICTURE)
    stop = asyncio.Event()
    pool = Database(database, 1, stop)
    await pool.open()

    with structlog.testing.capture_logs() as logs:
        part = asyncio.create_task(upload_media(pool, stop))
        status = "select status from retoma_internal.campaign"
        await asyncio.to_thread(wait_until, lambda: call(db, status) == "interrupted")
        stop.set()
        await asyncio.wait_for(part, PATIENT_S)
    await pool.close()

    reason = str(call(db, "select status_reason from retoma_internal.campaign"))
    assert "file offer.png cannot be uploaded: The provider could not be reached" in reason
    assert "PNG" not in str(logs)


async def test_bytes_go_along_with_each_message(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = make_channel(db)
    store(db, PICTURE)
    sent: list[object] = []

    def send(message: Message) -> SendResult:
        sent.append(message.content)
        return SendResult("accepted")

    async with drains_through(send, db, database, monkeypatch) as (drains, _):
        await drains.drain(channel)

    media = {"mimetype": "image/png", "data": base64.b64encode(PNG).decode()}
    assert sent == [{"kind": "image", "media": media, "caption": "Olá"}] * 3


def test_only_the_object_that_names_the_file_is_replaced() -> None:
    card = {"header": {"image": {"file": "a"}}}
    content = {"kind": "template", "header": {"image": {"link": "https://x.example"}}, "cards": [card, card]}
    places = [
        Place(["cards", 1, "header", "image"], "a", {"id": "1"}),
        Place(["header", "image"], "a", {"id": "2"}),
        Place(["cards", 5, "header", "image"], "a", {"id": "3"}),
        Place(["media"], "a", {"id": "4"}),
    ]

    made = placed(content, places)
    assert made["cards"] == [card, {"header": {"image": {"id": "1"}}}]
    assert made["header"] == content["header"]
    assert card == {"header": {"image": {"file": "a"}}}
