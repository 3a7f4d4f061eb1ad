"""What may be called: read from the catalogue, so that a new function is hammered without a word here."""

import random
from dataclasses import dataclass

import psycopg

from tests.hammer.values import Values

_FUNCTIONS = """
select
  p.proname,
  p.pronargdefaults,
  array(
    select a.name
    from unnest(p.proargnames, coalesce(p.proargmodes, array_fill('i'::"char", array[p.pronargs::int])))
      with ordinality as a (name, mode, position)
    where a.mode in ('i', 'b', 'v')
    order by a.position
  ) as names,
  array(
    select format_type(t.id, null) from unnest(p.proargtypes) with ordinality as t (id, position)
    order by t.position
  ) as types
from pg_proc as p
where p.pronamespace = 'retoma'::regnamespace and p.prokind = 'f' and p.prorettype <> 'trigger'::regtype
  and has_function_privilege(%s, p.oid, 'execute')
order by p.proname, p.oid
"""


@dataclass(frozen=True)
class Function:
    """A public function of the database.

    Args:
        name: without its schema.
        parameters: names and types of its input parameters.
        required: how many of them have no default.
    """

    name: str
    parameters: tuple[tuple[str, str], ...]
    required: int

    def call(self, values: Values, dice: random.Random) -> tuple[str, list[object]]:
        """A statement that calls it in named notation, and its parameters."""
        given = [
            (name, type_name)
            for position, (name, type_name) in enumerate(self.parameters)
            if position < self.required or dice.random() < 0.5
        ]
        notation = ", ".join(f"{name} => %s::{type_name}" for name, type_name in given)
        arguments = [self._value(values, name, type_name) for name, type_name in given]
        return f"select * from retoma.{self.name}({notation})", arguments

    def _value(self, values: Values, name: str, type_name: str) -> object:
        if self.name == "create_campaign" and name == "p_name":
            return values.new_campaign()
        return values.draw(name, type_name)


def functions(db: psycopg.Connection, role: str) -> list[Function]:
    """All public functions that a role may call."""
    rows = db.execute(_FUNCTIONS, (role,)).fetchall()
    return [
        Function(name, tuple(zip(names, types, strict=True)), len(names) - defaults)
        for name, defaults, names, types in rows
    ]
