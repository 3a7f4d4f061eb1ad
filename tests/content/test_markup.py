"""The bounds before the parser: what they refuse would keep it busy, and no message has it."""

import pytest
from liquid.exceptions import LiquidSyntaxError

from retoma.content.budget import LONGEST_TAG, MOST_TAGS
from retoma.content.markup import refuse_unbounded


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{ } { { } } % %",
        "{{ a }}" * MOST_TAGS,
        "{{ a" + " " * 59 + "}}",
        "{{ '" + "x" * (LONGEST_TAG - 4) + "' }}",
        "{% raw %}{{ {% }} {% endraw %}{{ a }}",
        "{%- raw -%}{{{%- endraw -%}",
        "{% raw %}" + "\n" * MOST_TAGS + "{% endraw %}",
        "{% doc %}{{ never }{% enddoc %}",
        "{%\n  liquid\n  assign a = b\n  echo a\n%}",
    ],
)
def test_what_is_bounded_is_left_to_the_parser(body: str) -> None:
    refuse_unbounded(body)


@pytest.mark.parametrize(
    ("body", "message", "place"),
    [
        ("Olá {{ name", "{{ is not closed by }}", 4),
        ("Olá {{ name }", "{{ is not closed by }}", 4),
        ("Olá {% if %", "{% is not closed by %}", 4),
        ("Olá }}", "}} closes nothing", 4),
        ("{{ a }} %}", "%} closes nothing", 8),
        ("%} {{ a }}", "%} closes nothing", 0),
        ("{{ a }}}}", "}} closes nothing", 7),
        ("{{ a }}" * MOST_TAGS + "{{ a }}", "it has more than 500 outputs and tags", 7 * MOST_TAGS),
        ("{% liquid" + "\na" * MOST_TAGS + " %}", "it has more than 500 outputs and tags", 0),
        ("{{ " + "x" * LONGEST_TAG + "}}", "{{ has more than 2,000 characters in it", 0),
        ("a{{ a" + " " * 60 + "}}", "60 or more blanks in a row in a tag", 1),
        ("{% raw %}{{ a }}", "{% raw %} is not closed by {% endraw %}", 0),
        ("{% doc %}{% endraw %}", "{% doc %} is not closed by {% enddoc %}", 0),
    ],
)
def test_what_is_not_is_refused_with_its_place(body: str, message: str, place: int) -> None:
    with pytest.raises(LiquidSyntaxError) as refused:
        refuse_unbounded(body)

    assert refused.value.message == message
    assert refused.value.token is not None
    assert refused.value.token.start_index == place
