"""The documents cannot rot: their examples are run as typed, and their links lead somewhere."""

import itertools
import os
import re
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.support import sessions
from tests.support.clusters import Server
from tests.support.command import environment
from tests.support.sessions import agrees, session, steps
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]

READMES = ["README.md", "README.pt-BR.md"]
GUIDES = ["docs/guide/operator.md", "docs/guide/operator.pt-BR.md"]
CONTENTS = ["docs/guide/content.md", "docs/guide/content.pt-BR.md"]

GATEWAYS = [[f"docs/guide/{name}.md", f"docs/guide/{name}.pt-BR.md"] for name in ("waha", "evolution")]

PAGES = sorted(
    str(page.relative_to(ROOT))
    for pattern in ("*.md", "docs/**/*.md", "migrations/*.md")
    for page in ROOT.glob(pattern)
)

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_CHAPTER = re.compile(r"^## ", re.MULTILINE)


@pytest.mark.parametrize("name", [*READMES, *GUIDES, "docs/runbook/upkeep.md", "docs/runbook/recipes.md"])
def test_what_a_document_shows_is_what_happens_on_an_empty_database(
    name: str, server: Server, empty_database: str, tmp_path: Path
) -> None:
    follow(name, server, empty_database, tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        *CONTENTS,
        *itertools.chain(*GATEWAYS),
        "docs/guide/transports.md",
        "docs/runbook/incidents.md",
    ],
)
def test_what_a_document_shows_is_what_happens_where_retoma_is_installed(
    name: str, server: Server, database: str, tmp_path: Path
) -> None:
    follow(name, server, database, tmp_path)


@pytest.mark.parametrize("name", PAGES)
def test_links_of_a_page_lead_somewhere(name: str) -> None:
    page = ROOT / name
    broken = []
    for link in _LINK.findall(_FENCED.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        target = page if not path else (page.parent / path).resolve()
        if "://" not in link and (not target.exists() or (anchor and anchor not in _anchors(target))):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("pair", [READMES, GUIDES, CONTENTS, *GATEWAYS])
def test_both_languages_have_the_same_chapters(pair: list[str]) -> None:
    english, portuguese = (_CHAPTER.findall(_FENCED.sub("", (ROOT / name).read_text())) for name in pair)

    assert len(english) == len(portuguese)


@pytest.mark.parametrize("name", READMES)
def test_a_readme_names_every_transport(name: str, db: psycopg.Connection) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    transports = db.execute("select name from retoma.transport where name <> 'null'").fetchall()

    assert [transport for (transport,) in transports if f"`{transport}`" not in text] == []


def test_a_wildcard_stands_for_anything_and_the_rest_is_exact() -> None:
    assert agrees("a | …\n(… rows)", "a    |  17\n(2 rows)\n")
    assert not agrees("a | 16", "a | 17")
    assert not agrees("a", "a\nERROR:  b")


def test_a_command_that_hangs_is_gone_with_its_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(_: object, __: float) -> None:
        wait_until(lambda: all((tmp_path / name).exists() for name in ("background", "hanging")))
        raise AssertionError("the deadline of a step")

    monkeypatch.setattr(sessions, "wait_until", give_up)
    command = (
        "sleep 1000 & echo $! > part; mv part background;"
        " sh -c 'echo $$ > part; mv part hanging; exec sleep 1000'"
    )
    (step,) = steps(f"```console\n$ {command}\n```\n")

    with (
        pytest.raises(AssertionError, match="deadline of a step"),
        session(tmp_path, dict(os.environ)) as reader,
    ):
        reader.follow(step)

    for name in ("background", "hanging"):
        pid = int((tmp_path / name).read_text())
        wait_until(lambda pid=pid: not running(pid))  # type: ignore[misc]


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def follow(name: str, server: Server, database_url: str, directory: Path) -> None:
    """Do what a document shows, as a reader does whose checkout is `directory`."""
    (directory / "sql").symlink_to(ROOT / "sql")
    programs = [Path(sys.executable).parent, Path(server.program("psql")).parent]
    variables = environment(database_url=database_url)
    variables["PATH"] = ":".join([*map(str, programs), variables["PATH"]])

    with session(directory, variables) as reader:
        for step in steps((ROOT / name).read_text(encoding="utf-8")):
            reader.follow(step)
            if "start_campaign" in step.command:
                slow_clock(database_url)


def slow_clock(database_url: str) -> None:
    """A hundredth of its speed. A channel with gaps would have sent more before a busy machine looks."""
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute(
            """
            do $$ begin execute format(
              'create or replace function retoma.clock() returns timestamptz
              language sql volatile parallel safe begin atomic
                select %1$L::timestamptz + (clock_timestamp() - %1$L::timestamptz) / 100 + s.clock_shift
                from retoma.setting as s;
              end', retoma.clock()
            ); end $$
            """
        )


def _anchors(page: Path) -> set[str]:
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in _HEADING.findall(text)}
