"""What every face finder offers."""

from __future__ import annotations

from typing import Protocol

from fer_live.core.closing import Closing
from fer_live.core.structs import Faces, Frame


class FaceFinder(Closing, Protocol):
    """Finds faces; used on one thread at a time."""

    def find(self, frame: Frame) -> Faces:
        """The faces of one frame, largest score first; Faces.none() if there is none."""
        ...

    def close(self) -> None:
        """Frees the models; calling it again does nothing."""
        ...


class SkippingFinder(FaceFinder, Protocol):
    """A finder that does not need to see every frame, but is told of each."""

    def skip(self) -> None:
        """A frame passes in which no faces need be found."""
        ...
