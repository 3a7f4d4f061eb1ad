"""How much of a text is read, and what it may use up in the process beside the runner."""

LONGEST_TEXT = 65_536
"""Characters of one text, written and rendered; WhatsApp takes no more in one message."""

LONGEST_TAG = 2_000
"""Characters between the braces."""

MOST_TAGS = 500
"""Outputs, tags, and further lines of {% liquid %}."""

CPU_S = 1.0
"""To render one message. A usual text takes a ten thousandth of it."""

CHECK_CPU_S = 5.0
"""To read one text. The longest that passes the bounds of retoma.content.markup takes a tenth of it."""

MEMORY_BYTES = 512 * 1024 * 1024
"""Address space, of which Python takes a tenth. Where it is not enforced (macOS), CPU time bounds it too."""

LONGEST_RANGE = 10_000
"""Numbers in (1..n), as many as a loop may count."""

LONGEST_VALUE = 1_048_576
"""Characters or items that a filter may make: more than any message needs on its way."""
