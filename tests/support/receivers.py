"""A running `retoma receive`, and calls to it as providers sign them."""

import hashlib
import hmac
import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.support.command import environment
from tests.support.waiting import PATIENT_S

SECRET = "s3cret of the test"


class Receiver:
    """A running `retoma receive`."""

    def __init__(self, database: str, log: Path, *options: str) -> None:
        self.log = log
        with log.open("wb") as opened:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "retoma", "receive", "--port", "0", *options],
                env=environment(database_url=database),
                stdout=subprocess.PIPE,
                stderr=opened,
                text=True,
            )
        assert self.process.stdout is not None
        self.address = urlsplit(self.process.stdout.readline().split()[2]).netloc

    def connect(self) -> socket.socket:
        """A connection on which nothing has been said yet."""
        host, _, port = self.address.rpartition(":")
        return socket.create_connection((host, int(port)), timeout=PATIENT_S)

    def end(self) -> list[dict[str, Any]]:
        """Stops it; returns the lines of its log, each of which is JSON."""
        self.process.terminate()
        self.process.wait(timeout=60)
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def hook(self, channel: str, document: object, *, secret: str | None = SECRET) -> tuple[int, Any]:
        """POSTs a document of the generic transport."""
        body = _encoded(document)
        return self.post(channel, body, _signed("X-Retoma-Signature", "sha256", secret, body, "sha256="))

    def waha(self, channel: str, document: object, *, secret: str | None = SECRET) -> tuple[int, Any]:
        """POSTs an event as WAHA does."""
        body = _encoded(document)
        return self.post(channel, body, _signed("X-Webhook-Hmac", "sha512", secret, body))

    def meta(self, channel: str, document: object, *, secret: str | None = SECRET) -> tuple[int, Any]:
        """POSTs a call as the Cloud API does."""
        body = _encoded(document)
        return self.post(channel, body, _signed("X-Hub-Signature-256", "sha256", secret, body, "sha256="))

    def get(self, channel: str, query: Mapping[str, str]) -> tuple[int, str, str]:
        """GETs the address of a channel; returns the status, the type of the answer and its text."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request("GET", f"/hooks/{channel}?{urlencode(query)}")
            response = connection.getresponse()
            return response.status, response.headers.get_content_type(), response.read().decode()
        finally:
            connection.close()

    def post(self, channel: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request("POST", f"/hooks/{channel}", body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


def _encoded(document: object) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode()


def _signed(header: str, algorithm: str, secret: str | None, body: bytes, before: str = "") -> dict[str, str]:
    if secret is None:
        return {}
    return {header: before + hmac.new(secret.encode(), body, getattr(hashlib, algorithm)).hexdigest()}


def signed(header: str, secret: str, body: bytes) -> dict[str, str]:
    """The header of a call that is signed with SHA-256."""
    return _signed(header, "sha256", secret, body, "sha256=")
