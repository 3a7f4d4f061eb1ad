"""Stored files: their bytes say what they are, and a campaign sends them when its provider has them."""

from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import Db, call, lease, make_channel, make_runner, move_clock, refused
from tests.support.files import DOCX, JPEG, M4A, MP3, MP4, OPUS, PDF, PNG, XLS

SETTINGS = {"base_url": "https://graph.example", "phone_number_id": "104", "access_token": "t"}
PICTURE = {"kind": "image", "media": {"file": "offer.png"}, "caption": "Olá"}
STATUS = "select status, status_reason from retoma_internal.campaign where name = 'entrega'"


def add(db: Db, name: str = "offer.png", data: bytes = PNG) -> str:
    return str(call(db, "select retoma.media_add(%s, %s)", name, data))


def draft(db: Db, content: dict[str, Any] = PICTURE, name: str = "entrega") -> None:
    db.execute("select retoma.create_campaign(%s, 'sales', p_content => %s)", [name, Jsonb(content)])
    db.execute("select retoma.add_recipients(%s, %s)", [name, Jsonb([{"phone": "+5511955501234"}])])


def cloud(db: Db) -> int:
    return make_channel(db, transport="whatsapp_cloud", settings=SETTINGS)


def turn(db: Db) -> tuple[Any, ...] | None:
    """A runner takes the turn to upload: channel, file, time."""
    return db.execute("select channel_id, sha256, asked_at from retoma.media_to_upload()").fetchone()


def upload(db: Db, provider_id: str | None = "777", fault: str | None = None) -> None:
    taken = turn(db)
    assert taken is not None
    db.execute("select retoma.record_upload(%s, %s, %s, %s, %s)", [*taken, provider_id, fault])


@pytest.mark.parametrize(
    ("data", "mimetype"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (MP4, "video/mp4"),
        (MP4.replace(b"isom", b"3gp4"), "video/3gpp"),
        (M4A, "audio/mp4"),
        (OPUS, "audio/ogg"),
        (MP3, "audio/mpeg"),
        (b"#!AMR\n" + bytes(20), "audio/amr"),
        (b"\xff\xf1P\x80" + bytes(20), "audio/aac"),
        (PDF, "application/pdf"),
        (DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (XLS, "application/vnd.ms-excel"),
        ("preço;1,50\n".encode(), "text/plain"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_bytes_decide_what_a_file_is(db: Db, data: bytes, mimetype: str) -> None:
    assert add(db, "anything.exe", data) == mimetype


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MZ\x90\x00" + bytes(20),
        b"OggS" + bytes(24) + b"\x01vorbis",
        b"RIFF\x10\x00\x00\x00WEBPVP8 ",
        b"GIF89a\x01\x00",
        b"PK\x03\x04" + bytes(20) + b"secret.txt",
        b"pre\xe7o",
    ],
    ids=["nothing", "program", "vorbis", "webp", "gif", "zip", "latin-1"],
)
def test_a_file_that_no_provider_takes_is_refused_whatever_its_name_says(db: Db, data: bytes) -> None:
    with pytest.raises(psycopg.Error) as error:
        add(db, "offer.png", data)
    assert (error.value.sqlstate, error.value.diag.constraint_name) == ("RT003", "unknown_media_type")


def test_a_file_has_a_size(db: Db) -> None:
    add(db, "fits.png", PNG + bytes(5 * 2**20 - len(PNG)))
    with refused(db, "RT003", "has 5242881 bytes, at most 5242880"):
        add(db, "large.png", PNG + bytes(5 * 2**20 - len(PNG) + 1))


@pytest.mark.parametrize("name", ["", "  ", "a{b}.png", "a\nb", "x" * 201])
def test_a_name_can_be_written_in_a_content(db: Db, name: str) -> None:
    with pytest.raises(psycopg.Error) as error:
        add(db, name)
    assert error.value.sqlstate == "RT003"


def test_bytes_are_stored_once_and_a_name_keeps_its_file(db: Db) -> None:
    for name in ("a.png", "b.png", "a.png"):
        add(db, name)
    with refused(db, "RT004", "there is already another file 'a.png'"):
        add(db, "a.png", JPEG)

    assert call(db, "select count(*) from retoma_internal.medium_data") == 1
    shown = db.execute(
        "select medium, mimetype, bytes, campaigns, channel from retoma.v_medium order by medium"
    )
    assert shown.fetchall() == [(n, "image/png", len(PNG), 0, None) for n in ("a.png", "b.png")]
    db.execute("select retoma.media_remove('a.png')")
    assert call(db, "select count(*) from retoma_internal.medium_data") == 1
    db.execute("select retoma.media_remove('b.png')")
    assert call(db, "select count(*) from retoma_internal.medium_data") == 0
    with refused(db, "RT001", "there is no file 'b.png'"):
        db.execute("select retoma.media_remove('b.png')")


@pytest.mark.parametrize(
    ("transport", "settings", "content", "words"),
    [
        ("null", {}, {"kind": "image", "media": {"file": "none.png"}}, "no file 'none.png' (media.file)"),
        ("null", {}, {"kind": "video", "media": {"file": "offer.png"}}, "media.file is image/png, which"),
        ("null", {}, {"kind": "document", "media": {"file": "offer.png"}, "filename": "a"}, "does not take"),
        (
            "null",
            {},
            {
                "kind": "template",
                "name": "a",
                "language": "pt_BR",
                "header": {"video": {"file": "offer.png"}},
            },
            "header.video.file is image/png",
        ),
        (
            "null",
            {},
            {"kind": "document", "media": {"file": "long.txt"}, "filename": "a"},
            "takes at most 16777216",
        ),
        ("waha", {"base_url": "https://waha.example", "session": "x"}, PICTURE, "takes media by link only"),
        (
            "evolution_go",
            {"base_url": "https://go.example", "api_key": "k"},
            PICTURE,
            "takes media by link only",
        ),
    ],
    ids=str,
)
def test_a_file_that_the_channel_cannot_send_is_refused_when_the_campaign_is_created(
    db: Db, transport: str, settings: dict[str, Any], content: dict[str, Any], words: str
) -> None:
    make_channel(db, transport=transport, settings=settings)
    add(db)
    add(db, "long.txt", b"a" * (16 * 2**20 + 1))

    with pytest.raises(psycopg.Error) as error:
        draft(db, content)
    assert words in str(error.value)


def test_a_file_is_kept_while_a_campaign_that_is_not_over_says_it(db: Db) -> None:
    make_channel(db)
    add(db)
    draft(db)
    with refused(db, "RT002", "the file 'offer.png' is said by the campaigns entrega"):
        db.execute("select retoma.media_remove('offer.png')")
    db.execute("select retoma.cancel_campaign('entrega')")

    db.execute("select retoma.media_remove('offer.png')")


def test_bytes_go_along_where_the_channel_says_so(db: Db) -> None:
    channel = make_channel(
        db,
        transport="waha",
        settings={"base_url": "https://waha.example", "session": "x", "media_as": "base64"},
    )
    add(db)
    draft(db)
    db.execute("select retoma.start_campaign('entrega')")
    assert turn(db) is None

    runner = make_runner(db)
    row = db.execute("select contents, media from retoma.lease_batch(%s, %s)", (runner, channel)).fetchone()
    assert row is not None
    (given,), (medium,) = row
    assert (given["content"], medium["path"]) == (PICTURE, ["media"])
    assert medium["value"]["mimetype"] == "image/png"
    digest = bytes.fromhex(medium["value"]["sha256"])
    assert call(db, "select retoma.medium_bytes(%s)", digest) == PNG


def test_nothing_is_leased_before_the_file_is_uploaded(db: Db) -> None:
    channel = cloud(db)
    add(db)
    draft(db)
    assert call(db, "select retoma.start_campaign('entrega')") == "running"
    runner = make_runner(db)
    assert lease(db, runner, channel) is None
    assert db.execute("select cause, reason from retoma.v_waiting_campaigns").fetchall() == [
        ("content", "its file offer.png is waiting to be uploaded")
    ]

    upload(db)

    row = db.execute("select media from retoma.lease_batch(%s, %s)", (runner, channel)).fetchone()
    assert row == ([{"path": ["media"], "file": "offer.png", "value": {"id": "777"}}],)
    assert turn(db) is None
    assert call(db, "select channel from retoma.v_medium") == "sales"


def test_campaigns_without_files_do_not_wait(db: Db) -> None:
    channel = cloud(db)
    draft(db, {"kind": "image", "media": {"link": "https://cdn.example/a.png"}})
    db.execute("select retoma.start_campaign('entrega')")

    row = db.execute("select media from retoma.lease_batch(%s, %s)", (make_runner(db), channel)).fetchone()
    assert row == (None,)
    assert lease(db, make_runner(db, "second"), channel) is None  # the one batch is taken


def test_a_file_that_cannot_be_uploaded_interrupts_the_campaign_until_it_can(db: Db) -> None:
    cloud(db)
    add(db)
    draft(db)
    db.execute("select retoma.start_campaign('entrega')")

    upload(db, None, "The provider refuses the file (cloud_100).")
    reason = "channel sales: file offer.png cannot be uploaded: The provider refuses the file (cloud_100)."
    assert db.execute(STATUS).fetchone() == ("interrupted", reason)
    assert turn(db) is None
    move_clock(db, "2 minutes 1 second")
    upload(db)

    assert db.execute(STATUS).fetchone() == ("running", None)


def test_an_upload_is_for_one_channel_with_its_settings(db: Db) -> None:
    channel = cloud(db)
    add(db)
    draft(db)
    db.execute("select retoma.start_campaign('entrega')")
    upload(db)
    db.execute("select retoma.configure_channel('sales', %s)", [Jsonb({"phone_number_id": "105"})])

    assert lease(db, make_runner(db), channel) is None
    upload(db, "778")
    media = call(db, "select media from retoma.lease_batch(%s, %s)", make_runner(db, "second"), channel)
    assert [medium["value"] for medium in media] == [{"id": "778"}]


def test_an_upload_is_renewed_in_time_and_the_old_id_is_used_meanwhile(db: Db) -> None:
    channel = cloud(db)
    add(db)
    draft(db)
    db.execute("select retoma.start_campaign('entrega')")
    upload(db)
    move_clock(db, "25 days 23 hours")
    assert turn(db) is None
    move_clock(db, "2 hours")
    upload(db, None, "The provider is away.")

    assert db.execute(STATUS).fetchone() == ("running", None)
    media = call(db, "select media from retoma.lease_batch(%s, %s)", make_runner(db), channel)
    assert media[0]["value"] == {"id": "777"}
    move_clock(db, "3 days")
    assert call(db, "select count(*) from retoma_internal.medium_wait") == 1
    upload(db, "778")
    assert call(db, "select count(*) from retoma_internal.medium_wait") == 0


def test_a_late_answer_of_a_runner_that_lost_its_turn_is_ignored(db: Db) -> None:
    cloud(db)
    add(db)
    draft(db)
    late = turn(db)
    assert late is not None
    assert turn(db) is None
    move_clock(db, "10 minutes 1 second")
    upload(db, "778")

    db.execute("select retoma.record_upload(%s, %s, %s, '777')", late)
    assert call(db, "select provider_id from retoma_internal.medium_upload") == "778"


@pytest.mark.parametrize("answer", [(None, None), ("1", "a fault"), ("", None), ("x" * 501, None)])
def test_an_upload_has_an_id_or_a_fault(db: Db, answer: tuple[str | None, str | None]) -> None:
    with refused(db, "RT003", "either the id of the provider, or why there is none"):
        db.execute("select retoma.record_upload(1, '', now(), %s, %s)", answer)


def test_a_file_of_a_card_is_found_and_a_free_name_is_none(db: Db) -> None:
    make_channel(db)
    add(db)
    card = {"header": {"image": {"file": "offer.png"}}}
    button = {"index": 0, "flow": {"data": {"file": "not a file"}}}
    draft(
        db,
        {"kind": "template", "name": "a", "language": "pt_BR", "cards": [card, card], "buttons": [button]},
    )

    paths = db.execute("select path from retoma_internal.campaign_medium order by path").fetchall()
    assert [path for (path,) in paths] == [["cards", n, "header", "image"] for n in (0, 1)]


def test_a_lease_has_the_files_of_all_variants(db: Db) -> None:
    channel = cloud(db)
    add(db)
    add(db, "other.jpg", JPEG)
    other = {"kind": "image", "media": {"file": "other.jpg"}}
    draft(db, {"variants": [{"content": content} for content in (PICTURE, PICTURE, other)]})
    db.execute("select retoma.start_campaign('entrega')")
    upload(db, "777")
    assert lease(db, make_runner(db), channel) is None
    upload(db, "778")

    media = call(db, "select media from retoma.lease_batch(%s, %s)", make_runner(db, "second"), channel)

    assert {medium["file"] for medium in media} == {"offer.png", "other.jpg"}
    assert [medium["path"] for medium in media] == [["media"]] * 2
    assert {medium["value"]["id"] for medium in media} == {"777", "778"}
