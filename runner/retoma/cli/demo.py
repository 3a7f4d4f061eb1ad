"""`retoma demo`: see it work."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from retoma.monitor.display import Display

_TEXT = "Olá {{ name }}! Temos uma oferta em {{ city }}."
# For a list with unknown columns: it requires no variable.
_TEXT_FOR_ANY_LIST = "Olá {{ name | default: 'você' }}!"

_STYLES = {"PASS": "bold green", "FAIL": "bold red"}


@click.command("demo")
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your contact list.  [default: one is made]",
)
@click.option("--text", help="Your text, in Liquid, as in 'Hi {{ name }}'.")
@click.option("--region", default="BR", show_default=True, help="Country of numbers without +.")
@click.option(
    "--recipients",
    default=16_000,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help="Length of the list that is made.",
)
@click.option(
    "--rate",
    default=250.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Messages per second, on each of two channels.",
)
@click.option("--no-kill", is_flag=True, help="Kill no runner halfway.")
@click.option("--keep", is_flag=True, help="Keep sandbox and runners up at the end, until Ctrl-C.")
@click.pass_context
def demo(
    context: click.Context,
    *,
    csv_file: Path | None,
    text: str | None,
    region: str,
    recipients: int,
    rate: float,
    no_kill: bool,
    keep: bool,
) -> None:
    """Run whole campaigns against a local sandbox, and kill a runner halfway.

    It imports a contact list, sends it over two channels with two runners, and then compares the books of the
    database with those of the sandbox, message by message. The first 2 % of the list, 300 at most, also get
    an image, and a template through the WhatsApp Cloud API. Nothing leaves this machine.

    \b
    retoma demo
    retoma demo --csv contacts.csv --text 'Hi {{ name }}' --region US
    retoma demo --recipients 2000 --rate 100

    Exit code: 0 when nothing was lost or duplicated, otherwise 1.
    """
    from retoma.rehearsal.demo.story import Options, run  # noqa: PLC0415

    options = Options(
        csv=csv_file,
        text=text or (_TEXT if csv_file is None else _TEXT_FOR_ANY_LIST),
        region=region.upper(),
        recipients=recipients,
        rate=rate,
        kill=not no_kill,
        keep=keep,
    )
    try:
        clean = run(options, _tell, _display)
    except KeyboardInterrupt:
        click.echo("Stopped; sandbox and runners are stopped too, and the campaign is cancelled.", err=True)
        context.exit(1)
    context.exit(0 if clean else 1)


def _tell(label: str, line: str) -> None:
    style = _STYLES.get(label)
    text = f"{label:<10}{line}".rstrip()
    # click.echo leaves out the style where there is no terminal.
    click.echo(
        click.style(text, fg="green" if style == "bold green" else "red", bold=True) if style else text
    )


def _display() -> "Display":
    from rich.console import Console  # noqa: PLC0415

    from retoma.monitor.display import Lines, Picture  # noqa: PLC0415

    return Picture(Console(highlight=False)) if sys.stdout.isatty() else Lines(click.echo, interval_s=2.0)
