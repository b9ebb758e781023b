"""What all live outlets share: a thread of their own behind a queue, their state, and markers that come in."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fer_live.core.structs import Marker, MarkerOrigin, Result
from fer_live.errors import FerError, OutletError
from fer_live.outlets.outbox import Outbox

log = logging.getLogger(__name__)

_LONGEST_NAME = 200

OnMarker = Callable[[str, MarkerOrigin], object]


@dataclass(frozen=True)
class Analysed:
    """A result with the labels of its probabilities, in order."""

    result: Result
    labels: tuple[str, ...]


@dataclass(frozen=True)
class OutletStatus:
    """clients: how many listen, or None where that cannot be known. dropped: messages lost before they were sent.

    error: why the outlet is closed, or None.
    """

    name: str
    clients: int | None
    dropped: int
    error: FerError | None

    def __str__(self) -> str:
        return self.name if self.clients is None else f"{self.name} {self.clients}"


class Line(Protocol):
    """One way to other programs; made, used and closed on one thread, but its properties can be read from any.

    clients, dropped: see OutletStatus; dropped counts what was lost after the queue.
    """

    @property
    def clients(self) -> int | None: ...

    @property
    def dropped(self) -> int: ...

    def serve(self, outbox: Outbox[Analysed | Marker], on_marker: OnMarker, stop: threading.Event) -> None:
        """Opens, sends what is in the outbox and takes markers in until stopped, and closes; raises OutletError.

        on_marker may be called on a thread of the line's own.
        """
        ...


class Outlet:
    """Results and markers to one line. send and send_marker never wait, whatever becomes of the clients.

    on_marker is called, on another thread, with name and origin of each marker that comes in.
    """

    def __init__(self, name: str, make_line: Callable[[], Line]) -> None:
        """make_line is called on the outlet's thread; it imports what the line needs."""
        self.name = name
        self.on_marker: OnMarker = lambda name, origin: None
        self._make_line = make_line
        self._line: Line | None = None
        self._outbox: Outbox[Analysed | Marker] = Outbox()
        self._error: FerError | None = None

    def send(self, result: Result, labels: tuple[str, ...]) -> None:
        """Sends a result; labels: of its probabilities, in order."""
        self._outbox.put(Analysed(result, labels))

    def send_marker(self, marker: Marker) -> None:
        """Sends a marker."""
        self._outbox.put(marker)

    def status(self) -> OutletStatus:
        """How it goes; from any thread."""
        line, dropped = self._line, self._outbox.dropped
        if line is None or self._error is not None:
            return OutletStatus(self.name, None, dropped, self._error)
        return OutletStatus(self.name, line.clients, dropped + line.dropped, None)

    def run(self, stop: threading.Event) -> None:
        """Serves until stopped, on a thread of its own. Never raises: what ends it early is in the status."""
        try:
            self._line = self._make_line()
            self._line.serve(self._outbox, self.on_marker, stop)
        except FerError as error:
            self._error = error
        except ImportError as error:
            hint = 'Install it with `pip install "fer-live[live]"`.'
            self._error = OutletError(f"{self.name} needs the package '{error.name}', which is not installed.", hint)
        except Exception as error:  # a stage's boundary: a broken outlet must not end the session
            log.exception("the %s outlet failed", self.name)
            self._error = OutletError(f"The {self.name} outlet failed ({error!r}).", "Details are in the log folder.")


def marker_name(value: object) -> str:
    """The name of a marker that came in, stripped; raises ValueError unless it is 1 to 200 printable characters."""
    name = str(value).strip()
    if not isinstance(value, str | int | float) or not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
        raise ValueError(f"a marker's name is 1 to {_LONGEST_NAME} printable characters")
    return name
