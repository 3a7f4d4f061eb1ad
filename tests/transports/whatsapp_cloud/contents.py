"""Contents of every kind, as they are after rendering. Reused by several test files."""

from typing import Any

Content = dict[str, Any]

IMAGE = {"link": "https://cdn.example/foto.jpg"}
PDF = {"link": "https://cdn.example/boleto.pdf"}

TEXT: Content = {"kind": "text", "text": "Olá Ana"}
POSITIONAL: Content = {
    "kind": "template",
    "name": "aviso_de_entrega",
    "language": "pt_BR",
    "header": {"text": "Pedido 17"},
    "body": ["Ana", "amanhã"],
}
NAMED: Content = {
    "kind": "template",
    "name": "promocao",
    "language": "pt_BR",
    "header": {"text": "Maio", "parameter": "mes"},
    "body": {"nome": "Ana", "desconto": "20%"},
}
MEDIA_HEADER: Content = {
    "kind": "template",
    "name": "boleto",
    "language": "pt_BR",
    "header": {"document": PDF, "filename": "boleto-maio.pdf"},
    "body": ["Ana"],
}
LOCATION: Content = {
    "kind": "template",
    "name": "onde_estamos",
    "language": "pt_BR",
    "header": {
        "location": {
            "latitude": "-23.5614",
            "longitude": "-46.6559",
            "name": "Loja",
            "address": "Av. Paulista, 1578",
        }
    },
}
BUTTONS_OF_TEMPLATE: Content = {
    "kind": "template",
    "name": "cupom",
    "language": "pt_BR",
    "body": ["Ana"],
    "buttons": [
        {"index": 0, "url": "pedido/17"},
        {"index": 1, "payload": "sair"},
        {"index": 2, "coupon": "MAIO20"},
        {"index": 3, "flow": {"token": "t-17", "data": {"passo": "1"}}},
    ],
}
OFFER: Content = {
    "kind": "template",
    "name": "oferta",
    "language": "pt_BR",
    "body": ["Ana"],
    "offer": {"expires_at": "2026-12-24T18:00:00-03:00"},
}
CAROUSEL: Content = {
    "kind": "template",
    "name": "vitrine",
    "language": "pt_BR",
    "body": ["Ana"],
    "cards": [
        {
            "header": {"image": IMAGE},
            "body": ["Caneca"],
            "buttons": [{"index": 0, "payload": "quero-1"}, {"index": 1, "url": "caneca"}],
        },
        {
            "header": {"image": IMAGE},
            "body": ["Camiseta"],
            "buttons": [{"index": 0, "payload": "quero-2"}, {"index": 1, "url": "camiseta"}],
        },
    ],
}
REPLY_BUTTONS: Content = {
    "kind": "buttons",
    "text": "Podemos ligar?",
    "header": {"image": IMAGE},
    "footer": "Loja",
    "buttons": [{"id": "sim", "title": "Sim"}, {"id": "nao", "title": "Não"}],
}
LIST: Content = {
    "kind": "list",
    "text": "Qual horário?",
    "button": "Ver horários",
    "header": {"text": "Agenda"},
    "sections": [
        {"title": "Manhã", "rows": [{"id": "9", "title": "9 h", "description": "com a Bia"}]},
        {"title": "Tarde", "rows": [{"id": "14", "title": "14 h"}, {"id": "15", "title": "15 h"}]},
    ],
}
LINK: Content = {
    "kind": "cta_url",
    "text": "O boleto está pronto",
    "button": "Abrir",
    "url": "https://loja.example/b/17",
    "footer": "Loja",
}

ALL: dict[str, Content] = {
    "text": TEXT,
    "image": {"kind": "image", "media": IMAGE, "caption": "A nova loja"},
    "video": {"kind": "video", "media": {"link": "https://cdn.example/v.mp4"}},
    "document": {"kind": "document", "media": PDF, "filename": "boleto.pdf", "caption": "O boleto"},
    "audio": {"kind": "audio", "media": {"link": "https://cdn.example/a.ogg"}, "voice": True},
    "positional": POSITIONAL,
    "named": NAMED,
    "media header": MEDIA_HEADER,
    "location": LOCATION,
    "buttons of template": BUTTONS_OF_TEMPLATE,
    "offer": OFFER,
    "carousel": CAROUSEL,
    "reply buttons": REPLY_BUTTONS,
    "list": LIST,
    "link": LINK,
}
