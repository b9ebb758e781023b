"""What a live session says of itself, apart from what it takes to run one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fer_live.errors import FerError

if TYPE_CHECKING:
    from fer_live.outlets.outlet import OutletStatus

STOP_TIMEOUT_S = 2.0
"""How long the threads of a session, and then the disk, may take to end."""


class LiveState(StrEnum):
    """What a live session is doing, as the user sees it."""

    STARTING = "starting"
    RUNNING = "running"
    STALLED = "stalled"
    ENDED = "ended"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class LiveStatus:
    """state; error: why it is stalled or failed; retry_in_s: until the source is tried again.

    mode: what the source delivers; asked: what the camera was asked for, if that differs.
    frames: captured since the start. dropped: not analysed since the first that was. outlets: those that are on.
    """

    state: LiveState
    error: FerError | Exception | None = None
    retry_in_s: float = 0.0
    mode: str = ""
    asked: str = ""
    frames: int = 0
    dropped: int = 0
    outlets: tuple[OutletStatus, ...] = ()

    @property
    def live_to(self) -> str:
        """The outlets that work, with how many listen: 'LSL 1, OSC'."""
        return ", ".join(str(outlet) for outlet in self.outlets if outlet.error is None)

    @property
    def outlet_errors(self) -> tuple[FerError, ...]:
        """Why the other outlets do not."""
        return tuple(outlet.error for outlet in self.outlets if outlet.error is not None)
