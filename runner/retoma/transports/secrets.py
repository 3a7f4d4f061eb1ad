"""Secrets of channels that a runner or receiver brings itself, so that they stay out of the database.

Whoever may create a channel chooses its address and the names of its secrets. So this process decides what it
gives away, and to whom: only variables and files that are meant for it, and only to addresses that its own
environment names.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from yarl import URL

from retoma.errors import RetomaError
from retoma.transports.base import Settings

ADDRESSES_VARIABLE = "RETOMA_SECRETS_FOR"
"""Names the addresses that may get secrets, separated by blanks; only scheme, host and port count."""

DIRECTORY_VARIABLE = "RETOMA_SECRETS_DIRECTORY"
"""Names the directory of values like file:NAME."""

_VARIABLE = re.compile(r"env:(RETOMA_SECRET_[A-Z0-9_]{1,100})")
_FILE = re.compile(r"file:([A-Za-z0-9_][A-Za-z0-9_.-]{0,99})")
_LONGEST_FILE = 65_536
_AGAIN = "for every runner and receiver, then start them again."


def resolve(settings: Settings, environ: Mapping[str, str]) -> dict[str, object]:
    """Replace values like "env:RETOMA_SECRET_NAME" and "file:NAME" by the secrets that they name.

    Raises:
        RetomaError: a secret is not here, or is not for the address of this channel.
    """
    references = {
        key: value
        for key, value in settings.items()
        if isinstance(value, str) and value.startswith(("env:", "file:"))
    }
    for key in references:
        _check_addresses(key, settings, environ)
    return dict(settings) | {key: _secret(key, value, environ) for key, value in references.items()}


def _check_addresses(key: str, settings: Settings, environ: Mapping[str, str]) -> None:
    allowed = {_origin(address) for address in environ.get(ADDRESSES_VARIABLE, "").split()} - {None}
    for name, value in settings.items():
        text = value.strip() if isinstance(value, str) else ""
        if text.lower().startswith(("http:", "https:")) and _origin(text) not in allowed:
            raise RetomaError(
                f"The secret {key} is not given to this {name}: {ADDRESSES_VARIABLE} does not name it.",
                hint=f"If it may have the secret, add the address to {ADDRESSES_VARIABLE} {_AGAIN}",
            )


def _origin(address: str) -> tuple[str, str, int] | None:
    try:
        url = URL(address)
    except ValueError:
        return None
    return (url.scheme, url.raw_host.lower(), url.port) if url.raw_host and url.port else None


def _secret(key: str, value: str, environ: Mapping[str, str]) -> str:
    if match := _VARIABLE.fullmatch(value):
        secret = environ.get(match[1])
        where = f"the variable {match[1]}"
    elif match := _FILE.fullmatch(value):
        directory = environ.get(DIRECTORY_VARIABLE)
        secret = _read(Path(directory), match[1]) if directory else None
        where = f"the file {match[1]} in the directory {DIRECTORY_VARIABLE}"
    else:
        raise RetomaError(
            f"The channel setting {key} names nothing that is for secrets.",
            hint="Write it like env:RETOMA_SECRET_SALES or file:sales_api_key.",
        )
    if not secret:
        raise RetomaError(
            f"The channel setting {key} refers to {where}, which is not set, or empty.",
            hint=f"Set it {_AGAIN}",
        )
    return secret


def _read(directory: Path, name: str) -> str | None:
    """The text of a file without the end of its line; None when there is no such file in this directory."""
    path = (directory / name).resolve()
    try:
        # A link within the directory is followed: Kubernetes makes such links. None may lead out of it.
        if (
            not (path.is_relative_to(directory.resolve()) and path.is_file())
            or path.stat().st_size > _LONGEST_FILE
        ):
            return None
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return None
