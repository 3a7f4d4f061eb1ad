"""add_recipients and load_staged: the audience of a draft, one message per number."""

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import Db, call, make_campaign, make_channel, phone, refused


@pytest.fixture
def draft(db: Db) -> int:
    make_channel(db)
    return make_campaign(db, size=0, start=False)


def add(db: Db, *recipients: object) -> tuple[int, int, int]:
    """Adds recipients to the draft: how many were accepted, duplicates, rejected."""
    row = db.execute(
        "select accepted, duplicates, rejected from retoma.add_recipients('natal', %s)",
        (Jsonb(list(recipients)),),
    ).fetchone()
    assert row is not None
    return (row[0], row[1], row[2])


def nested(levels: int) -> object:
    """A list in a list, and so on."""
    return [nested(levels - 1)] if levels else 1


def audience(db: Db) -> list[tuple[int, str]]:
    return db.execute("select ordinal, phone from retoma_internal.message order by ordinal").fetchall()


def stage(db: Db, *rows: tuple[object, ...]) -> None:
    """Copies (line, phone, variables, zone) into the staging table, as a bulk load does."""
    with db.cursor().copy(
        "copy retoma.recipient_staging (campaign, line, phone, variables, zone) from stdin"
    ) as copy:
        for line, number, variables, zone in rows:
            copy.write_row(("natal", line, number, variables, zone))


def test_recipients_are_numbered_in_the_order_of_the_list(db: Db, draft: int) -> None:
    assert add(db, {"phone": phone(3)}, {"phone": phone(1)}) == (2, 0, 0)
    assert add(db, {"phone": phone(2)}) == (1, 0, 0)

    assert audience(db) == [(1, phone(3)), (2, phone(1)), (3, phone(2))]
    assert call(db, "select total from retoma.v_campaign_summary") == 3


def test_a_number_is_one_recipient_however_often_it_is_added(db: Db, draft: int) -> None:
    first = {"phone": phone(1), "variables": {"name": "first"}}
    assert add(db, first, {"phone": phone(1), "variables": {"name": "again"}}) == (1, 1, 0)
    assert add(db, {"phone": phone(1)}, {"phone": phone(2)}) == (1, 1, 0)

    assert audience(db) == [(1, phone(1)), (2, phone(2))]
    assert call(db, "select variables ->> 'name' from retoma_internal.message where ordinal = 1") == "first"


def test_a_recipient_that_cannot_be_contacted_is_rejected_with_its_reason(
    db: Db, draft: int, subtests: pytest.Subtests
) -> None:
    cases: list[tuple[object, str]] = [
        ({}, "no phone number"),
        ({"phone": ""}, "no phone number"),
        ("+5511955510001", "no phone number"),
        ({"phone": "11955510001"}, "not an E.164 number"),
        ({"phone": "+55 11 95551-0001"}, "not an E.164 number"),
        ({"phone": "+5511955510001\n"}, "not an E.164 number"),
        ({"phone": phone(1), "variables": ["Ana"]}, "variables are not a JSON object"),
        ({"phone": phone(1), "variables": None}, "variables are not a JSON object"),
        ({"phone": phone(1), "zone": "America/Sao_Paolo"}, "unknown time zone"),
        ({"phone": phone(1), "zone": "America/Sao_Paulo,Mars/Base"}, "unknown time zone"),
        ({"phone": phone(1), "zone": ",".join(["America/Sao_Paulo"] * 300)}, "too many time zones"),
        ({"phone": "+55" * 1_000_000}, "not an E.164 number"),
        ({"phone": phone(1), "nome": "Ana"}, 'unknown key nome: put variables into "variables"'),
        ({"phone": phone(1), "variables": {}, "a": 1, "B": 2}, "unknown key B, a: put variables"),
        ({"phone": phone(1), "variables": {"x": "é" * 8_192}}, "variables have more than 16384 bytes"),
        ({"phone": phone(1), "variables": {"x": 10**1_000}}, "a number has 1000 digits or more"),
        ({"phone": phone(1), "variables": {"x": nested(9)}}, "variables are nested more than 8 levels deep"),
    ]
    for number, (recipient, reason) in enumerate(cases, 2):
        with subtests.test(recipient=recipient):
            assert add(db, {"phone": phone(number)}, recipient) == (1, 0, 1)

            last = "select line, reason from retoma.recipient_reject order by id desc limit 1"
            row = db.execute(last).fetchone()
            assert row is not None
            assert row[0] == 2
            assert row[1].startswith(reason)


def test_variables_of_the_size_of_a_long_message_are_taken(db: Db, draft: int) -> None:
    variables = [
        {"x": "é" * 8_186},
        {"x": "1" * 999, "y": nested(7)},
        {f"v{n}": "[{" * 20 for n in range(200)},
    ]
    people = [{"phone": phone(number), "variables": taken} for number, taken in enumerate(variables, 1)]

    assert add(db, *people) == (3, 0, 0)


def test_the_list_of_rejects_keeps_no_more_than_the_beginning_of_a_number(db: Db, draft: int) -> None:
    add(db, {"phone": "5" * 1_000_000})

    assert call(db, "select length(phone) from retoma.recipient_reject") == 100


def test_a_bulk_load_is_ordered_by_line_and_consumed(db: Db, draft: int) -> None:
    stage(
        db,
        (3, phone(3), "{}", None),
        (1, phone(1), '{"name": "Ana"}', "America/Sao_Paulo,America/Bahia"),
        (2, "+1", "{}", None),
        (4, phone(1), "{}", None),
    )

    row = db.execute("select * from retoma.load_staged('natal')").fetchone()

    assert row == (2, 1, 1)
    assert audience(db) == [(1, phone(1)), (2, phone(3))]
    assert (
        call(db, "select zone from retoma_internal.message where ordinal = 1")
        == "America/Sao_Paulo,America/Bahia"
    )
    assert call(db, "select count(*) from retoma.recipient_staging") == 0


def test_a_load_takes_the_staged_rows_of_its_own_campaign_only(db: Db, draft: int) -> None:
    db.execute("insert into retoma.recipient_staging (campaign, phone) values ('other', %s)", (phone(1),))

    assert db.execute("select * from retoma.load_staged('natal')").fetchone() == (0, 0, 0)

    assert call(db, "select count(*) from retoma.recipient_staging") == 1


def test_what_are_not_recipients_is_refused(db: Db, draft: int) -> None:
    for value in (Jsonb({"phone": phone(1)}), Jsonb("x"), None):
        with refused(db, "RT003", "JSON array"):
            db.execute("select retoma.add_recipients('natal', %s)", (value,))


def test_recipients_for_an_unknown_campaign_are_refused(db: Db, draft: int) -> None:
    with refused(db, "RT001", "there is no campaign 'pascoa'"):
        db.execute("select retoma.add_recipients('pascoa', '[]')")
    with refused(db, "RT001"):
        db.execute("select retoma.load_staged('pascoa')")


def test_the_audience_is_frozen_at_the_start(db: Db, draft: int) -> None:
    add(db, {"phone": phone(1)})
    db.execute("select retoma.start_campaign('natal')")
    with refused(db, "RT002", "it is running"):
        add(db, {"phone": phone(2)})
    with refused(db, "RT002", "it is running"):
        db.execute("select retoma.load_staged('natal')")


def test_a_message_cannot_be_changed_by_anybody(db: Db, draft: int) -> None:
    add(db, {"phone": phone(1)})
    with refused(db, "RT011", "immutable"):
        db.execute("update retoma_internal.message set phone = '+15550100'")
    with refused(db, "RT011", "immutable"):
        db.execute("update retoma_internal.message set variables = '{}' where false")


def test_the_database_itself_refuses_a_number_twice_in_a_campaign(db: Db, draft: int) -> None:
    add(db, {"phone": phone(1)})
    with pytest.raises(psycopg.errors.UniqueViolation):
        db.execute(
            "insert into retoma_internal.message (campaign_id, ordinal, phone) values (%s, 2, %s)",
            (draft, phone(1)),
        )


# So many that the index of numbers has a level more than that of ordinals, and costs more to descend.
LONG = """
select accepted
from (
  select
    array_agg(n::bigint) as lines, array_agg('+55119' || lpad(n::text, 8, '0')) as phones,
    array_agg('{}'::jsonb) as variables, array_agg(null::text) as zones
  from generate_series(%s::int, %s::int) as n
) as g
cross join lateral retoma.add_recipients('natal', g.lines, g.phones, g.variables, g.zones)
"""


def test_a_list_that_is_analysed_while_it_is_loaded_is_not_read_for_each_number(db: Db, draft: int) -> None:
    fetched = (
        "select sum(pg_stat_get_xact_tuples_fetched(i.indexrelid)) from pg_index as i"
        f" where i.indrelid = 'retoma_internal.message_p{draft // 100 * 100}'::regclass"
    )
    with db.transaction():
        call(db, LONG, 1, 120_000)
        with psycopg.connect(db.info.dsn, password=db.info.password, autocommit=True) as another:
            another.execute("analyze retoma_internal.message")
        before = call(db, fetched)

        assert call(db, LONG, 119_999, 120_050) == 50

        assert call(db, fetched) - before < 1_000


def test_a_list_that_was_analysed_while_it_was_loaded_is_sent_by_its_ordinals(db: Db, draft: int) -> None:
    with db.transaction():
        call(db, LONG, 1, 20_000)
        with psycopg.connect(db.info.dsn, password=db.info.password, autocommit=True) as another:
            another.execute("analyze retoma_internal.message")

    call(db, "select retoma.start_campaign('natal')")

    with db.transaction():
        db.execute("set local plan_cache_mode to force_generic_plan")
        db.execute(
            "prepare slice (int, int[]) as"
            " select phone from retoma_internal.message where campaign_id = $1 and ordinal = any($2)"
        )
        plan = str(db.execute(f"explain (format json) execute slice ({draft}, '{{1}}')").fetchall())
    assert "_pkey" in plan
    assert "'Filter'" not in plan


def test_only_e_164_is_a_number(db: Db, subtests: pytest.Subtests) -> None:
    good = ["+5511955501234", "+1234567", "+123456789012345"]
    bad = [
        "",
        "+",
        "5511955501234",
        "+0511955501234",
        "+123456",
        "+1234567890123456",
        "+55119555x1234",
        "+55119555 1234",
        "+5511955501234\n",
        "++5511955501234",
        "+5511955+01234",
        "+55\\\\1195550",
        "+\\x313233343536",
        "\\x2b3132333435363738",
        "+55119555\u0661234",
        "+551195550\u00b2",
        "-5511955501234",
    ]
    for number in good + bad:
        with subtests.test(number=number):
            assert call(db, "select retoma_internal.is_e164(%s)", number) == (number in good)
    assert call(db, "select retoma_internal.is_e164(null)") is False


def test_the_table_itself_refuses_what_is_not_e_164(db: Db, draft: int) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute(
            "insert into retoma_internal.message (campaign_id, ordinal, phone) values (%s, 1, '11955501234')",
            (draft,),
        )


def test_a_staged_list_longer_than_a_block_keeps_its_order_and_its_first_lines(db: Db, draft: int) -> None:
    db.execute(
        """
        insert into retoma.recipient_staging (campaign, line, phone, variables)
        select 'natal', n, '+55119' || lpad((n % 50010)::text, 8, '0'), jsonb_build_object('line', n)
        from generate_series(100030, 1, -1) as n
        """
    )

    row = db.execute("select accepted, duplicates, rejected from retoma.load_staged('natal')").fetchone()

    assert row == (50_010, 50_020, 0)
    assert (
        call(db, "select count(*) from retoma_internal.message where ordinal = (variables ->> 'line')::int")
        == 50_010
    )
