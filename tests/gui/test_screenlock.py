"""The lock of the screen, told on a message bus of our own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from PyQt6.QtDBus import QDBusConnection, QDBusMessage
from pytestqt.qtbot import QtBot

from fer_live.ui.screenlock import INTERFACES, ScreenLock, watch_screen
from tests.gui.conftest import WAIT_MS, Stage

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("dbus-daemon") is None, reason="needs Linux and dbus-daemon"
)


@pytest.fixture
def address() -> Iterator[str]:
    command = ["dbus-daemon", "--session", "--nofork", "--print-address"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        yield daemon.stdout.readline().strip()
        daemon.terminate()


@pytest.fixture
def listening(address: str) -> Iterator[QDBusConnection]:
    yield QDBusConnection.connectToBus(address, "listening")
    QDBusConnection.disconnectFromBus("listening")


@pytest.fixture
def desktop(address: str) -> Iterator[QDBusConnection]:
    yield QDBusConnection.connectToBus(address, "desktop")
    QDBusConnection.disconnectFromBus("desktop")


def _tell(desktop: QDBusConnection, interface: str, is_locked: bool) -> bool:
    message = QDBusMessage.createSignal("/" + interface.replace(".", "/"), interface, "ActiveChanged")
    message.setArguments([is_locked])
    return desktop.send(message)


@pytest.mark.parametrize("interface", INTERFACES)
def test_every_desktop_is_understood(
    interface: str, listening: QDBusConnection, desktop: QDBusConnection, qtbot: QtBot
) -> None:
    lock = ScreenLock(listening)
    told: list[bool] = []
    lock.changed.connect(told.append)
    # More than once: nobody knows from when on the bus passes it on.
    qtbot.waitUntil(lambda: _tell(desktop, interface, True) and lock.is_locked, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: _tell(desktop, interface, False) and not lock.is_locked, timeout=WAIT_MS)
    assert told == [True, False]


def test_without_a_bus_nobody_knows(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, stage: Stage) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    assert watch_screen(stage.open()) is None


def test_the_session_is_told(
    stage: Stage, listening: QDBusConnection, desktop: QDBusConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_live.ui.controller.watch_screen", lambda parent: ScreenLock(listening, parent))
    window = stage.run()
    session = window.controller.session
    assert session is not None
    assert not session.is_screen_locked
    stage.wait(lambda: _tell(desktop, INTERFACES[0], True) and session.is_screen_locked)
    stage.wait(lambda: _tell(desktop, INTERFACES[0], False) and not session.is_screen_locked)
