"""Whether the system lets this program use a camera. Only Linux has been run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from fer_live.capture.camera import CameraRefused
from fer_live.source_names import names_camera

_DENIED_STATES = (1, 2)  # AVAuthorizationStatus: restricted, denied
_ALLOW_MACOS = "Allow it in System Settings > Privacy & Security > Camera, then start again."
_ALLOW_WINDOWS = "Allow it in Settings > Privacy & security > Camera ('Let desktop apps access your camera')."
_CONSENT = r"Software\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore\webcam"


def request_camera(source: str, on_answer: Callable[[CameraRefused | None], None]) -> None:
    """Asks for the camera where a source needs one; on_answer gets None, or the refusal.

    To be called on the GUI thread: macOS shows its question only then. The answer may come later, on any thread.
    """
    if not names_camera(source):
        on_answer(None)
    elif sys.platform == "darwin":
        _ask_macos(on_answer)
    elif sys.platform == "win32":
        on_answer(_refusal_of_windows())
    else:
        on_answer(None)


def _ask_macos(on_answer: Callable[[CameraRefused | None], None]) -> None:
    foundation: Any = import_module("AVFoundation")
    device, media = foundation.AVCaptureDevice, foundation.AVMediaTypeVideo
    refusal = CameraRefused("macOS does not let this program use the camera.", _ALLOW_MACOS)
    if device.authorizationStatusForMediaType_(media) in _DENIED_STATES:
        on_answer(refusal)
    else:
        device.requestAccessForMediaType_completionHandler_(
            media, lambda granted: on_answer(None if granted else refusal)
        )


def _refusal_of_windows() -> CameraRefused | None:
    winreg: Any = import_module("winreg")

    for key in (_CONSENT, _CONSENT + r"\NonPackaged"):
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
                if winreg.QueryValueEx(opened, "Value")[0] == "Deny":
                    return CameraRefused("Windows does not let this program use the camera.", _ALLOW_WINDOWS)
        except OSError:
            continue
    return None
