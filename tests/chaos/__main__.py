"""`python -m tests.chaos`: one run, a soak of many, or the judgement of a kept history."""

import json
import sys
import tempfile
from pathlib import Path

import click

from tests.chaos import checker, history, plan, site, soak
from tests.chaos.run import run as run_plan

SCHEDULES = Path(__file__).parent / "schedules"


@click.group()
def main() -> None:
    """Break everything on a schedule, and judge by what provider, database and kill log say."""


@main.command()
@click.option("--seed", type=int, help="Carry out the schedule of this seed.")
@click.option(
    "--plan", "path", type=click.Path(exists=True, path_type=Path), help="Carry out a kept plan.json."
)
@click.option("--keep", type=click.Path(path_type=Path), help="Where the evidence of a violation goes.")
def run(seed: int | None, path: Path | None, keep: Path | None) -> None:
    """Carry out one schedule."""
    if (seed is None) == (path is None):
        raise click.UsageError("Give either --seed or --plan.")
    schedule = plan.load(path) if path is not None else plan.make(seed or 0)
    directory = (keep or Path(tempfile.mkdtemp(prefix="retoma-chaos-"))) / f"seed-{schedule.seed}"
    with site.opened() as where:
        result = run_plan(where, schedule, directory)
    click.echo(json.dumps(result.line, indent=1))
    if result.violations:
        click.echo(f"evidence: {directory}")
        sys.exit(1)


@main.command("soak")
@click.option("--runs", type=int, help="How many seeds.")
@click.option("--hours", type=float, help="For how long.")
@click.option("--minutes", type=float, help="For how long.")
@click.option("--first-seed", type=int, default=1, show_default=True)
@click.option(
    "--kept", is_flag=True, help="Begin with the kept schedules, each of which once broke something."
)
@click.option("--jobs", type=int, default=2, show_default=True, help="Runs at once.")
@click.option("--report", type=click.Path(path_type=Path), required=True, help="Gets one JSON line a run.")
def soak_(  # noqa: PLR0917 - click passes options by name
    runs: int | None,
    hours: float | None,
    minutes: float | None,
    first_seed: int,
    kept: bool,
    jobs: int,
    report: Path,
) -> None:
    """Carry out the schedules of many seeds; a failing one keeps its evidence beside the report."""
    seconds = (hours or 0) * 3600 + (minutes or 0) * 60
    if runs is None and not seconds:
        raise click.UsageError("Give --runs, --hours or --minutes.")
    schedules = sorted(SCHEDULES.glob("*.json")) if kept else []
    failed = soak.soak(schedules, runs, seconds or None, first_seed, jobs, report)
    click.echo(soak.summary(report))
    sys.exit(1 if failed else 0)


@main.command()
@click.argument("report", type=click.Path(exists=True, path_type=Path))
def summary(report: Path) -> None:
    """Add up a report."""
    click.echo(soak.summary(report))


@main.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
def check(path: Path) -> None:
    """Judge a kept history again (history.json)."""
    violations = checker.check(history.load(path))
    for violation in violations:
        click.echo(f"{violation.rule}: {violation.what}")
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
