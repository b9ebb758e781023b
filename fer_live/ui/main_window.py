"""The window: puts the widgets together and turns keys and buttons into what the session does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import platformdirs
from PyQt6.QtCore import QSettings, Qt, QTimer, QUrl
from PyQt6.QtGui import QAction, QCloseEvent, QDesktopServices, QKeyEvent, QKeySequence
from PyQt6.QtWidgets import (
    QDialog,
    QFileDialog,
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

from fer_live.capture.camera import is_url, public_address
from fer_live.capture.opening import DEMO
from fer_live.config import APP_NAME, Config, recording_folder, save_config
from fer_live.core.structs import Frame, Result
from fer_live.errors import FerError
from fer_live.pipeline.live import LiveState, LiveStatus
from fer_live.record.recorder import Recorder
from fer_live.ui.banner import Banner, Tone, Until
from fer_live.ui.controller import LiveController
from fer_live.ui.live_page import LivePage
from fer_live.ui.messages import copy_details, error_text, stalled_text
from fer_live.ui.pages import NoticePage, StartingPage, WelcomePage
from fer_live.ui.settings_dialog import SettingsDialog
from fer_live.ui.snapshot import save_snapshot
from fer_live.ui.source_picker import SourcePicker
from fer_live.ui.status_line import StatusLine

_NOTICE_SEEN, _GEOMETRY, _SOURCE, _MIRRORED = "notice_seen", "geometry", "source", "mirrored"


class MainWindow(QMainWindow):
    """FER Live's window. settings remembers geometry, source and mirror; config is what the user may edit."""

    def __init__(self, config: Config, settings: QSettings, source: str | None = None) -> None:
        super().__init__()
        self.setWindowTitle("FER Live")
        self.config = config
        self.controller = LiveController(self)
        self._settings = settings
        self._restart_on = ""
        self.status_line = StatusLine(self)
        self.setStatusBar(self.status_line)
        self._build_body()
        self._build_toolbar()
        self.controller.analysed.connect(self._show_result)
        self.controller.status_changed.connect(self._show_status)
        self.controller.recording_changed.connect(self._show_recording)
        self.controller.recorded.connect(self._show_recorded)
        # Without a widget in focus, keys go to the window.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._restore(source)
        QTimer.singleShot(0, self.live.add_timeline)

    def _build_body(self) -> None:
        self.banner = Banner()
        self.welcome, self.notice, self.starting, self.live = WelcomePage(), NoticePage(), StartingPage(), LivePage()
        self.pages = QStackedWidget()
        for page in (self.welcome, self.notice, self.starting, self.live):
            self.pages.addWidget(page)
        self.notice.accepted.connect(self._accept_notice)
        self.welcome.camera_wanted.connect(lambda: self._start_on(""))
        self.welcome.video_wanted.connect(self.open_video)
        self.welcome.demo_wanted.connect(lambda: self._start_on(DEMO))
        body = QWidget()
        column = QVBoxLayout(body)
        column.addWidget(self.banner)
        column.addWidget(self.pages, stretch=1)
        self.setCentralWidget(body)

    def _build_toolbar(self) -> None:
        self.toolbar = QToolBar(self.tr("Main"))
        self.toolbar.setMovable(False)
        self.addToolBar(self.toolbar)
        self.picker = SourcePicker()
        self.picker.source_picked.connect(self._start_on)
        self.toolbar.addWidget(self.picker)
        self.start_action = self._add_action(self.toggle_running)
        self.record_action = self._add_action(self.toggle_recording)
        self.snapshot_action = self._add_action(self.save_snapshot)
        self.mirror_action = self._add_action(self._mirror)
        self.mirror_action.setCheckable(True)
        _entitle(self.snapshot_action, self.tr("Snapshot"), "S")
        _entitle(self.mirror_action, self.tr("Mirror"), "H")
        self._show_recording()
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.toolbar.addWidget(spacer)
        self._add_menu()
        for button in self.toolbar.findChildren(QToolButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _add_action(self, run: Callable[[], None]) -> QAction:
        action = QAction(self)
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
            self._show_page(self.notice)

    def _show_page(self, page: QWidget) -> None:
        if page is not self.pages.currentWidget():
            self.pages.setCurrentWidget(page)
            self.setFocus()

    def _list_sources(self, wanted: str) -> None:
        self._source = self.picker.refill(wanted)
        if self._source:
            self.welcome.show_ready()
        else:
            self.welcome.show_no_camera()

    def _accept_notice(self) -> None:
        self._settings.setValue(_NOTICE_SEEN, True)
        self._show_page(self.welcome)
        self._start_if_possible()

    def _start_if_possible(self) -> None:
        """Starts if there is a source and the notice has been read, which comes before any camera is opened."""
        if self._source and self._settings.value(_NOTICE_SEEN, False, type=bool):
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
        self.live.clear()
        self.status_line.clear()
        self.banner.hide()
        self.controller.start(self._source, self.config)

    def toggle_running(self) -> None:
        """Starts or stops."""
        if self.controller.session is not None:
            self._restart_on = ""
            self.controller.stop()
        else:
            self._list_sources(self._source)
            self._start_if_possible()

    def toggle_recording(self) -> None:
        """Begins or ends a recording."""
        self.controller.toggle_recording(recording_folder(self.config))

    def _mirror(self) -> None:
        self.live.view.set_mirrored(self.mirror_action.isChecked())

    def open_video(self) -> None:
        """Asks for a video file and plays it."""
        path, _ = QFileDialog.getOpenFileName(self, self.tr("Open video"))
        if path:
            self._start_on(path)

    def open_stream(self) -> None:
        """Asks for a stream's address and shows it."""
        prompt = self.tr("Address (rtsp:// or http://)")
        address, is_accepted = QInputDialog.getText(self, self.tr("Open stream"), prompt)
        if not is_accepted or not address.strip():
            return
        try:
            public_address(address.strip())
        except FerError as error:
            self.banner.show_message(str(error), Tone.ERROR, Until.CLOSED)
        else:
            self._start_on(address.strip())

    def edit_settings(self) -> None:
        """Edits and saves the settings; a running session starts again with them."""
        dialog = SettingsDialog(self.config, self)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        self.config = dialog.config
        try:
            save_config(self.config)
        except FerError as error:
            self.banner.show_message(str(error), Tone.ERROR, Until.CLOSED)
        else:
            if self.controller.session is not None:
                self._start_on(self._source)

    def save_snapshot(self) -> None:
        """Saves the picture with its overlay as PNG in the recordings' folder."""
        image = self.live.view.snapshot()
        if image is None:
            return
        try:
            path = save_snapshot(image, recording_folder(self.config))
        except FerError as error:
            self.banner.show_message(str(error), Tone.ERROR, Until.CLOSED)
        else:
            self.banner.show_news(self.tr("Saved {path}").format(path=path))

    def show_keys(self) -> None:
        """All keys, in the banner."""
        keys = (
            (self.tr("Space"), self.tr("start or stop")),
            ("R", self.tr("record")),
            ("S", self.tr("snapshot")),
            ("H", self.tr("mirror")),
            ("F", self.tr("full screen")),
            (self.tr("Esc"), self.tr("leave full screen")),
            ("[ ]", self.tr("previous or next face")),
            ("Ctrl+O", self.tr("open a video")),
            ("Ctrl+L", self.tr("open a stream")),
            ("Ctrl+,", self.tr("settings")),
        )
        text = " · ".join(f"{key}: {what}" for key, what in keys)
        self.banner.show_message(text, Tone.INFO, Until.CLOSED)

    def toggle_full_screen(self) -> None:
        """Shows the picture alone on the whole screen, or the window again."""
        is_full = not self.isFullScreen()
        for widget in (self.toolbar, self.status_line):
            widget.setVisible(not is_full)
        self.live.show_picture_alone(is_full)
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def leave_full_screen(self) -> None:
        """Shows the window again."""
        if self.isFullScreen():
            self.toggle_full_screen()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Single keys come here only if the focused widget has no use for them, so they never disturb typing."""
        runs: dict[str, Callable[[], None]] = {
            " ": self.toggle_running,
            "r": self.toggle_recording,
            "s": self.save_snapshot,
            "h": self.mirror_action.trigger,
            "f": self.toggle_full_screen,
            "\x1b": self.leave_full_screen,
            "]": lambda: self.live.selection.step(1),
            "[": lambda: self.live.selection.step(-1),
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
        self.live.show_result(frame, result, session.backend.card.labels)
        self.status_line.count(result)

    def _show_status(self, status: LiveStatus | None) -> None:
        """Shows what the session is doing; None once it has ended."""
        self._show_actions(status)
        if status is None:
            self._show_ended()
            return
        self.status_line.show_status(status, self.controller.session)
        self.live.view.set_dimmed(status.state is LiveState.STALLED)
        if status.state is LiveState.RUNNING:
            self._show_page(self.live)
            self.banner.end_state()
        elif status.state is LiveState.STARTING:
            self.starting.show_source(self.picker.currentText())
            self._show_page(self.starting)
        elif status.state is LiveState.STALLED:
            stop = (self.tr("Stop"), self.toggle_running)
            self.banner.show_message(stalled_text(status), Tone.WARNING, Until.OVER, [stop])
        elif status.state is LiveState.ENDED:
            self.banner.show_news(self.tr("The video has ended."))
            self.controller.stop()
        elif status.state is LiveState.FAILED:
            self._show_failure(status.error)

    def _show_failure(self, error: Exception | None) -> None:
        self.controller.stop()
        again = (self.tr("Try again"), self._try_again)
        details = (self.tr("Copy details"), lambda: copy_details(error))
        self.banner.show_message(error_text(error), Tone.ERROR, Until.CLOSED, [again, details])
        if self.controller.session is None:
            self._show_ended()

    def _try_again(self) -> None:
        if self.controller.session is None:
            self.toggle_running()

    def _show_ended(self) -> None:
        self.status_line.clear()
        self.banner.end_state()
        if self._restart_on:
            self._restart_on = ""
            self._start_if_possible()
        else:
            self.live.clear()
            self._show_page(self.welcome)

    def _show_actions(self, status: LiveStatus | None) -> None:
        is_running = status is not None and status.state in (LiveState.RUNNING, LiveState.STALLED)
        has_session = self.controller.session is not None
        _entitle(self.start_action, self.tr("Stop") if has_session else self.tr("Start"), self.tr("Space"))
        self.record_action.setEnabled(is_running or self.controller.recorder is not None)
        self.snapshot_action.setEnabled(is_running)

    def _show_recording(self) -> None:
        """A recording began or ended."""
        is_recording = self.controller.recorder is not None
        _entitle(self.record_action, self.tr("Stop recording") if is_recording else self.tr("Record"), "R")
        self.status_line.show_recording(is_recording)

    def _show_recorded(self, recorder: Recorder) -> None:
        """A recording is over."""
        folder = recorder.folder
        if recorder.error is not None:
            self.banner.show_message(error_text(recorder.error), Tone.ERROR, Until.CLOSED)
        elif folder is not None:
            show = (self.tr("Show"), lambda: _open_folder(folder))
            self.banner.show_news(self.tr("Recorded {folder}").format(folder=folder), [show])

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Asks once while recording; then the recording is closed and everything stopped."""
        assert event is not None
        if self.controller.recorder is not None and not self._may_close():
            event.ignore()
            return
        self.controller.shut_down()
        self.leave_full_screen()
        self._settings.setValue(_GEOMETRY, self.saveGeometry())
        self._settings.setValue(_MIRRORED, self.mirror_action.isChecked())
        # Addresses of streams may hold passwords.
        self._settings.setValue(_SOURCE, "" if is_url(self._source) else self._source)
        event.accept()

    def _may_close(self) -> bool:
        text = self.tr("A recording is going on. Finish it and close?")
        return QMessageBox.question(self, "FER Live", text) == QMessageBox.StandardButton.Yes


def _entitle(action: QAction, title: str, key: str) -> None:
    action.setText(title)
    action.setToolTip(f"{title} ({key})")


def _open_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
