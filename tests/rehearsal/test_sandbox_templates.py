"""The templates of the sandbox: listed page by page, and refused as Meta refuses them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from retoma.errors import RetomaError
from retoma.rehearsal.sandbox import templates
from retoma.transports.base import ListsTemplates, Message
from retoma.transports.whatsapp_cloud import templates as ours
from tests.support import transports
from tests.support.contents import text
from tests.support.gateways import gateway
from tests.support.sandbox_process import SandboxProcess, start_sandbox
from tests.support.waiting import wait_until

BODY = {"type": "BODY", "text": "Olá {{1}}, o pedido {{2}} saiu."}


def template(name: str, status: str = "APPROVED") -> dict[str, object]:
    return {"name": name, "language": "pt_BR", "status": status, "components": [BODY]}


def message(name: str, *body: str) -> Message:
    content = {"kind": "template", "name": name, "language": "pt_BR", "body": list(body)}
    return Message("a" * 32, "+5511955500001", content)


def settings(sandbox: SandboxProcess) -> dict[str, object]:
    return {"base_url": f"{sandbox.url}/cloud", "phone_number_id": "104", "waba_id": "900"}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    running = start_sandbox(tmp_path / "ledger")
    yield running
    running.kill()


async def test_the_transport_reads_all_pages_of_the_list(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours, "_PER_PAGE", 2)
    names = ["aviso", "oferta", "pedido", "recibo", "volta"]
    sandbox.call("POST", "/_sandbox/templates", [template(name) for name in names])
    transport = transports.create("whatsapp_cloud", settings(sandbox))
    assert isinstance(transport, ListsTemplates)

    listed = await transport.list_templates()

    await transport.aclose()
    assert [item.name for item in listed] == names
    assert listed[0].components == [BODY]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (message("aviso", "Ana", "7"), None),
        (message("aviso", "Ana"), "cloud_132000"),
        (message("unknown"), "cloud_132001"),
        (message("new", "Ana", "7"), "cloud_132001"),
        (message("paused", "Ana", "7"), "cloud_132015"),
        (message("off", "Ana", "7"), "cloud_132016"),
    ],
)
async def test_a_template_is_refused_as_meta_refuses_it(
    sandbox: SandboxProcess, sent: Message, code: str | None
) -> None:
    statuses = {"aviso": "APPROVED", "new": "PENDING", "paused": "PAUSED", "off": "DISABLED"}
    listed = [template(name, status) for name, status in statuses.items()]
    sandbox.call("POST", "/_sandbox/templates", listed)
    transport = transports.create("whatsapp_cloud", settings(sandbox))

    result = await transport.send(sent)

    await transport.aclose()
    assert result.code == code
    assert sandbox.figures("whatsapp_cloud", "104")["accepted"] == (code is None)


def test_a_list_that_is_none_is_refused() -> None:
    documents: list[object] = [{}, [1], [{"name": "aviso", "language": "pt_BR"}]]
    for document in documents:
        with pytest.raises(RetomaError, match="templates are not usable"):
            templates.parse(document)


async def test_receipts_of_one_channel_leave_out_the_others(sandbox: SandboxProcess) -> None:
    async with gateway() as receiver:
        for channel in ("104", "other"):
            receiver.answer(f"/hooks/{channel}", {})
        plan = {"url": f"{receiver.url}/hooks/{{channel}}", "channel": "104", "statuses": ["server"]}
        sandbox.call("POST", "/_sandbox/receipts", plan)
        other = transports.create("webhook", {"url": f"{sandbox.url}/webhook/other"})
        cloud = transports.create("whatsapp_cloud", settings(sandbox))

        for transport in (other, cloud):
            await transport.send(Message("b" * 32, "+5511955500002", text("Oi")))
            await transport.aclose()

        await asyncio.to_thread(wait_until, lambda: reported(sandbox))
        assert [call.path for call in receiver.asked] == ["/hooks/104"]


def reported(sandbox: SandboxProcess) -> bool:
    return bool(sandbox.call("GET", "/_sandbox/summary")[1]["receipts_outstanding"] == 0)
