"""Several contents of one campaign: which one a message gets follows from its id, and never changes."""

import hashlib
from collections import Counter
from itertools import accumulate, pairwise
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    call,
    freeze_clock,
    lease,
    make_campaign,
    make_runner,
    must_lease,
    phone,
    refused,
    release,
    send_all,
    status,
)


def texts(*words: str, weights: tuple[int, ...] = ()) -> Jsonb:
    """Variants that say this, with these weights or the default one."""
    weighted: list[dict[str, object]] = [{"weight": weight} for weight in weights] or [{}] * len(words)
    return Jsonb(
        {
            "variants": [
                weight | {"content": {"kind": "text", "text": text}}
                for weight, text in zip(weighted, words, strict=True)
            ]
        }
    )


def two(
    db: Db, size: int, *words: str, weights: tuple[int, ...] = (), start: bool = True, **more: object
) -> int:
    """The campaign natal with variants."""
    return make_campaign(
        db,
        size=size,
        start=start,
        **{"text": None, "checked": False, "content": texts(*words or ("A", "B"), weights=weights), **more},  # type: ignore[arg-type]
    )


def variants(db: Db) -> dict[int, int]:
    """The variant of each message, by ordinal."""
    return dict(db.execute("select ordinal, variant from retoma.v_message order by 1").fetchall())


def handed_out(db: Db, runner: UUID, channel: int, want: int = 300) -> dict[int, int]:
    """Leases a batch and reserves messages; the variant of each as the runner is told."""
    leased = must_lease(db, runner, channel)
    (messages,) = db.execute(
        "select messages from retoma.advance_batch(%s, %s, %s, '[]', %s)", (*leased.fence, want)
    ).fetchone() or ([],)
    return {message[0]: message[5] for message in messages}


def test_each_message_is_handed_out_with_its_variant(db: Db, channel: int, runner: UUID) -> None:
    two(db, 300)

    told = handed_out(db, runner, channel)

    assert told == variants(db)
    assert set(told.values()) == {1, 2}


def test_a_campaign_with_one_content_says_nothing_of_variants(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    leased = must_lease(db, runner, channel)

    messages = call(db, "select messages from retoma.advance_batch(%s, %s, %s, '[]', 300)", *leased.fence)

    assert [len(message) for message in messages] == [4, 4]
    assert variants(db) == {1: 1, 2: 1}
    assert call(db, "select count(*) from retoma.v_variant") == 0


def test_invariant_11_the_variant_is_the_same_in_every_attempt(db: Db, channel: int, runner: UUID) -> None:
    two(db, 40)
    before = variants(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=300)
    # The reply is lost: the same messages once more, then another attempt of some of them.
    (again,) = db.execute(
        "select messages from retoma.advance_batch(%s, %s, %s, '[]', 0, 0)", leased.fence
    ).fetchone() or ([],)
    assert {message[0]: message[5] for message in again} == before
    assert [message[4] for message in again] == [False] * 40
    # An answer that never comes: the next attempt says the same.
    release(db, leased)
    db.execute("select retoma.resolve_in_doubt('natal', 'resend')")
    assert handed_out(db, runner, channel) == before


def test_a_suppressed_message_of_a_lost_reply_is_withheld_and_has_its_variant(
    db: Db, channel: int, runner: UUID
) -> None:
    two(db, 10)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=300)
    db.execute("select retoma.opt_out(%s, 'reply')", (phone(3),))

    (again,) = db.execute(
        "select messages from retoma.advance_batch(%s, %s, %s, '[]', 0, 0)", leased.fence
    ).fetchone() or ([],)

    assert [message[0] for message in again if message[4]] == [3]
    assert {message[0]: message[5] for message in again} == variants(db)


def test_a_lease_has_all_contents_in_their_order(db: Db, channel: int, runner: UUID) -> None:
    two(db, 1, "A", "B", "C")

    contents = call(db, "select contents from retoma.lease_batch(%s, %s)", runner, channel)

    assert [given["content"]["text"] for given in contents] == ["A", "B", "C"]
    assert all(given["texts"][0]["path"] == ["text"] for given in contents)


def test_a_campaign_shows_its_variants_and_their_weights(db: Db, channel: int) -> None:
    two(db, 1, "A", "B", "C", weights=(3, 1, 2), start=False)

    rows = db.execute(
        "select variant, weight, content ->> 'text' from retoma.campaign_content('natal')"
    ).fetchall()

    assert rows == [(1, 3, "A"), (2, 1, "B"), (3, 2, "C")]
    assert db.execute("select variant from retoma.sample_recipients('natal')").fetchall() == [
        (variants(db)[1],)
    ]


@given(
    token=st.text("0123456789abcdef", min_size=24, max_size=24),
    weights=st.lists(st.integers(1, 1000), min_size=2, max_size=20),
)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_shares_follow_the_weights(db: Db, token: str, weights: list[int]) -> None:
    bounds = list(accumulate(weights))
    size = 4000

    counted: dict[int, int] = dict(
        db.execute(
            "select retoma_internal.variant_of(retoma_internal.message_id(%s, n), %s::int[]), count(*)"
            " from generate_series(1, %s) as n group by 1",
            (token, bounds, size),
        ).fetchall()
    )

    assert set(counted) <= set(range(1, len(weights) + 1))
    for variant, (low, high) in enumerate(pairwise([0, *bounds]), 1):
        share = (high - low) / bounds[-1]
        # 7 standard deviations: a right hash fails once in 10^11 times.
        assert abs(counted.get(variant, 0) - size * share) <= 7 * (size * share * (1 - share)) ** 0.5 + 7


def test_the_variant_of_an_id_is_fixed_for_ever(db: Db) -> None:
    """A database that is restored into another version of PostgreSQL or of Retoma says the same."""
    ids = [f"0123456789abcdef01234567{n:08x}" for n in range(1, 13)]

    rows = [call(db, "select retoma_internal.variant_of(%s, '{2,3,10}')", i) for i in ids]

    tickets = [int(hashlib.sha256(bytes.fromhex(i)).hexdigest()[:15], 16) % 10 for i in ids]
    assert rows == [1 if ticket < 2 else 2 if ticket < 3 else 3 for ticket in tickets]
    assert rows == [1, 3, 1, 1, 3, 1, 3, 3, 3, 3, 2, 1]


BAD_WEIGHTS: list[object] = [0, -1, 1.5, 1001, "2", None, True, [], {}]


@pytest.mark.parametrize(
    "content",
    [
        {"variants": []},
        {"variants": [{"content": {"kind": "text", "text": "A"}}]},
        {"variants": [{"content": {"kind": "text", "text": str(n)}} for n in range(21)]},
        {"variants": [{"content": {"kind": "text", "text": "A"}}, {"weight": 1}]},
        {"variants": [{"content": {"kind": "text", "text": "A"}}, "B"]},
        {"variants": {"content": {"kind": "text", "text": "A"}}},
        {"kind": "text", "variants": [{"content": {"kind": "text", "text": "A"}}] * 2},
        *(
            {"variants": [{"weight": weight, "content": {"kind": "text", "text": "A"}}] * 2}
            for weight in BAD_WEIGHTS
        ),
    ],
)
def test_variants_are_2_to_20_contents_with_a_weight(db: Db, channel: int, content: object) -> None:
    with refused(db, "RT003", "variants are 2 to 20 contents"):
        db.execute("select retoma.create_campaign('x', 'sales', p_content => %s)", (Jsonb(content),))


def test_each_variant_is_checked_as_a_content_is(db: Db, channel: int) -> None:
    bad = {"variants": [{"content": {"kind": "text", "text": "A"}}, {"content": {"kind": "text"}}]}
    with refused(db, "RT003", "variant 2: text is missing"):
        db.execute("select retoma.create_campaign('x', 'sales', p_content => %s)", (Jsonb(bad),))


def test_variants_are_of_one_kind(db: Db, channel: int) -> None:
    image = {"kind": "image", "media": {"link": "https://example.com/a.jpg"}}
    mixed = {"variants": [{"content": {"kind": "text", "text": "A"}}, {"content": image}]}
    with refused(db, "RT003", "the variants of a campaign are of one kind"):
        db.execute("select retoma.create_campaign('x', 'sales', p_content => %s)", (Jsonb(mixed),))


def test_weights_and_contents_are_fixed(db: Db, channel: int) -> None:
    two(db, 1, start=False)
    with refused(db, "RT002", "fixed"):
        db.execute("update retoma_internal.campaign set variant_bounds = '{5,6}'")
    with refused(db, "RT002", "fixed"):
        db.execute("update retoma_internal.campaign set variant_bounds = null")


def test_nothing_is_leased_before_every_variant_is_checked(db: Db, channel: int, runner: UUID) -> None:
    made = two(db, 4, "A {{ name }}", "B {{ name }}")
    unchecked = db.execute("select campaign_id, variant from retoma.contents_to_check(1)").fetchall()
    assert sorted(unchecked) == [(made, 1), (made, 2)]

    db.execute("select retoma.record_content_check(%s, 1, '{name}')", (made,))
    assert lease(db, runner, channel) is None
    db.execute("select retoma.record_content_check(%s, 2, '{name}')", (made,))

    assert lease(db, runner, channel) is not None


def test_a_fault_names_its_variant(db: Db, channel: int) -> None:
    made = two(db, 4, "A {{ name }}", "B {{ name", start=False)
    db.execute("select retoma.record_content_check(%s, 1, '{name}')", (made,))
    db.execute("select retoma.record_content_check(%s, 2, null, 'the text is not valid Liquid')", (made,))

    with refused(db, "RT005", "variant 2: the text is not valid Liquid"):
        db.execute("select retoma.start_campaign('natal')")


def test_everybody_needs_the_variables_of_every_variant(db: Db, channel: int) -> None:
    made = two(db, 4, "A {{ name }}", "B {{ city }}", start=False)
    db.execute("select retoma.record_content_check(%s, 1, '{name}')", (made,))
    db.execute("select retoma.record_content_check(%s, 2, '{city}')", (made,))

    with refused(db, "RT005", "lack one of the variables city"):
        db.execute("select retoma.start_campaign('natal')")


def test_each_variant_is_rendered_for_its_own_recipients(db: Db, channel: int) -> None:
    made = two(db, 100, "A {{ name }}", "B", start=False)
    db.execute("select retoma.record_content_check(%s, 1, '{name}')", (made,))
    own = variants(db)
    to_check = "select to_check from retoma.v_campaign_summary"
    assert call(db, to_check) == 100

    seen: dict[int, int] = {}
    while page := db.execute(
        "select variant, list, after_ordinal, through_ordinal, recipients"
        " from retoma.recipients_to_render(0, 30)"
    ).fetchone():
        variant, number, after, through, recipients = page
        assert all(after < ordinal <= through for ordinal, _, _ in recipients)
        seen |= {ordinal: variant for ordinal, _, _ in recipients}
        db.execute(
            "select retoma.record_rendering(%s, %s, %s, %s, %s, '[]')",
            (made, variant, number, after, through),
        )
        if through < 100:
            assert call(db, to_check) == 100 - len(seen)

    assert seen == own
    db.execute("select retoma.start_campaign('natal')")
    assert call(db, to_check) == 0


def test_a_rare_variant_with_one_bad_recipient_does_not_stop_the_campaign(
    db: Db, channel: int, runner: UUID
) -> None:
    made = two(db, 300, "A {{ name }}", "B {{ name }}", weights=(99, 1))
    for variant in (1, 2):
        db.execute("select retoma.record_content_check(%s, %s, '{name}')", (made, variant))
    rare = [n for n, v in variants(db).items() if v == 2 and n <= 250]
    fault = {"code": "text_empty", "reason": "text is empty", "messages": len(rare), "first_ordinal": 1}

    db.execute("select retoma.record_rendering(%s, 2, 1, 0, 250, %s)", (made, Jsonb([fault] if rare else [])))

    assert status(db) == "running"


def test_a_variant_that_can_be_made_for_nobody_stops_the_campaign(db: Db, channel: int) -> None:
    made = two(db, 300, "A {{ name }}", "B {{ name }}")
    for variant in (1, 2):
        db.execute("select retoma.record_content_check(%s, %s, '{name}')", (made, variant))
    bad = sum(v == 2 for v in variants(db).values())
    fault = {"code": "text_empty", "reason": "text is empty", "messages": bad, "first_ordinal": 1}

    db.execute("select retoma.record_rendering(%s, 2, 1, 0, 300, %s)", (made, Jsonb([fault])))

    assert status(db) == "interrupted"
    reason = call(db, "select reason from retoma.v_campaign_summary")
    assert reason.startswith(f"variant 2: none of the first {bad} messages can be made")


def test_books_receipts_and_replies_of_each_variant(db: Db, channel: int, runner: UUID) -> None:
    freeze_clock(db)
    two(db, 60, weights=(2, 1), batch_size=50)
    leased = must_lease(db, runner, channel)
    step = advance(db, leased, want=40)
    advance(db, leased, accepted(*step.ordinals[:30]))
    own = variants(db)
    ids = {message[0]: message[1] for message in step.messages}
    receipts = [{"message_id": ids[n], "status": "read" if n <= 5 else "delivered"} for n in range(1, 21)]
    db.execute("select retoma.record_receipts('sales', %s)", (Jsonb(receipts),))
    said = [
        {"phone": phone(n), "text": text, "provider_id": f"r{n}{text}"}
        for n, text in [(1, "sim"), (1, "quero"), (2, "SAIR"), (7, "sim")]
    ]
    db.execute("select retoma.record_inbound('sales', %s)", (Jsonb(said),))

    rows = db.execute(
        "select variant, weight, messages, pending, sending, sent, delivered, read, replies, people,"
        " opted_out from retoma.v_variant where campaign = 'natal' order by variant"
    ).fetchall()

    def count(variant: int, *ordinals: int) -> int:
        return Counter(own[n] for n in ordinals)[variant]

    for variant, weight in ((1, 2), (2, 1)):
        assert rows[variant - 1] == (
            variant,
            weight,
            count(variant, *range(1, 61)),
            count(variant, *range(41, 61)),
            count(variant, *range(31, 41)),
            count(variant, *range(1, 31)),
            count(variant, *range(1, 21)),
            count(variant, *range(1, 6)),
            count(variant, 1, 1, 2, 7),
            count(variant, 1, 2, 7),
            count(variant, 2),
        )


def test_variants_of_a_campaign_are_sent_to_the_end(db: Db, channel: int, runner: UUID) -> None:
    two(db, 30)
    assert send_all(db, runner, channel) == list(range(1, 31))
    total = db.execute("select sum(sent), sum(messages) from retoma.v_variant").fetchone()
    assert total == (30, 30)


def test_another_runner_gets_the_same_variants(db: Db, channel: int, runner: UUID) -> None:
    two(db, 20)
    leased = must_lease(db, runner, channel)
    release(db, leased)
    other = make_runner(db, "runner-2")

    assert handed_out(db, other, channel) == variants(db)
