"""The database takes a content for this transport exactly when the transport can send it."""

from psycopg.types.json import Jsonb

from retoma.transports.whatsapp_cloud.requests import KINDS
from tests.support.campaigns import Db, make_channel, refused
from tests.transports.whatsapp_cloud import contents

SETTINGS = {"base_url": "https://graph.example", "phone_number_id": "104", "access_token": "t"}


def test_the_database_knows_the_kinds_that_can_be_sent(db: Db) -> None:
    rows = db.execute("select kind from retoma.transport_kind where transport = 'whatsapp_cloud'").fetchall()

    assert {kind for (kind,) in rows} == KINDS == {content["kind"] for content in contents.ALL.values()}


def test_a_campaign_can_say_what_the_transport_sends(db: Db) -> None:
    make_channel(db, transport="whatsapp_cloud", settings=SETTINGS)
    create = "select retoma.create_campaign(%s, 'sales', p_content => %s)"

    for name, content in contents.ALL.items():
        db.execute(create, [name, Jsonb(content)])

    poll = {"kind": "poll", "question": "Sim?", "options": ["Sim", "Não"]}
    with refused(db, "RT003"):
        db.execute(create, ["poll", Jsonb(poll)])
    long = {**contents.REPLY_BUTTONS, "buttons": [{"id": "1", "title": "mais de vinte caracteres"}]}
    with refused(db, "RT003", "buttons[0].title"):
        db.execute(create, ["long", Jsonb(long)])
