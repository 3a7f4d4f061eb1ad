"""Lists of opt-outs and opt-ins: a bad number is named, and keeps no other one from being recorded."""

from tests.support.campaigns import Db, call, phone, refused

BAD = ["12", "", "+0", None, "+55 11 95551-0001"]


def test_bad_numbers_of_a_list_are_named_and_the_others_opt_out(db: Db) -> None:
    phones = [phone(n) for n in range(1, 300)]
    given = [*phones[:100], *BAD, *phones[100:]]

    refused = db.execute(
        "select place, phone from retoma.opt_out_list(%s, 'list of May')", (given,)
    ).fetchall()

    assert refused == list(zip(range(101, 106), BAD, strict=True))
    assert call(db, "select count(*) from retoma.v_suppression where source = 'list of May'") == 299


def test_a_list_opts_in(db: Db) -> None:
    phones = [phone(1), phone(2), phone(3)]
    db.execute("select retoma.opt_out_list(%s)", (phones,))

    named = db.execute("select place, phone from retoma.opt_in_list(%s, 'forms')", ([*phones[:2], "x"],))

    assert named.fetchall() == [(3, "x")]
    assert call(db, "select array_agg(phone) from retoma.v_suppression") == [phone(3)]


def test_a_number_twice_and_in_two_forms_is_one(db: Db) -> None:
    db.execute("select retoma.opt_out_list(array['+5511995551000', '+551195551000', '+5511995551000'])")

    assert call(db, "select count(*) from retoma.v_suppression") == 1


def test_what_holds_for_the_whole_list_is_refused(db: Db) -> None:
    for statement, words in [
        ("select retoma.opt_out_list('{}', 'x', 'because')", "is not a reason"),
        ("select retoma.opt_in_list('{}', '')", "needs its source"),
        ("select retoma.opt_in_list(array['+15550100'], 'form', 'infinity')", "is not a time"),
    ]:
        with refused(db, "RT003", words):
            db.execute(statement)
