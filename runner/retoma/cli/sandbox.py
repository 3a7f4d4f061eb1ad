"""`retoma sandbox`: a stand-in for the providers, for demos, tests and drills."""

import json
from pathlib import Path

import click

from retoma.errors import RetomaError


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; has no access control."
)
@click.option(
    "--port",
    default=0,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--ledger",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the durable record; a restart continues the record in it.",
)
@click.option(
    "--faults", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSON file of faults."
)
@click.option(
    "--receipts-to", metavar="URL", help="Where receipts are posted; {channel} stands for the channel."
)
@click.option("--receipts-key", metavar="KEY", help="Signs the receipts.")
@click.option("--receipts-of", metavar="CHANNEL", help="Only this channel has receipts.")
@click.option(
    "--templates",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file of the templates of the Cloud API, as Meta lists them.  [default: any is taken]",
)
@click.option("--api-key", metavar="KEY", help="Key that WAHA requests must carry in X-Api-Key.")
@click.option("--idempotent", is_flag=True, help="Every webhook channel suppresses repeated ids.")
@click.option(
    "--ignores-ids",
    metavar="SESSION",
    multiple=True,
    help="A session of WAHA, or instance of Evolution, that ignores our ids; may be given several times.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
def sandbox(  # noqa: PLR0917 - click passes options by name
    host: str,
    port: int,
    ledger: Path,
    faults: Path | None,
    receipts_to: str | None,
    receipts_key: str | None,
    receipts_of: str | None,
    templates: Path | None,
    api_key: str | None,
    idempotent: bool,
    ignores_ids: tuple[str, ...],
    seed: int,
) -> None:
    """Run a real HTTP server that speaks the providers' dialects.

    It prints one line of JSON with its url when it is ready, and runs until Ctrl-C.
    """
    # Imported here, so that `retoma --help` stays fast.
    import uvloop  # noqa: PLC0415

    from retoma.rehearsal.sandbox.serve import serve  # noqa: PLC0415

    uvloop.run(
        serve(
            host=host,
            port=port,
            ledger=ledger,
            faults=None if faults is None else _json_file(faults),
            receipts=None
            if receipts_to is None
            else {"url": receipts_to, "key": receipts_key, "channel": receipts_of},
            templates=None if templates is None else _json_file(templates),
            idempotent=idempotent,
            ignores_ids=ignores_ids,
            api_key=api_key,
            seed=seed,
            announce=click.echo,
        )
    )


def _json_file(path: Path) -> object:
    try:
        document: object = json.loads(path.read_text())
    except ValueError as error:
        raise RetomaError(
            f"{path} is not JSON: {error}.",
            hint="See pydoc retoma.rehearsal.sandbox.faults, or the same of templates.",
        ) from error
    return document
