"""Receipts on demand: a provider reports them later, late, twice or out of order."""

import asyncio
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

from retoma.errors import RetomaError
from retoma.rehearsal.sandbox import evolution
from retoma.rehearsal.sandbox.dialects import cloud_status, waha_serialized_id
from retoma.rehearsal.sandbox.ledger import Delivery
from retoma.transports.signatures import sign
from retoma.transports.webhook import SIGNATURE_HEADER

_ACKS = {"server": 1, "delivered": 2, "read": 3, "played": 4, "failed": -1}
_TRIES = 10


@dataclass(frozen=True, slots=True)
class ReceiptPlan:
    """The reports for each message.

    Args:
        url: where to; {channel} stands for the channel of the message.
        key: signs the calls, None for no signature.
        channel: only messages of this one are reported; None for those of all.
        statuses: reported in this order.
        delay_ms: [low, high] before each report.
        twice: probability that a report is made again.
        shuffle: report in a random order.
        failed: probability that the only report is failed.
    """

    url: str
    key: str | None = None
    channel: str | None = None
    statuses: list[str] = field(default_factory=lambda: ["server", "delivered", "read"])
    delay_ms: list[float] = field(default_factory=lambda: [0.0, 0.0])
    twice: float = 0.0
    shuffle: bool = False
    failed: float = 0.0


def parse(document: object) -> ReceiptPlan:
    """The plan in a JSON object.

    Raises:
        RetomaError: the object is not understood.
    """
    names = tuple(ReceiptPlan.__dataclass_fields__)
    if not isinstance(document, Mapping) or not set(document) <= set(names) or not document.get("url"):
        raise RetomaError(
            "The receipts are not usable.", hint=f"Give url, and of {', '.join(names)} what you need."
        )
    plan = ReceiptPlan(**document)
    if not set(plan.statuses) <= set(_ACKS) or len(plan.delay_ms) != 2:
        raise RetomaError("The receipts are not usable.", hint="statuses or delay_ms [low, high] are wrong.")
    return plan


class Reporter:
    """Posts receipts in the background; each is tried ten times, as providers do."""

    def __init__(self, plan: ReceiptPlan, rng: random.Random) -> None:
        self._plan = plan
        self._rng = rng
        self._tasks: set[asyncio.Task[None]] = set()
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))

    @property
    def outstanding(self) -> int:
        """Messages whose reports are not all delivered."""
        return len(self._tasks)

    def report(self, delivery: Delivery) -> None:
        """Report on an accepted message, by the plan."""
        statuses = list(self._plan.statuses)
        if self._rng.random() < self._plan.failed:
            statuses = ["failed"]
        statuses += [status for status in statuses if self._rng.random() < self._plan.twice]
        if self._plan.shuffle:
            self._rng.shuffle(statuses)
        calls = [(self._rng.uniform(*self._plan.delay_ms) / 1000, _receipt(delivery, s)) for s in statuses]
        self._start(delivery.dialect, delivery.channel, calls)

    def report_failure(self, delivery: Delivery, error: str) -> None:
        """Report that an accepted message was refused after all, with WhatsApp's number or a code."""
        delay_s = self._rng.uniform(*self._plan.delay_ms) / 1000
        self._start(delivery.dialect, delivery.channel, [(delay_s, _receipt(delivery, "failed", error))])

    def report_session(self, session: str, status: str) -> None:
        """Report that a WAHA session has another status."""
        payload = {"name": session, "status": status}
        self._start("waha", session, [(0.0, _waha_event("session.status", session, payload))])

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    def _start(self, dialect: str, channel: str, calls: list[tuple[float, dict[str, object]]]) -> None:
        if self._plan.channel not in (None, channel):
            return
        task = asyncio.create_task(self._post_all(dialect, channel, calls))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post_all(
        self, dialect: str, channel: str, calls: list[tuple[float, dict[str, object]]]
    ) -> None:
        for delay_s, call in calls:
            await asyncio.sleep(delay_s)
            await self._post(dialect, channel, json.dumps(call).encode())

    async def _post(self, dialect: str, channel: str, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        if self._plan.key is not None and dialect == "waha":
            headers["X-Webhook-Hmac"] = sign(self._plan.key, body, "sha512")
            headers["X-Webhook-Hmac-Algorithm"] = "sha512"
        elif self._plan.key is not None and dialect == "whatsapp_cloud":
            headers["X-Hub-Signature-256"] = f"sha256={sign(self._plan.key, body, 'sha256')}"
        elif self._plan.key is not None and dialect == evolution.API:
            headers["X-Retoma-Secret"] = self._plan.key
        elif self._plan.key is not None:
            headers[SIGNATURE_HEADER] = f"sha256={sign(self._plan.key, body, 'sha256')}"
        url = self._plan.url.replace("{channel}", channel)
        for attempt in range(_TRIES):
            try:
                async with self._session.post(url, data=body, headers=headers) as response:
                    if response.ok:
                        return
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            await asyncio.sleep(0.1 * 2**attempt)


def _receipt(delivery: Delivery, status: str, error: str = "sandbox_failed") -> dict[str, object]:
    if delivery.dialect == "webhook":
        receipt: dict[str, object] = {"id": delivery.message_id, "status": status, "at": time.time()}
        return {"receipts": [receipt | ({"code": error} if status == "failed" else {})]}
    if delivery.dialect == "whatsapp_cloud":
        return cloud_status(delivery, status, error)
    if delivery.dialect in (evolution.API, evolution.GO):
        return evolution.report(delivery, status)
    payload: dict[str, object] = {
        "id": waha_serialized_id(delivery),
        "from": f"{delivery.to[1:]}@c.us",
        "fromMe": True,
        "ack": _ACKS[status],
    }
    if error.isdigit():
        # As NOWEB passes on what WhatsApp said.
        payload["_data"] = {"update": {"messageStubParameters": [error]}}
    return _waha_event("message.ack", delivery.channel, payload)


def _waha_event(event: str, session: str, payload: Mapping[str, object]) -> dict[str, object]:
    return {
        "event": event,
        "session": session,
        "timestamp": int(time.time() * 1000),
        "payload": dict(payload),
    }
