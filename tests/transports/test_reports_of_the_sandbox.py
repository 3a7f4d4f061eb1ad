"""What the sandbox reports is what the transports of the same dialect understand."""

import json
import time

import pytest

from retoma.rehearsal.sandbox import evolution
from retoma.rehearsal.sandbox.ledger import Delivery
from retoma.transports.base import Receipt
from tests.support import transports

MESSAGE_ID = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("dialect", [evolution.API, evolution.GO])
@pytest.mark.parametrize("takes_id", [True, False])
@pytest.mark.parametrize("status", ["server", "delivered", "read"])
def test_a_report_is_a_receipt_of_the_message(dialect: str, takes_id: bool, status: str) -> None:
    delivery = Delivery(time.time(), dialect, "loja", MESSAGE_ID, "+5511955500001", "0" * 64, True, takes_id)
    settings = {"instance": "loja"} if dialect == evolution.API else {"api_key": "loja"}
    transport = transports.create(dialect, {"base_url": "http://127.0.0.1:9", **settings})

    facts = transport.parse_webhook({}, json.dumps(evolution.report(delivery, status)).encode())

    if not takes_id and status == "server":
        assert facts == []  # anybody may have sent it
    else:
        (receipt,) = facts
        assert isinstance(receipt, Receipt)
        assert receipt.message_id == (MESSAGE_ID if takes_id else None)
        assert (receipt.provider_id, receipt.status) == (evolution.given_id(delivery), status)
