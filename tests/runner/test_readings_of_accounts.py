"""A runner asks providers about accounts, and what they say is what holds."""

import asyncio
import json
import urllib.request

from retoma.runner.readings import ACCOUNT
from tests.support.campaigns import Db, make_channel
from tests.support.readings import reading_part
from tests.support.sandbox_process import SandboxProcess
from tests.support.waiting import wait_until

SHOWN = (
    "select channel, connected, quality, people_per_day, rate_per_s, fault from retoma.v_account"
    " order by channel"
)


def put(url: str, document: object) -> None:
    request = urllib.request.Request(url, json.dumps(document).encode(), method="PUT")  # noqa: S310 - loopback
    urllib.request.urlopen(request).close()  # noqa: S310


async def test_what_the_providers_say_is_recorded_for_each_channel(
    db: Db, database: str, sandbox: SandboxProcess
) -> None:
    number = {
        "status": "FLAGGED",
        "quality_rating": "RED",
        "whatsapp_business_manager_messaging_limit": "TIER_250",
    }
    await asyncio.to_thread(put, f"{sandbox.url}/_sandbox/numbers/104", number)
    cloud = {"base_url": f"{sandbox.url}/cloud", "phone_number_id": "104", "access_token": "t"}
    make_channel(db, "cloud", "whatsapp_cloud", cloud)
    make_channel(db, "nobody", "waha", {"base_url": "http://127.0.0.1:1", "session": "s"})
    make_channel(db, "waha", "waha", {"base_url": f"{sandbox.url}/waha", "session": "s"})

    async with reading_part(database, ACCOUNT):
        await asyncio.to_thread(
            wait_until,
            lambda: db.execute(f"select count(*) from ({SHOWN}) as a where fault is null").fetchone() == (2,),
        )

    (cloud_row, nobody, waha) = db.execute(SHOWN).fetchall()
    assert cloud_row == ("cloud", False, "RED", 250, 80, None)
    assert nobody[1] is None
    assert "connect_failed" in nobody[5]
    assert waha == ("waha", True, None, None, None, None)
    assert db.execute("select channel, state, reason from retoma.v_channel order by channel").fetchall() == [
        ("cloud", "disconnected", "the provider says: FLAGGED"),
        ("nobody", "connected", None),
        ("waha", "connected", None),
    ]
