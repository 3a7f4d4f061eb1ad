"""procrastinate: a job a message, deferred in one batch beforehand; finished jobs are deleted.

python -m tests.bench.peers.procrastinate_worker URL DATABASE_URL COUNT
"""

import sys

import procrastinate
import uvloop
from procrastinate.types import JSONValue

from retoma.transports.webhook import create
from tests.bench.clients import WINDOW, send, when_told


async def _main(url: str, database_url: str, count: int) -> None:
    connector = procrastinate.PsycopgConnector(
        conninfo=database_url, kwargs={"options": "-c search_path=procrastinate"}, max_size=20
    )
    app = procrastinate.App(connector=connector)
    transport = create({"url": url, "timeout_s": 30})

    @app.task(name="bench.send", queue="bench")
    async def send_one(number: int) -> None:
        await send(transport, number)

    async with app.open_async():
        await send_one.batch_defer_async(*(dict[str, JSONValue](number=number) for number in range(count)))
        await when_told(
            lambda: app.run_worker_async(
                queues=["bench"], concurrency=WINDOW, wait=False, delete_jobs="always",
                install_signal_handlers=False,
            )
        )  # fmt: skip
    await transport.aclose()


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
