"""The window: puts the widgets together and turns keys and buttons into what the session does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from PyQt6.QtCore import QSettings, Qt, QTimer, QUrl
from PyQt6.QtGui import QAction, QCloseEvent, QDesktopServices, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QMainWindow,
    QMenu,
    QMessageBox,
    QSizePolicy,
    QStackedWidget,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fer_live.capture.camera import is_url
from fer_live.capture.opening import DEMO
from fer_live.config import APP_NAME, Config, recording_folder, save_config
from fer_live.core.structs import Frame, Result
from fer_live.errors import FerError
from fer_live.pipeline.live import LiveState, LiveStatus
from fer_live.ui.banner import Banner, Tone
from fer_live.ui.controller import LiveController
from fer_live.ui.face_panel import FacePanel
from fer_live.ui.messages import copy_details, error_text, stalled_text
from fer_live.ui.pages import NoticePage, WelcomePage
from fer_live.ui.selection import Selection
from fer_live.ui.settings_dialog import SettingsDialog
from fer_live.ui.snapshot import save_snapshot
from fer_live.ui.source_picker import SourcePicker
from fer_live.ui.status_line import StatusLine
from fer_live.ui.video_view import VideoView

if TYPE_CHECKING:
    from fer_live.ui.timeline import Timeline

_NOTICE_SEEN, _GEOMETRY, _SOURCE, _MIRRORED = "notice_seen", "geometry", "source", "mirrored"
_PANEL_PX, _TIMELINE_PX = 320, 150


class MainWindow(QMainWindow):
    """FER Live's window. settings remembers geometry, source and mirror; config is what the user may edit."""

    def __init__(self, config: Config, settings: QSettings, source: str | None = None) -> None:
        super().__init__()
        self.setWindowTitle("FER Live")
        self.config = config
        self.controller = LiveController(self)
        self._settings = settings
        self._selection = Selection()
        self._timeline: Timeline | None = None
        self._restart_on = ""
        self._build_body()
        self._build_toolbar()
        self.status_line = StatusLine(self)
        self.setStatusBar(self.status_line)
        self.controller.analysed.connect(self._show_result)
        self.controller.status_changed.connect(self._show_status)
        self.controller.recording_changed.connect(self._show_recording)
        self._restore(source)
        # pyqtgraph takes long to import: the window is there first.
        QTimer.singleShot(0, self._add_timeline)

    def _build_body(self) -> None:
        self.view, self.face_panel, self.banner = VideoView(), FacePanel(), Banner()
        self.notice, self.welcome = NoticePage(), WelcomePage()
        self.pages = QStackedWidget()
        for page in (self.welcome, self.notice, self.view):
            self.pages.addWidget(page)
        self.view.face_clicked.connect(self._selection.choose)
        self.notice.accepted.connect(self._accept_notice)
        self.welcome.camera_wanted.connect(lambda: self._start_on(""))
        self.welcome.video_wanted.connect(self.open_video)
        self.welcome.demo_wanted.connect(lambda: self._start_on(DEMO))
        self.face_panel.setFixedWidth(_PANEL_PX)
        upper = QHBoxLayout()
        upper.addWidget(self.pages, stretch=1)
        upper.addWidget(self.face_panel)
        body = QWidget()
        self._column = QVBoxLayout(body)
        self._column.addWidget(self.banner)
        self._column.addLayout(upper, stretch=1)
        self.setCentralWidget(body)

    def _add_timeline(self) -> None:
        from fer_live.ui.timeline import Timeline

        self._timeline = Timeline()
        self._timeline.setFixedHeight(_TIMELINE_PX)
        self._column.addWidget(self._timeline)

    def _build_toolbar(self) -> None:
        self.toolbar = QToolBar(self.tr("Main"))
        self.toolbar.setMovable(False)
        self.addToolBar(self.toolbar)
        self.picker = SourcePicker()
        self.picker.source_picked.connect(self._start_on)
        self.toolbar.addWidget(self.picker)
        self.start_action = self._add_action(self.tr("Start"), self.tr("Space"), self.toggle_running)
        self.record_action = self._add_action(self.tr("Record"), "R", self.toggle_recording)
        self.snapshot_action = self._add_action(self.tr("Snapshot"), "S", self.save_snapshot)
        self.mirror_action = self._add_action(self.tr("Mirror"), "H", self._mirror)
        self.mirror_action.setCheckable(True)
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.toolbar.addWidget(spacer)
        self._add_menu()
        for button in self.toolbar.findChildren(QToolButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(button.text())

    def _add_action(self, title: str, key: str, run: Callable[[], None]) -> QAction:
        action = QAction(title, self)
        action.setToolTip(f"{title} ({key})")
        action.triggered.connect(lambda checked: run())
        self.toolbar.addAction(action)
        return action

    def _add_menu(self) -> None:
        menu = QMenu(self)
        for title, shortcut, run in (
            (self.tr("Open video…"), "Ctrl+O", self.open_video),
            (self.tr("Open stream…"), "Ctrl+L", self.open_stream),
            (self.tr("Settings…"), "Ctrl+,", self.edit_settings),
            (self.tr("Open recordings"), "", lambda: _open_folder(recording_folder(self.config))),
            (self.tr("Open log folder"), "", lambda: _open_folder(platformdirs.user_log_path(APP_NAME))),
            (self.tr("Keys"), "F1", self.show_keys),
        ):
            action = QAction(title, self)
            action.setShortcut(QKeySequence(shortcut))
            action.triggered.connect(lambda checked, run=run: run())
            menu.addAction(action)
            self.addAction(action)
        button = QToolButton()
        button.setText(self.tr("Menu"))
        button.setToolTip(self.tr("Videos, streams, settings, folders, keys"))
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.toolbar.addWidget(button)

    def _restore(self, source: str | None) -> None:
        geometry = self._settings.value(_GEOMETRY)
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(1080, 720)
        self.mirror_action.setChecked(self._settings.value(_MIRRORED, True, type=bool))
        self._mirror()
        self._list_sources(source or str(self._settings.value(_SOURCE, "")))
        self._show_actions(None)
        if self._settings.value(_NOTICE_SEEN, False, type=bool):
            QTimer.singleShot(0, self._start_if_possible)
        else:
            self.pages.setCurrentWidget(self.notice)

    def _list_sources(self, wanted: str) -> None:
        self._source = self.picker.refill(wanted)
        if self._source:
            self.welcome.show_ready()
        else:
            self.welcome.show_no_camera()

    def _accept_notice(self) -> None:
        self._settings.setValue(_NOTICE_SEEN, True)
        self.pages.setCurrentWidget(self.welcome)
        self._start_if_possible()

    def _start_if_possible(self) -> None:
        if self._source:
            self._start()

    def _start_on(self, source: str) -> None:
        """Takes another source ('' for the first camera), and starts on it once the old one has ended."""
        self._list_sources(source)
        if self.controller.session is None:
            self._start_if_possible()
        else:
            self._restart_on = self._source
            self.controller.stop()

    def _start(self) -> None:
        self._selection.reset()
        self.status_line.clear()
        if self._timeline is not None:
            self._timeline.clear()
        self.banner.hide()
        self.controller.start(self._source, self.config)

    def toggle_running(self) -> None:
        """Starts or stops."""
        if self.pages.currentWidget() is self.notice:
            return
        if self.controller.session is not None:
            self.controller.stop()
        else:
            self._list_sources(self._source)
            self._start_if_possible()

    def toggle_recording(self) -> None:
        """Begins or ends a recording."""
        self.controller.toggle_recording(recording_folder(self.config))

    def _mirror(self) -> None:
        self.view.set_mirrored(self.mirror_action.isChecked())

    def open_video(self) -> None:
        """Asks for a video file and plays it."""
        path, _ = QFileDialog.getOpenFileName(self, self.tr("Open video"))
        if path:
            self._start_on(path)

    def open_stream(self) -> None:
        """Asks for a stream's address and shows it."""
        prompt = self.tr("Address (rtsp:// or http://)")
        address, is_accepted = QInputDialog.getText(self, self.tr("Open stream"), prompt)
        if is_accepted and address:
            self._start_on(address)

    def edit_settings(self) -> None:
        """Edits and saves the settings; a running session starts again with them."""
        dialog = SettingsDialog(self.config, self)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        try:
            self.config = dialog.config()
            save_config(self.config)
        except FerError as error:
            self.banner.show_message(str(error), Tone.ERROR)
        if self.controller.session is not None:
            self._start_on(self._source)

    def save_snapshot(self) -> None:
        """Saves the picture with its overlay as PNG in the recordings' folder."""
        image = self.view.snapshot()
        if image is None:
            return
        try:
            path = save_snapshot(image, recording_folder(self.config))
        except FerError as error:
            self.banner.show_message(str(error), Tone.ERROR)
        else:
            self.banner.show_message(self.tr("Saved {path}").format(path=path), Tone.INFO, is_short=True)

    def show_keys(self) -> None:
        """All keys, in the banner."""
        keys = (
            (self.tr("Space"), self.tr("start or stop")),
            ("R", self.tr("record")),
            ("S", self.tr("snapshot")),
            ("H", self.tr("mirror")),
            ("F", self.tr("full screen")),
            ("[ ]", self.tr("previous or next face")),
            ("Ctrl+O", self.tr("open a video")),
            ("Ctrl+L", self.tr("open a stream")),
            ("Ctrl+,", self.tr("settings")),
        )
        text = " · ".join(f"{key}: {what}" for key, what in keys)
        self.banner.show_message(text, Tone.INFO, [(self.tr("Close"), self.banner.hide)])

    def toggle_full_screen(self) -> None:
        """Shows the picture alone on the whole screen, or the window again."""
        is_full = not self.isFullScreen()
        for widget in (self.toolbar, self.face_panel, self.status_line, self._timeline):
            if widget is not None:
                widget.setVisible(not is_full)
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Single keys come here only if the focused widget has no use for them, so they never disturb typing."""
        runs: dict[str, Callable[[], None]] = {
            " ": self.toggle_running,
            "r": self.toggle_recording,
            "s": self.save_snapshot,
            "h": self.mirror_action.trigger,
            "f": self.toggle_full_screen,
            "]": lambda: self._selection.step(1),
            "[": lambda: self._selection.step(-1),
        }
        run = runs.get(event.text().lower()) if event is not None else None
        if run is not None:
            run()
        else:
            super().keyPressEvent(event)

    def _show_result(self, frame: Frame, result: Result) -> None:
        session = self.controller.session
        if session is None or session.backend is None:
            return
        labels = session.backend.card.labels
        track = self._selection.follow(result.tracks)
        self.view.show_result(frame, result, labels, None if track is None else track.face_id)
        self.face_panel.show_track(track, labels)
        self.status_line.count(result)
        if self._timeline is not None:
            self._timeline.add(result)
            self._timeline.draw(self._selection.face_id, labels, result.captured_at)

    def _show_status(self, status: LiveStatus | None) -> None:
        """Shows what the session is doing; None once it has ended."""
        self._show_actions(status)
        if status is None:
            self._show_ended()
            return
        self.status_line.show_status(status, self.controller.session)
        self.view.set_dimmed(status.state in (LiveState.STALLED, LiveState.FAILED))
        if status.state is LiveState.RUNNING:
            self.pages.setCurrentWidget(self.view)
            self.banner.hide_unless_short()
        elif status.state is LiveState.STARTING:
            self.banner.show_message(self.tr("Starting…"), Tone.INFO)
        elif status.state is LiveState.STALLED:
            self.banner.show_message(stalled_text(status), Tone.WARNING, [(self.tr("Stop"), self.controller.stop)])
        elif status.state is LiveState.ENDED:
            self.controller.stop()
        elif status.state is LiveState.FAILED:
            self._show_failure(status.error)

    def _show_failure(self, error: Exception | None) -> None:
        self.controller.stop()
        again = (self.tr("Try again"), self.toggle_running)
        details = (self.tr("Copy details"), lambda: copy_details(error))
        self.banner.show_message(error_text(error), Tone.ERROR, [again, details])

    def _show_ended(self) -> None:
        self.face_panel.show_track(None, ())
        self.status_line.clear()
        if self._restart_on:
            self._restart_on = ""
            self._start_if_possible()
        else:
            self.view.clear()
            self.pages.setCurrentWidget(self.welcome)

    def _show_actions(self, status: LiveStatus | None) -> None:
        is_running = status is not None and status.state in (LiveState.RUNNING, LiveState.STALLED)
        has_session = self.controller.session is not None
        self.start_action.setText(self.tr("Stop") if has_session else self.tr("Start"))
        self.record_action.setEnabled(is_running or self.controller.recorder is not None)
        self.snapshot_action.setEnabled(is_running)

    def _show_recording(self) -> None:
        """A recording began or ended."""
        recorder, last = self.controller.recorder, self.controller.last_recorder
        self.record_action.setText(self.tr("Record") if recorder is None else self.tr("Stop recording"))
        self.status_line.show_recording(recorder is not None)
        if recorder is not None or last is None:
            return
        if last.error is not None:
            self.banner.show_message(error_text(last.error), Tone.ERROR, [(self.tr("Close"), self.banner.hide)])
        elif last.folder is not None:
            text = self.tr("Recorded {folder}").format(folder=last.folder)
            folder = last.folder
            self.banner.show_message(text, Tone.INFO, [(self.tr("Show"), lambda: _open_folder(folder))], is_short=True)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Asks once while recording; then the recording is closed and everything stopped."""
        assert event is not None
        if self.controller.recorder is not None and not self._may_close():
            event.ignore()
            return
        self.controller.shut_down()
        self._settings.setValue(_GEOMETRY, self.saveGeometry())
        self._settings.setValue(_MIRRORED, self.mirror_action.isChecked())
        # Addresses of streams may hold passwords.
        self._settings.setValue(_SOURCE, "" if is_url(self._source) else self._source)
        event.accept()

    def _may_close(self) -> bool:
        text = self.tr("A recording is going on. Finish it and close?")
        return QMessageBox.question(self, "FER Live", text) == QMessageBox.StandardButton.Yes


def _open_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
