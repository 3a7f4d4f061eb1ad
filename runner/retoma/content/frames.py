"""Frames between the runner and its rendering process: JSON, each after its length in 4 bytes."""

import json
import struct

_LENGTH = struct.Struct(">I")

HEADER_SIZE = _LENGTH.size

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


def packed(value: object) -> bytes:
    """A frame."""
    body = _encode(value).encode()
    return _LENGTH.pack(len(body)) + body


def length_in(header: bytes) -> int:
    """How many bytes follow a header."""
    return int(_LENGTH.unpack(header)[0])


def unpacked(body: bytes) -> object:
    """The value in a frame."""
    value: object = json.loads(body)
    return value
