"""`retoma drill`: crash everything on purpose, and see that nothing is lost or repeated."""

import json
import random
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from retoma.rehearsal.drill.run import Outcome
    from retoma.rehearsal.drill.verdict import Times

_BAR = 30


@click.command()
@click.option(
    "--seconds",
    default=40.0,
    show_default=True,
    type=click.FloatRange(1, 86_400),
    help="How long to crash things.",
)
@click.option(
    "--rounds", type=click.IntRange(1, 100_000), help="End after this many crashes, if time allows."
)
@click.option(
    "--seed", type=int, help="Decides which process crashes when.  [default: another one each time]"
)
@click.option(
    "--database-url",
    metavar="URL",
    help="An empty database to use, and fill. Its server is not restarted.  [default: on a scratch server]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.pass_context
def drill(
    context: click.Context,
    *,
    seconds: float,
    rounds: int | None,
    seed: int | None,
    database_url: str | None,
    as_json: bool,
) -> None:
    """Kill runners and the database while campaigns run, and judge the result.

    It sends to a sandbox from a scratch database, both in a temporary directory: it never touches your
    database or your providers, and ignores RETOMA_DATABASE_URL. Meanwhile it kills runners (SIGKILL),
    freezes them (SIGSTOP, so that they come back as zombies), and crashes and restarts the database. Then
    it compares the messages that the provider took with the books of the database, one by one.

    \b
    retoma drill
    retoma drill --rounds 3 --seed 7
    retoma drill --seconds 3600 --json

    Exit code: 0 when every promise was kept, otherwise 1.
    """
    from retoma.rehearsal.drill.run import run  # noqa: PLC0415 - `retoma --help` stays fast

    seed = random.randrange(1_000_000) if seed is None else seed
    directory = Path(tempfile.mkdtemp(prefix="retoma-drill-"))
    kept = False
    try:
        outcome = run(
            directory,
            seconds=seconds,
            rounds=rounds,
            seed=seed,
            database_url=database_url,
            tell=lambda line: click.echo(line, err=as_json),
        )
        kept = outcome.kept
        click.echo(json.dumps(_document(outcome)) if as_json else _report(outcome))
    except KeyboardInterrupt:
        kept = True
        click.echo("Stopped; nothing of the drill is left.", err=True)
        context.exit(1)
    finally:
        if kept or not (directory / "logs").exists():
            shutil.rmtree(directory)
        else:
            click.echo(f"Logs, ledger and database of the drill are kept in {directory}", err=True)
    context.exit(0 if kept else 1)


def _document(outcome: "Outcome") -> dict[str, object]:
    from retoma.rehearsal.drill.verdict import times  # noqa: PLC0415

    recoveries = [recovery for done in outcome.rounds for recovery in done.recoveries]
    return {
        "kept": outcome.kept,
        **asdict(outcome),
        "recovery": {crash: asdict(found) for crash, found in times(recoveries).items()},
    }


def _report(outcome: "Outcome") -> str:
    from retoma.rehearsal.drill.verdict import times  # noqa: PLC0415

    recoveries = [recovery for done in outcome.rounds for recovery in done.recoveries]
    lines = ["", "Time until a channel sent again"]
    for crash, found in times(recoveries).items():
        lines += _histogram(crash, found)
    lines += ["", "Messages"]
    lines += [f"  {name:<12}{count:>10,}" for name, count in asdict(outcome.figures).items()]
    lines += ["", "Promises"]
    lines += [
        f"  {'kept' if promise.kept else 'BROKEN':<8}{promise.name}: {promise.evidence}"
        for promise in outcome.promises
    ]
    verdict = "every promise was kept" if outcome.kept else "a promise was broken"
    return "\n".join([*lines, "", f"{len(outcome.rounds)} crashes: {verdict}."])


def _histogram(crash: str, found: "Times") -> list[str]:
    most = max(count for _, count in found.buckets)
    lines = [
        f"  {crash:<8} p50 {found.p50_s:.2f} s   p95 {found.p95_s:.2f} s   max {found.max_s:.2f} s"
        f"   ({found.channels} channels)"
    ]
    for limit, count in found.buckets:
        if count:
            label = "more" if limit is None else f"up to {limit:g} s"
            lines.append(f"  {label:>14}  {'#' * max(round(_BAR * count / most), 1):<{_BAR}} {count}")
    return lines
