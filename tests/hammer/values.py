"""Values for parameters of public functions: mostly what a caller would give, sometimes nonsense."""

import json
import random
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

CHANNELS = ("sales", "support", "news", "fast")
ZONES = ("America/Sao_Paulo", "Asia/Kolkata", "Pacific/Kiritimati", "America/Sao_Paolo", "")
HOSTILE_SHARE = 0.12
NULL_SHARE = 0.25  # of the hostile ones

_STRANGE_TEXTS = (
    "",
    " ",
    "x" * 100_000,
    "'; drop table retoma.setting; --",
    "\u202eabc\u0007\n",
    "%s %I {} {{ x",
    "😀" * 5000,
    "-infinity",
    "NaN",
    "24:00",
    "null",
    "\\",
)
STRANGE_PARTS: tuple[object, ...] = (
    None,
    [],
    {},
    "",
    "NaN",
    "9" * 20,
    -1,
    1.5,
    1e300,
    True,
    [None],
    {"": None},
)
"""What nobody should give, in any place of a JSON value."""

STRANGE_JSON: tuple[object, ...] = (
    *STRANGE_PARTS,
    "text",
    "infinity",
    "24:00",
    7,
    [[]],
    [None, 1, {"a": []}],
    {"ordinal": 1e300},
    [{"ordinal": -1, "status": "accepted"}],
    {"a": {"b": {"c": ["d"] * 50}}},
    [{}] * 400,
)

STRANGE: dict[str, tuple[object, ...]] = {
    "integer": (-(2**31), -1, 0, 1, 2, 1000, 32767, 32768, 2**31 - 1),
    "bigint": (-(2**63), -1, 0, 2**31, 2**63 - 1),
    "smallint": (-32768, -1, 0, 32767),
    "text": _STRANGE_TEXTS,
    "jsonb": tuple(json.dumps(value) for value in STRANGE_JSON),
    "bytea": (b"", b"\x00", b"x" * 32),
    "uuid": (uuid.UUID(int=0),),
    "interval": (
        "0",
        "-1 day",
        "1 us",
        "100000 years",
        "-100000 years",
        "1 month",
        "-1000 months 30001 days",
    ),
    "timestamp with time zone": (
        "infinity",
        "-infinity",
        "4713-01-01 BC",
        "294276-12-31",
        "1970-01-01",
        "2030-01-01",
    ),
    "time without time zone": ("00:00", "24:00", "04:00", "23:59:59.999999"),
}
"""By the names of their types; PostgreSQL adds infinity to intervals from version 17 on."""

_WORDS = ("sent", "failed", "timeout", "http_422", "transient", "word")


def places(value: object) -> Iterator[tuple[str | int, ...]]:
    """The path of each part of a JSON value, first that of the whole: ()."""
    yield ()
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from ((key, *rest) for rest in places(part))


def replaced(value: Any, place: tuple[str | int, ...], new: object) -> object:
    """A copy of a JSON value with another part in one place."""
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = replaced(value[place[0]], place[1:], new)
    return copy


class Values:
    """Draws values; remembers nothing but its dice.

    Args:
        dice: the source of chance.
        campaigns: how many campaigns have names so far; the names are k0, k1 and so on.
        runners: ids of runners that are registered.
        message_ids: ids of messages that were sent.
    """

    def __init__(
        self,
        dice: random.Random,
        campaigns: Callable[[], int],
        runners: list[uuid.UUID],
        message_ids: Callable[[], list[str]],
    ) -> None:
        self._dice = dice
        self._campaigns = campaigns
        self._message_ids = message_ids
        self._by_type: dict[str, Callable[[], object]] = {
            **dict.fromkeys(["integer", "bigint", "smallint"], lambda: dice.randrange(1, 8)),
            "text": lambda: dice.choice([*_WORDS, self.phone()]),
            "boolean": lambda: dice.choice([True, False]),
            "jsonb": lambda: json.dumps(dice.choice([{}, {"name": "Ana"}])),
            "uuid": lambda: dice.choice(runners),
            "interval": lambda: dice.choice(["1 day", "90 days", "1 hour"]),
            "timestamp with time zone": lambda: (
                datetime.now(UTC) + timedelta(seconds=dice.randrange(-100, 100))
            ),
            "time without time zone": lambda: f"{dice.randrange(24):02}:00",
        }
        self._by_name: dict[str, Callable[[], object]] = {
            "p_campaign": self.campaign,
            "p_channel": self.channel,
            "p_phone": self.phone,
            "p_transport": lambda: dice.choice(["null", "webhook", "waha", "carrier_pigeon"]),
            "p_settings": self._settings,
            "p_pacing": self._pacing,
            "p_recipients": self._recipients,
            "p_receipts": self._receipts,
            "p_results": self._lookups,
            "p_outcomes": self._outcomes,
            "p_time_zone": lambda: dice.choice(ZONES),
            "p_zone": lambda: dice.choice(ZONES),
            "p_scope": lambda: dice.choice(["campaign", "channel", "person"]),
            "p_subject": lambda: dice.choice([self.campaign(), self.channel()]),
            "p_per": lambda: dice.choice(
                ["day", "week", "month", "24 hours", "7 days", "1 minute", "fortnight"]
            ),
            "p_maximum": lambda: dice.choice([1, 50, 100_000]),
            "p_text": lambda: dice.choice(
                ["Oi", "Oi {{ name }}", "{{ name | upcase }}", "{{ name", "{% if %}"]
            ),
            "p_decision": lambda: dice.choice(["sent", "resend", "failed", "maybe"]),
            "p_batch_size": lambda: dice.choice([1, 2, 5, 300]),
            "p_max_attempts": lambda: dice.choice([1, 3, 20]),
            "p_runner_id": lambda: dice.choice(runners),
            "p_batch_id": lambda: dice.randrange(200),
            "p_lease_epoch": lambda: dice.randrange(6),
            "p_name": lambda: dice.choice([self.channel(), self.new_campaign()]),
        }

    def draw(self, name: str, type_name: str) -> object:
        """A value for a parameter, as a text that PostgreSQL casts to its type, or null."""
        dice = self._dice
        if dice.random() < HOSTILE_SHARE:
            if type_name == "jsonb" and name in self._by_name and dice.random() < 0.5:
                known = self._by_name[name]()
                place = dice.choice(list(places(known)))
                return json.dumps(replaced(known, place, dice.choice(STRANGE_PARTS)))
            return self._hostile(type_name)
        if name not in self._by_name:
            return self._plain(type_name)
        return self._fit(self._by_name[name](), type_name)

    def campaign(self) -> str:
        return f"k{self._dice.randrange(self._campaigns() + 1)}"

    def new_campaign(self) -> str:
        return f"k{self._campaigns()}"

    def channel(self) -> str:
        return self._dice.choice(CHANNELS)

    def phone(self) -> str:
        return f"+55119555{10000 + self._dice.randrange(300)}"

    def _fit(self, value: object, type_name: str) -> object:
        """A value of the right shape for a type: one name is also the only element of an array of names."""
        if type_name.endswith("[]") and not isinstance(value, list):
            return [value] if _is_of(value, type_name[:-2]) else self._plain(type_name)
        if type_name == "jsonb":
            return json.dumps(value)
        return value if _is_of(value, type_name) else self._plain(type_name)

    def _plain(self, type_name: str) -> object:
        if type_name.endswith("[]"):
            return [self._plain(type_name[:-2]) for _ in range(self._dice.randrange(4))]
        drawn = self._by_type.get(type_name)
        return drawn() if drawn else None

    def _hostile(self, type_name: str) -> object:
        dice = self._dice
        if dice.random() < NULL_SHARE:
            return None
        if type_name.endswith("[]"):
            one = type_name[:-2]
            length = dice.choice([0, 1, 3, 500])
            if dice.random() < 0.1:
                return [[self._plain(one), None] for _ in range(length)]
            return [self._hostile(one) if dice.random() < 0.5 else self._plain(one) for _ in range(length)]
        return dice.choice(STRANGE[type_name]) if type_name in STRANGE else self._plain(type_name)

    def _settings(self) -> object:
        return self._dice.choice(
            [
                {},
                {"url": "http://127.0.0.1:1/"},
                {"url": "http://127.0.0.1:1/", "idempotent": True},
                {"url": "http://127.0.0.1:1/", "lookup": True, "secret": "env:HAMMER"},
                {"url": None},
                {"unknown": 1},
                {"base_url": "http://127.0.0.1:1/", "session": "default", "api_key": "env:HAMMER"},
            ]
        )

    def _pacing(self) -> object:
        return self._dice.choice(
            [
                {},
                {"burst": 50},
                {"max_in_flight": 4, "max_leases": 2},
                {"gap_min_s": 0, "gap_max_s": 0},
                {"rate_per_s": 1000},
                {"rate_per_s": -1},
                {"gap_min_s": 9, "gap_max_s": 1},
                {"burst": 1e300},
            ]
        )

    def _recipients(self) -> object:
        people: list[dict[str, object]] = [
            {"phone": self.phone(), "variables": {"name": "Ana"}} for _ in range(self._dice.randrange(1, 30))
        ]
        if self._dice.random() < 0.2:
            people.append({"phone": self._dice.choice(["nobody", "", "+0", None]), "variables": {}})
        return people

    def _known_ids(self) -> list[str]:
        return [self._message_id() for _ in range(self._dice.randrange(1, 6))]

    def _message_id(self) -> str:
        known = self._message_ids()
        if known and self._dice.random() < 0.8:
            return self._dice.choice(known)
        return self._dice.choice([uuid.uuid4().hex, "", "x" * 5000, "0" * 32])

    def _receipts(self) -> object:
        statuses = ["server", "delivered", "read", "failed", "burnt"]
        return [
            {"message_id": message_id, "status": self._dice.choice(statuses), "code": "http_422"}
            for message_id in self._known_ids()
        ]

    def _lookups(self) -> object:
        return [
            {
                "message_id": message_id,
                "attempt": self._dice.randrange(3),
                "result": self._dice.choice(["found", "absent", "unknown"]),
            }
            for message_id in self._known_ids()
        ]

    def _outcomes(self) -> object:
        return [
            {"ordinal": self._dice.randrange(1, 30), "status": "accepted"}
            for _ in range(self._dice.randrange(3))
        ]


def _is_of(value: object, type_name: str) -> bool:
    match type_name:
        case "integer" | "bigint" | "smallint":
            return isinstance(value, int)
        case "text":
            return isinstance(value, str)
        case "uuid":
            return isinstance(value, uuid.UUID)
        case _:
            return True
