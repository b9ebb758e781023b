"""What owns something and gives it back at the end of a `with` block."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self


class Closing(Protocol):
    """Has close(), and calls it at the end of a `with` block; to be derived from, or matched by shape."""

    def close(self) -> None:
        """Frees what is held; calling it again does nothing."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
