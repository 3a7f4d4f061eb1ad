"""`python -m tests.bench NAME… [--quick]`: run benches by name, or all of them."""

import importlib

import click

from tests.bench.report import publish

NAMES = (
    "engine", "one_message", "wire", "peers", "paced", "importing", "scale", "held", "storage", "cold_start",
    "knee", "receive",
)  # fmt: skip
"""Modules of this package with a function bench(quick) that returns a Report."""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option(
    "--quick", is_flag=True, help="Small sizes and few rounds: shows that it works, not how fast it is."
)
def main(names: tuple[str, ...], quick: bool) -> None:
    """Measure, print a table and append the figures to .retoma/bench/NAME.json. Without names: everything."""
    for name in names or NAMES:
        publish(importlib.import_module(f"tests.bench.{name}").bench(quick=quick))


if __name__ == "__main__":
    main()
