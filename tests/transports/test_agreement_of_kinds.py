"""What the rows say of each kind of content is what the transports do with it.

A kind in the rows that the transport cannot send would be refused message by message, after the campaign was
created. A kind that dedupes in the rows, sent without our id, would be sent twice.
"""

import pytest
from psycopg.types.json import Jsonb

from retoma.transports.base import Message
from tests.support import transports
from tests.support.campaigns import Db
from tests.support.gateways import gateway

PICTURE = {"link": "https://files.example/offer.png"}
CONTENTS: dict[str, dict[str, object]] = {
    "text": {"text": "Olá"},
    "image": {"media": PICTURE},
    "video": {"media": PICTURE},
    "document": {"media": PICTURE, "filename": "a.pdf"},
    "audio": {"media": PICTURE, "voice": True},
    "template": {"name": "may", "language": "pt_BR"},
    "buttons": {"text": "Olá", "buttons": [{"id": "1", "title": "Sim"}]},
    "list": {"text": "Olá", "button": "Ver", "sections": [{"rows": [{"id": "1", "title": "Sim"}]}]},
    "cta_url": {"text": "Olá", "button": "Ver", "url": "https://files.example"},
    "poll": {"question": "Vem?", "options": ["Sim", "Não"]},
}
MESSAGE = Message("0123456789abcdef0123456789abcdef", "+5511955500001", {})
OURS = "3EB00123456789ABCDEF0123456789ABCDEF"
ACCEPTED: dict[str, tuple[tuple[str, ...], object]] = {
    "waha": (
        tuple(f"/api/send{n}" for n in ("Text", "Image", "File", "Video", "Voice", "Poll", "List")),
        {"id": f"true_1@c.us_{OURS}"},
    ),
    "evolution": (
        tuple(f"/message/send{n}/default" for n in ("Text", "Media", "WhatsAppAudio", "Poll", "Buttons")),
        {"key": {"id": OURS}},
    ),
    "evolution_go": (("/send/text", "/send/media", "/send/poll"), {"data": {"Info": {"ID": OURS}}}),
}


@pytest.mark.parametrize(
    ("transport", "settings"),
    [
        *(("waha", {"engine": engine}) for engine in ("WEBJS", "WPP", "NOWEB", "GOWS")),
        ("evolution", {}),
        ("evolution_go", {}),
    ],
    ids=str,
)
async def test_each_kind_in_the_rows_can_be_sent_and_carries_our_id_where_it_dedupes(
    db: Db, transport: str, settings: dict[str, object]
) -> None:
    rows = db.execute(
        """
        select c.kind, k.kind is not null, coalesce(retoma_internal.matches_any(%s, k.dedupes_when), false)
        from retoma.content_kind as c
        left join retoma.transport_kind as k on c.kind = k.kind and k.transport = %s
        """,
        [Jsonb(settings), transport],
    ).fetchall()
    assert {kind for kind, *_ in rows} == set(CONTENTS)

    paths, answer = ACCEPTED[transport]
    async with gateway() as server:
        for path in paths:
            server.answer(path, answer, status=201)
        made = transports.create(transport, {"base_url": server.url, **settings})
        for kind, in_rows, dedupes in rows:
            result = await made.send(MESSAGE._replace(content={"kind": kind, **CONTENTS[kind]}))
            # The rows cannot say that only some engines send lists.
            can_be_sent = in_rows and not (kind == "list" and settings.get("engine") in ("WEBJS", "WPP"))
            assert (kind, result.status) == (kind, "accepted" if can_be_sent else "error")
            assert not dedupes or (kind, result.took_id) == (kind, True)
        await made.aclose()


@pytest.mark.parametrize("transport", sorted(ACCEPTED))
def test_each_code_of_a_transport_has_a_rule(db: Db, transport: str) -> None:
    own = {
        "waha": "content_not_supported no_lid server_463 new_chats_locked new_chat_refused server_479 "
        "server_error session_OTHER ack_error",
        "evolution": "content_not_supported not_on_whatsapp invalid_request refused_while_sending "
        "connection_closed connection_closed_before failed_before_sending license_required unreadable_answer "
        "ack_error http_400",
        "evolution_go": "content_not_supported not_on_whatsapp invalid_request session_down media_refused "
        "media_unreachable unreadable_answer server_463 server_479 server_error",
    }[transport]
    rows = db.execute("select code from retoma.error_rule where transport = %s", [transport]).fetchall()
    assert set(own.split()) <= {code for (code,) in rows}
