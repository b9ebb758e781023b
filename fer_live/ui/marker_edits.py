"""The markers of a reviewed session, as the user changes them."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QWidget

from fer_live.errors import FerError
from fer_live.review import editing
from fer_live.review.reading import Session
from fer_live.ui.banner import Banner, Tone, Until
from fer_live.ui.marker_table import MarkerTable
from fer_live.ui.review_timeline import ReviewTimeline


class MarkerEdits(QObject):
    """Shows markers in the table and on the timeline, and changes them as these ask.

    Every change is on disk before it is shown, and can be taken back until another session is shown. time_s: gives the
    chosen time, s. sought(float): a marker at this time, s, was chosen.
    """

    sought = pyqtSignal(float)

    def __init__(
        self,
        table: MarkerTable,
        timeline: ReviewTimeline,
        banner: Banner,
        time_s: Callable[[], float],
        page: QWidget,
    ) -> None:
        super().__init__(page)
        self._table, self._timeline, self._banner, self._time_s = table, timeline, banner, time_s
        self._session: Session | None = None
        self._before: list[tuple[int, pl.DataFrame]] = []
        table.add_wanted.connect(self.add)
        table.rename_wanted.connect(lambda marker_id, name: self._change(editing.rename_marker, marker_id, name))
        table.move_wanted.connect(lambda marker_id: self._change(editing.move_marker, marker_id, time_s()))
        table.delete_wanted.connect(lambda marker_id: self._change(editing.delete_marker, marker_id))
        table.picked.connect(self._seek)
        timeline.marker_moved.connect(lambda marker_id, at_s: self._change(editing.move_marker, marker_id, at_s))
        QShortcut(QKeySequence(QKeySequence.StandardKey.Undo), page).activated.connect(self.undo)

    def show(self, session: Session) -> None:
        """Shows the markers of a session."""
        self._session = session
        self._before.clear()
        self._show()

    def release(self) -> None:
        """Takes over a name that is being typed, and lets go of the session."""
        self._table.end_editing()
        self._session = None

    def add(self) -> None:
        """Adds a marker at the chosen time, whose name can then be typed."""
        if self._edit(editing.add_marker, self._time_s(), self.tr("marker")) and self._session is not None:
            marker_id: int = self._session.markers["marker_id"].max()  # type: ignore[assignment]
            self._before.append((marker_id, self._session.markers.clear()))
            self._table.edit(marker_id)

    def undo(self) -> None:
        """Takes the last change back; does nothing if there is none."""
        if self._before and self._edit(editing.put_back, *self._before[-1]):
            self._before.pop()

    def _change(self, change: Callable[..., Session], marker_id: int, *values: object) -> None:
        assert self._session is not None
        before = self._session.markers.filter(pl.col("marker_id") == marker_id)
        if self._edit(change, marker_id, *values):
            self._before.append((marker_id, before))

    def _edit(self, change: Callable[..., Session], *values: object) -> bool:
        """Whether a change could be saved; shows what is on disk in any case."""
        assert self._session is not None
        error: FerError | None = None
        try:
            self._session = change(self._session, *values)
        except FerError as raised:
            error = raised
            self._banner.show_message(str(error), Tone.ERROR, Until.CLOSED)
        self._show()
        return error is None

    def _show(self) -> None:
        assert self._session is not None
        rows = self._session.markers.select("marker_id", "t_mono_s", "name", "origin").rows()
        self._table.show_markers(rows)
        self._timeline.show_markers([row[:3] for row in rows])

    def _seek(self, marker_id: int) -> None:
        assert self._session is not None
        times = dict(self._session.markers.select("marker_id", "t_mono_s").rows())
        self.sought.emit(times[marker_id])
