"""Asks providers about the accounts of channels: whether they work, and what they may send."""

import asyncio

import structlog
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from retoma.errors import RetomaError
from retoma.runner.asking import LONGEST_S, keep_asking
from retoma.runner.calls import Database
from retoma.transports import registry
from retoma.transports.base import Account, ReadsAccount, Settings

log = structlog.get_logger()


async def read_accounts(database: Database, stop: asyncio.Event) -> None:
    """Ask whenever an account is due, until the runner stops or this is cancelled.

    Args:
        database: not the pool for sending.
        stop: set when the runner stops.
    """

    async def ask(row: DictRow) -> None:
        account, fault = await _read(row["transport"], row["settings"])
        log.info("account_read", channel=row["channel"], connected=account and account.connected, fault=fault)
        said = None if account is None else Jsonb(account._asdict())
        await database.call(
            "select retoma.record_account(%s, %s, %s, %s)",
            (row["channel_id"], row["asked_at"], said, fault),
            waits_for_locks=False,
        )

    await keep_asking(database, "select * from retoma.accounts_to_read()", ask, stop, what="accounts")


async def _read(transport: str, settings: Settings) -> tuple[Account | None, str | None]:
    """The account, or why nothing is known of it."""
    try:
        made = registry.create(transport, settings)
    except RetomaError as error:
        return None, error.message
    try:
        if not isinstance(made, ReadsAccount):
            return None, f"The transport {transport} of this runner cannot ask about an account."
        async with asyncio.timeout(LONGEST_S):
            return await made.read_account(), None
    except RetomaError as error:
        return None, error.message
    except TimeoutError:
        return None, f"The provider said nothing within {LONGEST_S:.0f} seconds."
    finally:
        await made.aclose()
