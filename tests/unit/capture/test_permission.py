from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from fer_live.capture.camera import CameraRefused
from fer_live.capture.permission import request_camera

_AUTHORIZED, _DENIED, _NOT_ASKED = 3, 2, 0


def _answers(source: str) -> list[CameraRefused | None]:
    answers: list[CameraRefused | None] = []
    request_camera(source, answers.append)
    return answers


@pytest.mark.parametrize("source", ["0", "Logitech", "demo", "rtsp://host/live", "clip.mp4"])
def test_linux_has_no_question(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert _answers(source) == [None]


class _MacOs:
    """What AVFoundation offers, with a user who answers."""

    AVMediaTypeVideo = "vide"

    def __init__(self, status: int, is_granted: bool) -> None:
        self._status, self._is_granted = status, is_granted
        self.AVCaptureDevice = self

    def authorizationStatusForMediaType_(self, media: str) -> int:
        assert media == self.AVMediaTypeVideo
        return self._status

    def requestAccessForMediaType_completionHandler_(self, media: str, on_answer: Any) -> None:
        on_answer(self._is_granted)


@pytest.mark.parametrize(
    ("status", "is_granted", "is_refused"),
    [(_AUTHORIZED, True, False), (_NOT_ASKED, True, False), (_NOT_ASKED, False, True), (_DENIED, True, True)],
)
def test_macos_asks(status: int, is_granted: bool, is_refused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "AVFoundation", _MacOs(status, is_granted))
    (answer,) = _answers("0")
    assert (answer is not None) == is_refused
    assert answer is None or "System Settings" in answer.hint


@pytest.mark.parametrize("source", ["demo", "rtsp://host/live", __file__])
def test_no_system_is_asked_where_no_camera_is_needed(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "AVFoundation", _MacOs(_DENIED, False))
    assert _answers(source) == [None]


class _Key:
    def __init__(self, value: str) -> None:
        self.value = value

    def __enter__(self) -> _Key:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


@pytest.mark.parametrize(("value", "is_refused"), [("Deny", True), ("Allow", False), (None, False)])
def test_windows_privacy_switch(value: str | None, is_refused: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_key(root: str, path: str) -> _Key:
        assert "webcam" in path
        if value is None:
            raise FileNotFoundError(path)
        return _Key(value)

    registry = SimpleNamespace(
        HKEY_CURRENT_USER="user", OpenKey=open_key, QueryValueEx=lambda key, name: (key.value, name)
    )
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "winreg", registry)
    (answer,) = _answers("0")
    assert (answer is not None) == is_refused
    assert answer is None or "Privacy" in answer.hint
