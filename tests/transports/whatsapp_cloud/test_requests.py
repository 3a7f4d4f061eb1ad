"""The requests, as Meta documents them: Messages, Template components, Marketing Messages API."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from retoma.errors import RetomaError
from retoma.transports.base import Message, SendResult
from retoma.transports.whatsapp_cloud import requests
from tests.support import transports
from tests.transports.scripted_server import ScriptedServer, scripted
from tests.transports.whatsapp_cloud import contents

ACCEPTED = b'{"messaging_product":"whatsapp","messages":[{"id":"wamid.X"}]}'


def built(content: Mapping[str, Any]) -> dict[str, Any]:
    return requests.build(Message("0" * 32, "+5511955501234", content))


def components(content: Mapping[str, Any]) -> list[Any]:
    made: list[Any] = built(content)["template"]["components"]
    return made


def test_every_request_has_the_plus_sign_and_our_id(message: Message) -> None:
    for content in contents.ALL.values():
        request = requests.build(message._replace(content=content))

        assert request["to"] == message.phone
        assert str(request["to"]).startswith("+")
        assert request["biz_opaque_callback_data"] == message.id
        assert (request["messaging_product"], request["recipient_type"]) == ("whatsapp", "individual")
        assert isinstance(request[str(request["type"])], dict)


def test_a_text() -> None:
    assert built(contents.TEXT)["text"] == {"body": "Olá Ana"}


def test_media_by_link() -> None:
    link = contents.IMAGE["link"]
    assert built(contents.ALL["image"])["image"] == {"link": link, "caption": "A nova loja"}
    assert built(contents.ALL["video"])["video"] == {"link": "https://cdn.example/v.mp4"}
    assert built(contents.ALL["document"])["document"] == {
        "link": contents.PDF["link"],
        "filename": "boleto.pdf",
        "caption": "O boleto",
    }
    assert built(contents.ALL["audio"])["audio"] == {"link": "https://cdn.example/a.ogg", "voice": True}


def test_a_caption_that_was_rendered_to_nothing_is_left_out() -> None:
    assert "caption" not in built({**contents.ALL["image"], "caption": ""})["image"]


def test_positional_parameters() -> None:
    template = built(contents.POSITIONAL)["template"]

    assert (template["name"], template["language"]) == ("aviso_de_entrega", {"code": "pt_BR"})
    assert template["components"] == [
        {"type": "header", "parameters": [{"type": "text", "text": "Pedido 17"}]},
        {
            "type": "body",
            "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "amanhã"}],
        },
    ]


def test_named_parameters() -> None:
    header, body = components(contents.NAMED)

    assert header["parameters"] == [{"type": "text", "text": "Maio", "parameter_name": "mes"}]
    assert body["parameters"] == [
        {"type": "text", "text": "Ana", "parameter_name": "nome"},
        {"type": "text", "text": "20%", "parameter_name": "desconto"},
    ]


def test_headers_that_are_no_text() -> None:
    assert components(contents.MEDIA_HEADER)[0] == {
        "type": "header",
        "parameters": [
            {
                "type": "document",
                "document": {"link": contents.PDF["link"], "filename": "boleto-maio.pdf"},
            }
        ],
    }
    assert components(contents.LOCATION)[0]["parameters"] == [
        {"type": "location", "location": contents.LOCATION["header"]["location"]}
    ]


def test_buttons_of_a_template() -> None:
    _, url, reply, coupon, flow = components(contents.BUTTONS_OF_TEMPLATE)

    assert url == {
        "type": "button",
        "sub_type": "url",
        "index": 0,
        "parameters": [{"type": "text", "text": "pedido/17"}],
    }
    assert (reply["sub_type"], reply["parameters"]) == (
        "quick_reply",
        [{"type": "payload", "payload": "sair"}],
    )
    assert (coupon["sub_type"], coupon["parameters"]) == (
        "copy_code",
        [{"type": "coupon_code", "coupon_code": "MAIO20"}],
    )
    assert (flow["sub_type"], flow["index"], flow["parameters"]) == (
        "flow",
        3,
        [{"type": "action", "action": {"flow_token": "t-17", "flow_action_data": {"passo": "1"}}}],
    )


def test_an_offer_ends_at_a_time_in_milliseconds() -> None:
    assert components(contents.OFFER)[-1] == {
        "type": "limited_time_offer",
        "parameters": [
            {
                "type": "limited_time_offer",
                # date -d 2026-12-24T21:00:00Z +%s
                "limited_time_offer": {"expiration_time_ms": 1_798_146_000_000},
            }
        ],
    }


def test_a_carousel() -> None:
    carousel = components(contents.CAROUSEL)[-1]

    assert carousel["type"] == "carousel"
    assert [card["card_index"] for card in carousel["cards"]] == [0, 1]
    assert [part["type"] for part in carousel["cards"][1]["components"]] == [
        "header",
        "body",
        "button",
        "button",
    ]
    assert carousel["cards"][1]["components"][3]["parameters"] == [{"type": "text", "text": "camiseta"}]


def test_a_template_without_parameters_has_no_components() -> None:
    assert built({"kind": "template", "name": "ola", "language": "pt_BR"})["template"] == {
        "name": "ola",
        "language": {"code": "pt_BR"},
    }


def test_interactive_messages() -> None:
    assert built(contents.REPLY_BUTTONS)["interactive"] == {
        "type": "button",
        "header": {"type": "image", "image": contents.IMAGE},
        "body": {"text": "Podemos ligar?"},
        "footer": {"text": "Loja"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": "sim", "title": "Sim"}},
                {"type": "reply", "reply": {"id": "nao", "title": "Não"}},
            ]
        },
    }
    listed = built(contents.LIST)["interactive"]
    assert (listed["type"], listed["header"]) == ("list", {"type": "text", "text": "Agenda"})
    assert listed["action"] == {"button": "Ver horários", "sections": contents.LIST["sections"]}
    assert built(contents.LINK)["interactive"]["action"] == {
        "name": "cta_url",
        "parameters": {"display_text": "Abrir", "url": "https://loja.example/b/17"},
    }


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "poll", "question": "Sim?", "options": ["Sim", "Não"]},
        {"kind": "image", "media": {"file": "loja.jpg"}},
        {"kind": "template", "name": "x", "language": "pt_BR", "offer": {"expires_at": "amanhã"}},
        {"kind": "template", "name": "x", "language": "pt_BR", "offer": {"expires_at": "2026-12-24T18:00"}},
        {"kind": "template", "name": "x", "language": "pt_BR", "buttons": [{"index": 0}]},
        {"kind": "template", "name": "x", "language": "pt_BR", "body": [1]},
        {"kind": "text"},
        {},
    ],
    ids=str,
)
async def test_what_cannot_be_said_is_not_sent(message: Message, content: dict[str, Any]) -> None:
    cloud = transports.create("whatsapp_cloud", {"base_url": "http://127.0.0.1:1", "phone_number_id": "17"})

    result = await cloud.send(message._replace(content=content))

    await cloud.aclose()
    assert (result.status, result.code, result.written) == ("error", "bad_content", False)


async def sent(message: Message, **settings: object) -> tuple[ScriptedServer, SendResult, str]:
    """One message to a server that takes it; returns also the line of its request."""
    line = ""

    async def takes(server: ScriptedServer, reader: Any, writer: Any) -> None:
        nonlocal line
        line = (await reader.readuntil(b"\r\n")).decode()
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(ACCEPTED)
        await server.answer(reader, writer, head + ACCEPTED)

    async with scripted(takes) as server:
        base_url = f"{server.url}{settings.pop('prefix', '')}"
        cloud = transports.create(
            "whatsapp_cloud", {"base_url": base_url, "phone_number_id": "104", **settings}
        )
        result = await cloud.send(message)
        await cloud.aclose()
    return server, result, line


async def test_meta_gets_version_and_number_in_the_path_and_a_bearer_token(message: Message) -> None:
    server, result, line = await sent(message)

    assert line == "POST /v25.0/104/messages HTTP/1.1\r\n"
    assert server.headers["authorization"] == "Bearer a token of the tests"
    assert json.loads(server.body)["text"] == {"body": message.content["text"]}
    assert result == SendResult("accepted", http_status=200, provider_id="wamid.X")


async def test_providers_in_between_are_settings(message: Message) -> None:
    server, _, line = await sent(message, path="/{endpoint}", auth_header="D360-API-KEY")
    assert line == "POST /messages HTTP/1.1\r\n"
    assert server.headers["d360-api-key"] == "a token of the tests"
    assert "authorization" not in server.headers

    server, _, line = await sent(
        message, prefix="/partner/app/APP/v3", path="/message", auth_header="Authorization"
    )
    assert line == "POST /partner/app/APP/v3/message HTTP/1.1\r\n"
    assert server.headers["authorization"] == "a token of the tests"


async def test_only_templates_go_to_the_endpoint_for_marketing(message: Message) -> None:
    marketing = {"endpoint": "marketing_messages", "product_policy": "STRICT"}

    server, _, line = await sent(message._replace(content=contents.POSITIONAL), **marketing)
    assert line == "POST /v25.0/104/marketing_messages HTTP/1.1\r\n"
    assert json.loads(server.body)["product_policy"] == "STRICT"

    server, _, line = await sent(message, **marketing)
    assert line == "POST /v25.0/104/messages HTTP/1.1\r\n"
    assert "product_policy" not in json.loads(server.body)


@pytest.mark.parametrize(
    "settings",
    [
        {"phone_number_id": None},
        {"path": "/{token}/messages"},
        {"auth_header": "no header: Bearer"},
        {"access_token": None},
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_refused_before_anything_is_sent(settings: dict[str, Any]) -> None:
    usable = {"base_url": "https://graph.example", "phone_number_id": "104"}

    with pytest.raises(RetomaError):
        transports.create("whatsapp_cloud", {**usable, **settings})
