"""An error that lacks something is found."""

import pytest

from tests.lint.raises import findings

COMPLETE = """\
do $$
begin
  perform 1; -- raise exception 'only a comment'
  raise notice 'hint = nothing';
  raise exception using errcode = 'RT002', constraint = 'batch_is_leased',
    message = format('batch %s is leased; wait', 1),
    hint = 'Wait until its lease ends';
end
$$;
"""


def test_a_complete_error_has_no_finding() -> None:
    assert list(findings(COMPLETE)) == []


@pytest.mark.parametrize(
    ("part", "instead", "missing"),
    [
        ("errcode = 'RT002', ", "", "errcode"),
        ("'RT002'", "'P0001'", "errcode"),
        ("constraint = 'batch_is_leased',", "", "constraint"),
        ("'batch_is_leased'", "'Batch'", "constraint"),
        ("message = ", "detail = ", "message"),
        ("hint = 'Wait until its lease ends'", "detail = 'hint = Wait'", "hint"),
        ("'Wait until its lease ends'", "''", "hint"),
    ],
)
def test_what_an_error_lacks_is_named(part: str, instead: str, missing: str) -> None:
    assert part in COMPLETE

    found = list(findings(COMPLETE.replace(part, instead)))

    assert [(line, rule, text) for line, rule, text in found] == [(5, "raise", f"without {missing}")]


def test_an_error_of_words_alone_lacks_all() -> None:
    (found,) = findings("do $$\nbegin\n  raise exception 'no';\nend\n$$;\n")

    assert found == (3, "raise", "without errcode, constraint, message, hint")
