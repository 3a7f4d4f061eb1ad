"""pywa, a client that others wrote, builds the same requests as we do.

It is no judge of expiration_time_ms, which it writes in seconds, nor of a Flow without a token.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pywa import WhatsApp
from pywa import types as pywa
from pywa.types import templates as t

from retoma.transports.base import Message
from retoma.transports.whatsapp_cloud import requests
from tests.transports.whatsapp_cloud import contents

TO = "5511955501234"
TRACKER = "0123456789abcdef0123456789abcdef"
LANGUAGE = t.TemplateLanguage.PORTUGUESE_BR
IMAGE, PDF = contents.IMAGE["link"], contents.PDF["link"]


def as_pywa_sends(act: Callable[[WhatsApp], object]) -> dict[str, Any]:
    """The body of the one request that pywa makes."""
    bodies: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        contact = {"input": TO, "wa_id": TO}
        return httpx.Response(
            200,
            json={"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": "wamid.X"}]},
        )

    session = httpx.Client(transport=httpx.MockTransport(answer), base_url="https://graph.example")
    act(WhatsApp(phone_id="104", token="t", session=session, validate_updates=False))
    (body,) = bodies
    return body


def lower_types(value: Any) -> Any:
    """The same with the types of components as Meta's examples write them; pywa has them in capitals."""
    if isinstance(value, dict):
        return {
            key: inner.lower() if key in ("type", "sub_type") else lower_types(inner)
            for key, inner in value.items()
        }
    return [lower_types(inner) for inner in value] if isinstance(value, list) else value


def template(name: str, *params: Any) -> Callable[[WhatsApp], object]:
    return lambda wa: wa.send_template(TO, name, LANGUAGE, list(params), tracker=TRACKER)


CASES: dict[str, Callable[[WhatsApp], object]] = {
    "text": lambda wa: wa.send_message(TO, "Olá Ana", tracker=TRACKER),
    "image": lambda wa: wa.send_image(TO, IMAGE, "A nova loja", tracker=TRACKER),
    "video": lambda wa: wa.send_video(TO, "https://cdn.example/v.mp4", tracker=TRACKER),
    "document": lambda wa: wa.send_document(TO, PDF, "boleto.pdf", "O boleto", tracker=TRACKER),
    "audio": lambda wa: wa.send_audio(TO, "https://cdn.example/a.ogg", is_voice=True, tracker=TRACKER),
    "positional": template(
        "aviso_de_entrega", t.HeaderText.params("Pedido 17"), t.BodyText.params("Ana", "amanhã")
    ),
    "named": template(
        "promocao", t.HeaderText.params(mes="Maio"), t.BodyText.params(nome="Ana", desconto="20%")
    ),
    "media header": template(
        "boleto",
        t.HeaderDocument.params(document=PDF, filename="boleto-maio.pdf"),
        t.BodyText.params("Ana"),
    ),
    "location": template(
        "onde_estamos",
        t.HeaderLocation.params(
            lat="-23.5614",
            lon="-46.6559",
            name="Loja",
            address="Av. Paulista, 1578",
        ),
    ),
    "buttons of template": template(
        "cupom",
        t.BodyText.params("Ana"),
        t.URLButton.params(url_variable="pedido/17", index=0),
        t.QuickReplyButton.params(callback_data="sair", index=1),
        t.CopyCodeButton.params(coupon_code="MAIO20", index=2),
        t.FlowButton.params(index=3, flow_token="t-17", flow_action_data={"passo": "1"}),
    ),
    "carousel": template(
        "vitrine",
        t.BodyText.params("Ana"),
        t.Carousel.params(
            cards=[
                t.CarouselCard.params(
                    index=index,
                    params=[
                        t.HeaderImage.params(image=IMAGE),
                        t.BodyText.params(what),
                        t.QuickReplyButton.params(callback_data=f"quero-{index + 1}", index=0),
                        t.URLButton.params(url_variable=what.lower(), index=1),
                    ],
                )
                for index, what in enumerate(["Caneca", "Camiseta"])
            ]
        ),
    ),
    "reply buttons": lambda wa: wa.send_image(
        TO,
        IMAGE,
        caption="Podemos ligar?",
        footer="Loja",
        buttons=[pywa.Button("Sim", callback_data="sim"), pywa.Button("Não", callback_data="nao")],
        tracker=TRACKER,
    ),
    "list": lambda wa: wa.send_message(
        TO,
        "Qual horário?",
        header="Agenda",
        buttons=pywa.SectionList(
            "Ver horários",
            sections=[
                pywa.Section("Manhã", rows=[pywa.SectionRow("9 h", "9", "com a Bia")]),
                pywa.Section("Tarde", rows=[pywa.SectionRow("14 h", "14"), pywa.SectionRow("15 h", "15")]),
            ],
        ),
        tracker=TRACKER,
    ),
    "link": lambda wa: wa.send_message(
        TO,
        "O boleto está pronto",
        footer="Loja",
        buttons=pywa.URLButton("Abrir", "https://loja.example/b/17"),
        tracker=TRACKER,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_pywa_builds_the_same_request(case: str) -> None:
    theirs = as_pywa_sends(CASES[case])
    ours = requests.build(Message(TRACKER, f"+{TO}", contents.ALL[case]))

    # pywa leaves out the plus sign. It says that a text has no preview, which is what Meta takes for granted.
    assert ours.pop("to") == f"+{theirs.pop('to')}"
    if isinstance(text := theirs.get("text"), dict):
        assert text.pop("preview_url") is False
    assert ours == lower_types(theirs)


def test_pywa_puts_a_template_of_the_marketing_endpoint_into_the_same_body() -> None:
    body = t.BodyText.params("Ana")
    theirs = as_pywa_sends(
        lambda wa: wa.send_template(TO, "oferta", LANGUAGE, [body], use_mm_lite_api=True, tracker=TRACKER)
    )
    content = {key: value for key, value in contents.OFFER.items() if key != "offer"}

    ours = requests.build(Message(TRACKER, f"+{TO}", content))

    assert ours | {"to": TO} == lower_types(theirs)
