"""What every face finder offers."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from fer_live.core.structs import Faces, Frame


class FaceFinder(Protocol):
    """Finds faces; used and closed on one thread."""

    def find(self, frame: Frame) -> Faces:
        """The faces of one frame, largest score first; Faces.none() if there is none."""
        ...

    def close(self) -> None:
        """Frees the models; calling it again does nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
