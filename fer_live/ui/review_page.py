"""A recorded session: its timeline, values, markers and video."""

from __future__ import annotations

import logging
from functools import partial

from PyQt6.QtCore import QElapsedTimer, QTimer, QUrl, pyqtSignal
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QHBoxLayout, QMessageBox, QVBoxLayout, QWidget

from fer_live.core.structs import Frame
from fer_live.errors import FerError
from fer_live.record.cameravideo import VIDEO_MP4
from fer_live.review import editing
from fer_live.review.reading import Session
from fer_live.review.replay import result_at
from fer_live.review.series import FaceSeries, face_ids, face_series, length_s
from fer_live.review.stills import Stills
from fer_live.ui.banner import Banner, Tone, Until
from fer_live.ui.keys import Key, Keys, printed
from fer_live.ui.marker_edits import MarkerEdits
from fer_live.ui.marker_table import MarkerTable
from fer_live.ui.moment_panel import MomentPanel
from fer_live.ui.program import Program
from fer_live.ui.review_head import ReviewHead
from fer_live.ui.review_timeline import ReviewTimeline
from fer_live.ui.video_view import VideoView

log = logging.getLogger(__name__)

_PLAY_MS = 33
_STEP_S, _LEAP_S = 1 / 30, 1.0
_NOBODY = 0


class ReviewPage(QWidget):
    """Shows one session at a time. Every change is on disk before it is shown.

    closed(): the user wants back to the live picture, or the session is deleted.
    """

    closed = pyqtSignal()

    def __init__(self, banner: Banner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._banner = banner
        self._session: Session | None = None
        self._series: FaceSeries | None = None
        self._stills: Stills | None = None
        self._faces: list[int] = []
        self._face_id = _NOBODY
        self._time_s, self._length_s = 0.0, 0.0
        self._player, self._played = QTimer(self), QElapsedTimer()
        self._player.setInterval(_PLAY_MS)
        self._player.timeout.connect(self._play_on)
        # The report of an hour takes seconds.
        self._reporting, self._report_path = Program(self), ""
        self.head, self.view, self.moment = ReviewHead(), VideoView(), MomentPanel()
        self.markers, self.timeline = MarkerTable(), ReviewTimeline()
        self.edits = MarkerEdits(self.markers, self.timeline, banner, lambda: self._time_s, self)
        self.view.set_mirrored(False)
        self.keys = Keys(self._list_keys())
        self._connect()
        upper, column = QHBoxLayout(), QVBoxLayout(self)
        upper.addWidget(self.view, stretch=2)
        upper.addWidget(self.moment)
        upper.addWidget(self.markers, stretch=1)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.head)
        column.addLayout(upper, stretch=1)
        column.addWidget(self.timeline, stretch=1)

    def _connect(self) -> None:
        self.head.face_picked.connect(self.choose_face)
        self.head.report_wanted.connect(self.report)
        self._reporting.printed.connect(self._note_report)
        self._reporting.done.connect(self._show_report)
        self._reporting.failed.connect(self._tell_no_report)
        self.head.delete_wanted.connect(self.delete)
        self.head.close_wanted.connect(self.closed)
        self.view.face_clicked.connect(self.choose_face)
        self.timeline.pointed.connect(self._show_moment)
        self.timeline.picked.connect(self.seek)
        self.edits.sought.connect(self.seek)

    def _list_keys(self) -> list[Key]:
        steps = [partial(self.step, by) for by in (-_LEAP_S, -_STEP_S, _STEP_S, _LEAP_S)]
        zooms = [partial(self.timeline.zoom, 1), partial(self.timeline.zoom, 1), partial(self.timeline.zoom, -1)]
        return [
            Key(" ", self.tr("Space"), self.tr("play or pause"), [self.toggle_playing]),
            Key("<,.>", ", . < >", self.tr("a frame or a second back or on"), steps, repeats=True),
            Key("+=-", "+ -", self.tr("zoom"), zooms, repeats=True),
            Key("0", "0", self.tr("whole session"), [self.timeline.show_all]),
            Key("m", "M", self.tr("marker"), [self.edits.add]),
            Key("", printed("Del"), self.tr("delete the marker"), []),
            Key("", printed("Ctrl+Z"), self.tr("take the last change of a marker back"), []),
            Key("[]", "[ ]", self.tr("previous or next face"), [partial(self.step_face, by) for by in (-1, 1)]),
            Key("\x1b", self.tr("Esc"), self.tr("back to the live picture"), [self.closed.emit]),
        ]

    def show_session(self, session: Session) -> None:
        """Raises RecordError if it has no timeline; then the last one stays."""
        length = length_s(session)
        self.release()
        self._session, self._length_s = session, length
        self._faces = face_ids(session)
        self._open_video(session)
        self.head.show_session(session, length, sorted(self._faces))
        self.choose_face(next(iter(self._faces), _NOBODY))
        self.edits.show(session)
        self.timeline.show_all()
        self.seek(0.0)

    def release(self) -> None:
        """Lets go of the session and its files."""
        self._player.stop()
        self._cancel_report()
        self.edits.release()
        if self._stills is not None:
            self._stills.close()
        self._stills = self._session = self._series = None
        self.view.clear()

    def _open_video(self, session: Session) -> None:
        path = session.folder / VIDEO_MP4
        if path.is_file():
            try:
                self._stills = Stills(path)
            except FerError as error:
                self._banner.show_message(str(error), Tone.WARNING, Until.CLOSED)
        self.view.setVisible(self._stills is not None)

    def choose_face(self, face_id: int) -> None:
        """Shows another face of the session."""
        assert self._session is not None
        self._face_id = face_id
        self._series = face_series(self._session, face_id)
        self.head.show_face(face_id)
        self.timeline.show_face(self._series, self._session.labels, self._length_s)
        self.seek(self._time_s)

    def step_face(self, by: int) -> None:
        """The next (1) or previous (-1) face by id."""
        if self._faces:
            ids = sorted(self._faces)
            self.choose_face(ids[(ids.index(self._face_id) + by) % len(ids)])

    def seek(self, time_s: float) -> None:
        """Goes to a time, in s, or to the begin or end if it lies outside."""
        self._time_s = min(max(0.0, time_s), self._length_s)
        self._played.restart()
        self.timeline.show_cursor(self._time_s)
        self._show_moment(None)
        self._show_still()

    def step(self, by_s: float) -> None:
        """Goes on or back by s."""
        self.seek(self._time_s + by_s)

    def toggle_playing(self) -> None:
        """Plays from the chosen time, as fast as it was recorded, or pauses."""
        if self._player.isActive():
            self._player.stop()
        else:
            self._played.restart()
            self._player.start()

    def _play_on(self) -> None:
        self.step(self._played.elapsed() / 1000)
        if self._time_s >= self._length_s:
            self._player.stop()

    def _show_moment(self, pointed_s: float | None) -> None:
        """Shows the values under the mouse, or else those at the chosen time."""
        if self._session is None or self._series is None:
            return
        time_s = self._time_s if pointed_s is None else pointed_s
        row = self._series.row_at(time_s)
        values = None if row is None else self._session.frames.row(row, named=True)
        self.moment.show_row(time_s, values, self._session.labels)

    def _show_still(self) -> None:
        if self._session is None or self._stills is None:
            return
        image = self._stills.read(self._time_s)
        if image is None:
            self.view.clear()
            return
        result = result_at(self._session, self._time_s)
        frame = Frame(image, result.frame_index, result.captured_at)
        self.view.show_result(frame, result, self._session.labels, self._face_id)

    def report(self) -> None:
        """Writes the report into the session's folder, and opens it when it is there."""
        assert self._session is not None
        self._reporting.start(["-m", "fer_live", "report", str(self._session.folder)])
        cancel = (self.tr("Cancel"), self._cancel_report)
        self._banner.show_message(self.tr("Writing the report…"), Tone.INFO, Until.OVER, [cancel])

    def _cancel_report(self) -> None:
        self._reporting.stop()
        self._banner.end_state()

    def _note_report(self, path: str) -> None:
        self._report_path = path

    def _show_report(self) -> None:
        self._banner.end_state()
        self._banner.show_news(self.tr("Saved {path}").format(path=self._report_path))
        QDesktopServices.openUrl(QUrl.fromLocalFile(self._report_path))

    def _tell_no_report(self, code: int, sentence: str, said: str) -> None:
        if not sentence:
            log.warning("the report ended with code %d: %s", code, said)
            sentence = self.tr("The program for it ended unexpectedly (code {code}).").format(code=code)
        text = self.tr("The report could not be written. {reason}").format(reason=sentence)
        self._banner.end_state()
        self._banner.show_message(text, Tone.ERROR, Until.CLOSED)

    def delete(self) -> None:
        """Asks, and then deletes the session's folder with all that is in it."""
        assert self._session is not None
        session = self._session
        files = [path for path in session.folder.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files) / 1e6
        text = self.tr("Delete '{folder}' with all {count} files in it ({size:.1f} MB)? There is no way back.")
        question = text.format(folder=session.folder, count=len(files), size=size)
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        # Enter alone deletes nothing.
        if QMessageBox.question(self, "FER Live", question, yes | no, no) != yes:
            return
        self.release()
        try:
            editing.delete_session(session)
        except FerError as error:
            self.show_session(session)
            self._banner.show_message(str(error), Tone.ERROR, Until.CLOSED)
        else:
            self.closed.emit()
            self._banner.show_news(self.tr("Deleted {folder}").format(folder=session.folder))
