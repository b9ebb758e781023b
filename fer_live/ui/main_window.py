"""The window: puts the widgets together and turns keys and buttons into what the session does."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from PyQt6.QtCore import QSettings, Qt, QTimer
from PyQt6.QtGui import QCloseEvent, QKeyEvent, QPaintEvent
from PyQt6.QtWidgets import (
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from fer_live.config import APP_NAME, Config, RecordingConfig, recording_folder
from fer_live.errors import FerError
from fer_live.pipeline.status import LiveState, LiveStatus
from fer_live.source_names import DEMO, is_url
from fer_live.ui.asking import Asking
from fer_live.ui.banner import Banner, Tone, Until
from fer_live.ui.configuring import Configuring
from fer_live.ui.controller import LiveController
from fer_live.ui.keys import Key, Keys, printed
from fer_live.ui.live_page import LivePage
from fer_live.ui.loading import FOR_PLOTS, FOR_SESSIONS, Loading
from fer_live.ui.messages import copy_details, error_text, stalled_text
from fer_live.ui.neutral_look import NeutralLook
from fer_live.ui.pages import StartingPage, WelcomePage
from fer_live.ui.preparing import Preparing
from fer_live.ui.recording import Recording
from fer_live.ui.reviewing import Reviewing
from fer_live.ui.running import Running
from fer_live.ui.snapshot import save_snapshot
from fer_live.ui.status_line import StatusLine
from fer_live.ui.toolbar import ToolBar

if TYPE_CHECKING:
    from fer_live.core.structs import Frame, Result
    from fer_live.ui.notice_page import NoticePage

_NOTICE_SEEN, _GEOMETRY, _SOURCE, _MIRRORED = "notice_seen", "geometry", "source", "mirrored"


class MainWindow(QMainWindow):
    """FER Live's window. settings remembers geometry, source and mirror; config is what the user may edit.

    source: what to start on, else what was used last. session: the folder of one to show instead. config_path: the
    file that edited settings are saved to, the default one if None.
    """

    def __init__(
        self,
        config: Config,
        settings: QSettings,
        source: str | None = None,
        session: Path | None = None,
        config_path: Path | None = None,
    ) -> None:
        super().__init__()
        self.setWindowTitle("FER Live")
        self.config = config
        self.controller = LiveController(self)
        self._settings = settings
        self._session = session
        self._has_begun = False
        self._notice: NoticePage | None = None
        self.status_line = StatusLine(self)
        self.setStatusBar(self.status_line)
        self._build_body()
        self.recording = Recording(self.controller, self.banner, lambda: self.config, self)
        self.toolbar = ToolBar(self)
        self.running = Running(
            self.controller, self.recording, self.toolbar.picker, self.banner, lambda: self.config
        )
        self.reviewing = Reviewing(self.recording, self.banner, lambda: self.config, self)
        self.configuring = Configuring(self.banner, lambda: self.config, config_path, self)
        self.neutral_look = NeutralLook(self.controller, self.banner, self.live, self)
        self.preparing = Preparing(self.controller, self.banner, lambda: self.config, self)
        self.status_line.addPermanentWidget(self.preparing)
        self._fill_toolbar()
        self._keys = Keys(self._list_keys())
        self.loading_sessions, self.loading_plots = Loading(FOR_SESSIONS, self), Loading(FOR_PLOTS, self)
        self._connect()
        # Without a widget in focus, keys go to the window.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._restore(source)

    def _connect(self) -> None:
        self.asking.source_named.connect(self.running.start_on)
        self.welcome.camera_wanted.connect(lambda: self.running.start_on(""))
        self.welcome.video_wanted.connect(self.asking.video)
        self.welcome.demo_wanted.connect(lambda: self.running.start_on(DEMO))
        self.running.listed.connect(self.welcome.show_sources)
        self.running.starting.connect(self._clear)
        self.running.notice_wanted.connect(self._show_notice)
        self.preparing.restart_wanted.connect(self.running.try_again)
        self.live.marker_field.text_entered.connect(self.recording.mark_text)
        self.recording.settings_changed.connect(self._take_recording_settings)
        self.configuring.changed.connect(self._take_config)
        self.configuring.restart_wanted.connect(self.running.restart)
        self.recording.review_wanted.connect(self.reviewing.show_session)
        self.reviewing.opening.connect(self._stop_at_once)
        self.reviewing.opened.connect(self._show_page)
        self.reviewing.opened.connect(self.leave_full_screen)
        self.reviewing.closed.connect(self._end_review)
        self.controller.analysed.connect(self._show_result)
        self.controller.marked.connect(self.live.show_marker)
        self.controller.status_changed.connect(self._show_status)
        self.controller.recording_changed.connect(self._show_recording)
        self.controller.outlet_failed.connect(self._show_failed_outlet)
        self.loading_sessions.loaded.connect(self._take_sources)
        self.loading_plots.loaded.connect(self.live.add_timeline)

    def _build_body(self) -> None:
        self.banner = Banner()
        self.starting, self.welcome, self.live = StartingPage(), WelcomePage(), LivePage()
        self.pages = QStackedWidget()
        for page in (self.starting, self.welcome, self.live):
            self.pages.addWidget(page)
        self.asking = Asking(self.banner, self)
        body = QWidget()
        column = QVBoxLayout(body)
        column.addWidget(self.banner)
        column.addWidget(self.pages, stretch=1)
        self.setCentralWidget(body)

    def _fill_toolbar(self) -> None:
        self.addToolBar(self.toolbar)
        for action, run in (
            (self.toolbar.start, self.running.toggle),
            (self.toolbar.record, self.recording.toggle),
            (self.toolbar.marker, self.recording.mark),
            (self.toolbar.snapshot, self.save_snapshot),
            (self.toolbar.mirror, self._mirror),
        ):
            action.triggered.connect(lambda checked, run=run: run())
        self.toolbar.add_record_menu([(self.tr("Session…"), "", self.recording.edit_session)])
        open_folder = self.recording.open_folder
        self.toolbar.add_menu(
            (
                (self.tr("Open video…"), "Ctrl+O", self.asking.video),
                (self.tr("Open stream…"), "Ctrl+L", self.asking.stream),
                (self.tr("Open session…"), "Ctrl+Shift+O", self.reviewing.ask),
                (self.tr("Session…"), "Ctrl+Shift+N", self.recording.edit_session),
                (self.tr("Settings…"), "Ctrl+,", self.configuring.edit),
                (self.tr("Open recordings"), "", lambda: open_folder(recording_folder(self.config))),
                (self.tr("Open log folder"), "", lambda: open_folder(platformdirs.user_log_path(APP_NAME))),
                (self.tr("Keys"), "F1", self.show_keys),
            )
        )

    def _list_keys(self) -> list[Key]:
        """Those without a press are shortcuts of the menu."""
        mark_keys = [partial(self.recording.mark_key, number) for number in range(1, 10)]
        step = self.live.selection.step
        return [
            Key(" ", self.tr("Space"), self.tr("start or stop"), [self.running.toggle]),
            Key("r", "R", self.tr("record"), [self.recording.toggle]),
            Key("m", "M", self.tr("marker"), [self.recording.mark]),
            Key("123456789", "1-9", self.tr("named markers"), mark_keys),
            Key("b", "B", self.tr("neutral baseline"), [self.neutral_look.take]),
            Key("s", "S", self.tr("snapshot"), [self.save_snapshot]),
            Key("h", "H", self.tr("mirror"), [self.toolbar.mirror.trigger]),
            Key("f", "F", self.tr("full screen"), [self.toggle_full_screen]),
            Key("\x1b", self.tr("Esc"), self.tr("leave full screen"), [self.leave_full_screen]),
            Key("[]", "[ ]", self.tr("previous or next face"), [partial(step, -1), partial(step, 1)]),
            Key("", printed("Ctrl+O"), self.tr("open a video"), []),
            Key("", printed("Ctrl+L"), self.tr("open a stream"), []),
            Key("", printed("Ctrl+Shift+O"), self.tr("open a session"), []),
            Key("", printed("Ctrl+Shift+N"), self.tr("consent, note and video of the next recordings"), []),
            Key("", printed("Ctrl+,"), self.tr("settings"), []),
        ]

    def _restore(self, source: str | None) -> None:
        geometry = self._settings.value(_GEOMETRY)
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(1080, 720)
        self.toolbar.mirror.setChecked(self._settings.value(_MIRRORED, True, type=bool))
        self._mirror()
        self.running.source = source or str(self._settings.value(_SOURCE, ""))
        self._show_actions(None)
        self.running.is_allowed = self._settings.value(_NOTICE_SEEN, False, type=bool)
        if not self.running.is_allowed:
            self._show_notice()

    def _show_notice(self) -> None:
        # Most starts do without it, and without the model card that it quotes.
        from fer_live.ui.notice_page import NoticePage

        if self._notice is None:
            self._notice = NoticePage(self.config.model)
            self._notice.accepted.connect(self._accept_notice)
        self._show_page(self._notice)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """What sessions need has to wait until the window can be seen."""
        super().paintEvent(event)
        QTimer.singleShot(0, self.loading_sessions.begin)

    def _show_page(self, page: QWidget) -> None:
        if page is self.pages.currentWidget():
            return
        if page is not self.reviewing.page:
            self.reviewing.release()
        if self.pages.indexOf(page) < 0:
            self.pages.addWidget(page)
        self.pages.setCurrentWidget(page)
        self.setFocus()

    def _accept_notice(self) -> None:
        self._settings.setValue(_NOTICE_SEEN, True)
        self.running.is_allowed = True
        self._show_page(self.starting)
        self._begin()

    def _take_sources(self) -> None:
        """Sessions can be started now."""
        if self.isVisible():  # not closed meanwhile
            self.running.list_sources(self.running.source)
            self._begin()

    def _begin(self) -> None:
        """Starts by itself, once, when that is possible and the notice has been read."""
        if self._has_begun or not self.loading_sessions.is_over or not self.running.is_allowed:
            return
        self._has_begun = True
        if self.controller.session is None:
            self._show_page(self.welcome)
            if self._session is not None:
                self.reviewing.show_session(self._session)
            else:
                self.running.start_if_possible()

    def _clear(self) -> None:
        """Forgets what was shown of the last session."""
        self.live.clear()
        self.status_line.clear()
        self.banner.dismiss()

    def _mirror(self) -> None:
        self.live.view.set_mirrored(self.toolbar.mirror.isChecked())

    def _stop_at_once(self) -> None:
        is_running = self.controller.session is not None
        self.running.stop_at_once()
        if is_running:
            self._show_status(None)

    def _end_review(self) -> None:
        self._show_page(self.welcome)
        self.running.start_if_possible()

    def _take_config(self, config: Config) -> None:
        self.config = config

    def _take_recording_settings(self, settings: RecordingConfig) -> None:
        self.config = self.config.model_copy(update={"recording": settings})

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
        self.banner.show_message(self._active_keys().help(), Tone.INFO, Until.CLOSED)

    def _active_keys(self) -> Keys:
        page = self.reviewing.page
        return page.keys if page is not None and page is self.pages.currentWidget() else self._keys

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
        if event is None or not self._active_keys().press(event.text(), event.isAutoRepeat()):
            super().keyPressEvent(event)

    def _show_result(self, frame: Frame, result: Result) -> None:
        session = self.controller.session
        if session is None or session.backend is None:
            return
        self.live.show_result(frame, result, session.backend.card.labels)
        self.status_line.count(result)
        # Not earlier, or the first label would wait for it.
        self.loading_plots.begin()

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
            if not self.neutral_look.show():
                self.banner.end_state()
        elif status.state is LiveState.STARTING:
            self.starting.show_source(self.toolbar.picker.currentText())
            self._show_page(self.starting)
        elif status.state is LiveState.STALLED:
            stop = (self.tr("Stop"), self.running.toggle)
            self.banner.show_message(stalled_text(status), Tone.WARNING, Until.OVER, [stop])
        elif status.state is LiveState.ENDED:
            self.banner.show_news(self.tr("The video has ended."))
            self.controller.stop()
        elif status.state is LiveState.FAILED:
            self._show_failure(status.error)

    def _show_failure(self, error: Exception | None) -> None:
        self.controller.stop()
        again = (self.tr("Try again"), self.running.try_again)
        details = (self.tr("Copy details"), lambda: copy_details(error))
        self.banner.show_message(error_text(error), Tone.ERROR, Until.CLOSED, [again, details])
        if self.controller.session is None:
            self._show_ended()

    def _show_failed_outlet(self, error: FerError) -> None:
        """The session runs on without it."""
        self.banner.show_message(error_text(error), Tone.WARNING, Until.CLOSED)

    def _show_ended(self) -> None:
        self.status_line.clear()
        self.banner.end_state()
        if not self.running.go_on():
            self.live.clear()
            self._show_page(self.welcome)

    def _show_actions(self, status: LiveStatus | None) -> None:
        has_picture = status is not None and status.state in (LiveState.RUNNING, LiveState.STALLED)
        is_recording = self.controller.recorder is not None
        self.toolbar.show_state(self.controller.session is not None, has_picture, is_recording)

    def _show_recording(self) -> None:
        """A recording began or ended."""
        session = self.controller.session
        self._show_actions(None if session is None else session.status())
        self.status_line.show_recording(self.controller.recorder is not None)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Asks once while recording; then the recording is closed and everything stopped."""
        assert event is not None
        if not self.recording.may_end(self.tr("A recording is going on. Finish it and close?")):
            event.ignore()
            return
        self.loading_sessions.stop()
        self.loading_plots.stop()
        self.preparing.stop()
        self.controller.shut_down()
        self.reviewing.release()
        self.leave_full_screen()
        self._settings.setValue(_GEOMETRY, self.saveGeometry())
        self._settings.setValue(_MIRRORED, self.toolbar.mirror.isChecked())
        # Addresses of streams may hold passwords.
        self._settings.setValue(_SOURCE, "" if is_url(self.running.source) else self.running.source)
        event.accept()
