"""Live outlets as the window shows them."""

from __future__ import annotations

import json
import socket

from PyQt6.QtWidgets import QCheckBox, QLineEdit, QTabWidget
from websockets.sync.client import connect

from fer_live.config import Config, load_config
from fer_live.pipeline.status import LiveState
from fer_live.ui.settings_dialog import SettingsDialog
from tests.gui.conftest import Stage, assert_nothing_clipped, visible_text
from tests.unit.outlets.ports import HOST, free_port, is_open


def test_status_line_counts_clients_and_the_timeline_shows_their_markers(stage: Stage) -> None:
    port = free_port(socket.SOCK_STREAM)
    stage.config = load_config(assignments=[f"outlets.websocket={port}", f"outlets.osc={HOST}:{port}"])
    window = stage.run()
    marked: list[str] = []
    window.controller.marked.connect(lambda marker: marked.append(marker.name))
    stage.wait(lambda: is_open(port))
    with connect(f"ws://{HOST}:{port}", compression=None) as client:
        stage.wait(lambda: "live: OSC, WebSocket 1" in window.status_line.text())
        client.send(json.dumps({"marker": "stimulus 3"}))
        stage.wait(lambda: marked == ["stimulus 3"])
    stage.wait(lambda: "live: OSC, WebSocket 0" in window.status_line.text())
    assert window.controller.session is not None
    assert window.controller.session.status().outlet_errors == ()


def test_without_outlets_the_status_line_says_nothing_of_them(stage: Stage) -> None:
    window = stage.run()
    stage.wait(window.status_line.text)
    assert "live" not in window.status_line.text()


def test_outlet_that_cannot_be_opened_is_told_while_the_session_runs(stage: Stage) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        stage.config = load_config(assignments=[f"outlets.websocket={port}"])
        window = stage.run()
        stage.wait(lambda: f"port {port}" in window.banner.text())
        assert_nothing_clipped(window)
        assert window.controller.session is not None
        assert window.controller.session.status().state is LiveState.RUNNING
        window.banner.dismiss()
        frames = window.controller.session.status().frames
        stage.wait(lambda: window.controller.session and window.controller.session.status().frames > frames + 20)
        # Once told is enough.
        assert window.banner.text() == ""


def test_settings_refuse_other_machines_unless_they_are_allowed(stage: Stage) -> None:
    dialog = SettingsDialog(Config())
    dialog.show()
    tabs = dialog.findChild(QTabWidget)
    assert tabs is not None
    tabs.setCurrentIndex([tabs.tabText(index) for index in range(tabs.count())].index("Outlets"))
    (osc,) = (each for each in dialog.findChildren(QLineEdit) if each.accessibleName() == "osc")
    (allowed,) = (each for each in dialog.findChildren(QCheckBox) if each.accessibleName() == "allow other machines")
    osc.setText("192.168.1.5:9000")
    dialog.accept()
    assert "192.168.1.5" in visible_text(dialog)
    assert dialog.config == Config()
    allowed.setChecked(True)
    dialog.accept()
    assert dialog.config.outlets.osc_target() == ("192.168.1.5", 9000)
