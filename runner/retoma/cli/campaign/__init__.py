"""`retoma campaign`: create, start, pause and list campaigns.

A module for each thing that an operator does: make a draft, send it, look at it, settle what did not arrive.
"""

import click

from retoma.cli.campaign import draft, look, outcomes, sending


@click.group("campaign")
def campaign() -> None:
    """Create, start, pause and list campaigns.

    \b
    retoma campaign create spring --channel sales --text 'Olá {{ name }}'
    retoma import contacts.csv --campaign spring --region BR
    retoma campaign start spring
    retoma watch spring
    """


for command in (
    *(draft.create, draft.window_command),
    *(sending.start, sending.pause, sending.resume, sending.cancel),
    *(look.list_command, look.show, look.forecast),
    *(outcomes.retry_failed, outcomes.resolve),
):
    campaign.add_command(command)
