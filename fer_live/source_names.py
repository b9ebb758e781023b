"""What sources are called: told apart by their names alone, without anything that opens them."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from fer_live.errors import SourceError

DEMO = "demo"


def names_camera(text: str) -> bool:
    """True if a live source can only be a camera: neither the demo, nor a stream, nor an existing file."""
    return text != DEMO and not is_url(text) and not os.path.exists(text)


def printable(name: str) -> str:
    """A file's name as text that can be written anywhere: bytes of it that are not UTF-8 become U+FFFD."""
    return os.fsencode(name).decode(errors="replace")


def is_url(text: str) -> bool:
    """True for addresses of network streams, such as rtsp:// or http://."""
    return "://" in text


def public_address(url: str) -> str:
    """A stream's address without user, password and query: what may stand in files, logs and windows.

    Raises SourceError, which does not repeat the address, if it is not one.
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise SourceError(
            "The stream's address is not valid.",
            "Write it as rtsp://user:password@host:port/path, and :, / and @ in a password as %3A, %2F and %40.",
        ) from None
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path}"
