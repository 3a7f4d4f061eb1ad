"""Pairing a phone with a session of WAHA or with an instance of Evolution API or Evolution GO.

A session or instance has to exist: how it is made differs, and the guides say it.
"""

from collections.abc import Mapping

from yarl import URL

from retoma.errors import RetomaError
from retoma.transports.base import Pairing
from retoma.transports.http.client import Answer, HttpClient, encode
from retoma.transports.whatsapp_web import digits, phone_of


class WahaPairing:
    """Pairing of one session of WAHA.

    Args:
        http: to the server, with its key.
        base: address of the server.
        session: its name.
        phone: see Pairs.
    """

    def __init__(self, http: HttpClient, base: URL, session: str, phone: str | None) -> None:
        self._http = http
        self._api = base / "api"
        self._session = session
        self._phone = phone
        self._code: str | None = None

    async def look(self) -> Pairing:
        here = self._api / "sessions" / self._session
        answer = await self._http.get_json(here.raw_path_qs)
        _insist(answer, f"the session {self._session}", "WAHA")
        status = _text(answer.field("status"))
        match status:
            case "WORKING":
                me = answer.field("me")
                return Pairing(True, phone_of(me.get("id")) if isinstance(me, dict) else None, state=status)
            case "STOPPED" | "FAILED":
                self._code = None
                step = "start" if status == "STOPPED" else "restart"
                await self._http.post_json((here / step).raw_path_qs, b"{}", {})
                return Pairing(False, state=status)
            case "SCAN_QR_CODE":
                return Pairing(False, qr=await self._qr(), code=await self._pairing_code(), state=status)
            case _:
                return Pairing(False, state=status)

    async def _qr(self) -> str | None:
        url = (self._api / self._session / "auth" / "qr").with_query(format="raw")
        return _text((await self._http.get_json(url.raw_path_qs)).field("value")) or None

    async def _pairing_code(self) -> str | None:
        # A new code makes the old one worthless: it is asked for once.
        if self._phone is not None and self._code is None:
            target = (self._api / self._session / "auth" / "request-code").raw_path_qs
            request = encode({"phoneNumber": digits(self._phone)})
            answer = await self._http.post_json(target, request, {})
            self._code = _text(answer.field("code")) or None
        return self._code


class EvolutionPairing:
    """Pairing of one instance of Evolution API.

    Args:
        http: to the server, with its key.
        base: address of the server.
        instance: its name.
        phone: see Pairs.
    """

    def __init__(self, http: HttpClient, base: URL, instance: str, phone: str | None) -> None:
        self._http = http
        self._base = base / "instance"
        self._instance = instance
        self._phone = phone

    async def look(self) -> Pairing:
        what = f"the instance {self._instance}"
        answer = await self._http.get_json((self._base / "connectionState" / self._instance).raw_path_qs)
        _insist(answer, what, "Evolution API")
        state = _text(_object(answer.field("instance")).get("state"))
        if state == "open":
            return Pairing(True, await self._own_number(), state=state)
        url = self._base / "connect" / self._instance
        # The server takes the number only when it begins to connect.
        asked = url.with_query(number=digits(self._phone)) if self._phone else url
        answer = await self._http.get_json(asked.raw_path_qs)
        _insist(answer, what, "Evolution API")
        code = _text(answer.field("pairingCode")) or None
        return Pairing(False, qr=_text(answer.field("code")) or None, code=code, state=state)

    async def _own_number(self) -> str | None:
        url = (self._base / "fetchInstances").with_query(instanceName=self._instance)
        found = (await self._http.get_json(url.raw_path_qs)).body
        first = _object(found[0]) if isinstance(found, list) and found else {}
        return phone_of(first.get("ownerJid"))


class EvolutionGoPairing:
    """Pairing of one instance of Evolution GO.

    Args:
        http: to the server, with the token of the instance.
        base: address of the server.
        phone: see Pairs.
    """

    def __init__(self, http: HttpClient, base: URL, phone: str | None) -> None:
        self._http = http
        self._base = base / "instance"
        self._phone = phone
        self._code: str | None = None

    async def look(self) -> Pairing:
        answer = await self._http.get_json((self._base / "status").raw_path_qs)
        # 400: the instance is not started yet. Asking for the QR code starts it.
        if answer.status != 400:
            _insist(answer, "the instance of this token", "Evolution GO")
        status = _object(answer.field("data"))
        if status.get("LoggedIn") is True:
            return Pairing(True, state="logged in")
        # Never asked of an instance that is logged in: the server would start another one.
        answer = await self._http.get_json((self._base / "qr").raw_path_qs)
        qr = _text(_object(answer.field("data")).get("Code")) or None
        return Pairing(False, qr=qr, code=await self._pairing_code() if qr else None, state="not logged in")

    async def _pairing_code(self) -> str | None:
        if self._phone is not None and self._code is None:
            request = encode({"phone": digits(self._phone)})
            answer = await self._http.post_json((self._base / "pair").raw_path_qs, request, {})
            self._code = _text(_object(answer.field("data")).get("PairingCode")) or None
        return self._code


def _insist(answer: Answer, what: str, server: str) -> None:
    if answer.ok:
        return
    if answer.status in (401, 403):
        raise RetomaError(
            f"{server} does not take the key of this channel.",
            hint="Correct api_key: retoma channel configure NAME --set api_key=env:RETOMA_SECRET_…",
        )
    if answer.status == 404:
        raise RetomaError(f"{server} does not have {what}.", hint="Make it first: see docs/guide.")
    raise RetomaError(
        f"{server} did not answer as expected: {answer.code}.",
        hint="Is it running, and is base_url of this channel its address?",
    )


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    # It is shown on a terminal: nothing in it may move the cursor.
    return value if isinstance(value, str) and value.isprintable() else ""
