"""Each rule of the layout of SQL, on an example that breaks it."""

import pytest

from tests.lint.bodies import findings

GOOD = """\
-- A comment.
create or replace function retoma.example(p_id int, out found text) returns text
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_row record;
  v_names text[] := array['a', 'b'];
begin
  if p_id is null
    or p_id < 0
  then
    raise exception using errcode = 'RT003',
      message = format('no %s', p_id), hint = 'Begin with A;
 not in column 1';
  elsif p_id = 1 then
    return;
  else
    perform 1;
  end if;
  for v_row in
    select
      case when b.id > 0 then 'x' else 'y' end as sign,
      case
        when b.id = 1 then array(
          select c.id
          from c
        )
        else null
      end as list
    from retoma_internal.batch as b
    for update
  loop
    continue when v_row.sign is null;
    execute 'create table "T" (' || (case when v_row.sign = 'x' then 'a' end) || ')';
  end loop;
  while found is null loop
    begin
      found := v_names[1];
    exception
      when no_data_found then null; -- a later call finds it
      when unique_violation then
        found := 'x';
    end;
  end loop;
  loop
    exit when true;
  end loop;
  case p_id
    when 1 then
      return;
    else
      return;
  end case;
end;
$$;

create or replace function retoma.other(p_id int) returns int
language sql immutable
begin atomic
  select case p_id
    when 1 then 2
    else 3
  end;
end;

do $outer$
begin
  execute $inner$
SELECT 1
   from "X"
  $inner$;
end
$outer$;
"""


def rules(sql: str) -> list[tuple[int, str]]:
    return [(line, rule) for line, rule, _ in findings(sql)]


def test_good_layout_has_no_finding() -> None:
    assert findings(GOOD) == []


@pytest.mark.parametrize(
    ("sql", "line", "rule"),
    [
        (f"-- {'x' * 118}\n", 1, "length"),
        (f"do $$\nbegin\n  perform '{'x' * 120}';\nend\n$$;\n", 3, "length"),
        ("select\n\t1;\n", 2, "tab"),
        ("select 1; \n", 1, "trailing"),
        ("-- A comment \nselect 1;\n", 1, "trailing"),
        ("select\n   1;\n", 2, "indent"),
        ("select\n    1;\n", 2, "indent"),
        ("do $$\nbegin\n    -- too deep\n  perform 1;\nend\n$$;\n", 3, "indent"),
        ("do $$\nbegin\n  PERFORM 1;\nend\n$$;\n", 3, "capitals"),
        ("do $$\nbegin\n  perform retoma.ring(Array[1]);\nend\n$$;\n", 3, "capitals"),
        ("do $$\nbegin\n  perform 1; perform 2;\nend\n$$;\n", 3, "statement"),
        ("do $$\nbegin\n  if true then return;\n  end if;\nend\n$$;\n", 3, "statement"),
        ("do $$\nbegin\n  if true then\n    return; end if;\nend\n$$;\n", 4, "statement"),
        ("do $$ begin\n  perform 1;\nend\n$$;\n", 1, "statement"),
    ],
)
def test_a_broken_rule_is_found_in_its_line(sql: str, line: int, rule: str) -> None:
    assert (line, rule) in rules(sql)


@pytest.mark.parametrize(
    "line",
    [
        "  v_row record;",
        "  then",
        "    raise exception using errcode = 'RT003',",
        "  elsif p_id = 1 then",
        "  else",
        "  end if;",
        "  for v_row in",
        "        when b.id = 1 then array(",
        "        )",
        "        else null",
        "      end as list",
        "  loop",
        "    continue when v_row.sign is null;",
        "  end loop;",
        "    begin",
        "    exception",
        "      when unique_violation then",
        "        found := 'x';",
        "    end;",
        "    when 1 then",
        "      return;",
        "  end case;",
        "  select case p_id",
        "  end;",
    ],
)
@pytest.mark.parametrize("shift", [-2, 2])
def test_a_line_that_stands_two_blanks_off_is_found(line: str, shift: int) -> None:
    moved = " " * (len(line) - len(line.lstrip()) + shift) + line.lstrip()
    at = GOOD.split("\n").index(line) + 1
    broken = GOOD.replace(f"\n{line}\n", f"\n{moved}\n", 1)
    assert broken != GOOD

    assert at in {number for number, rule in rules(broken) if rule in ("layout", "indent")}


@pytest.mark.parametrize("sql", ["end;\n)];\nselect 1);\n", "select (\n", "do $$\nbegin\n"])
def test_what_is_not_closed_or_opened_does_not_stop_it(sql: str) -> None:
    findings(sql)
