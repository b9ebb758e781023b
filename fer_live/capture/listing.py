"""Which cameras are plugged in, by name."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import cv2
from cv2_enumerate_cameras import enumerate_cameras

from fer_live.errors import SourceError

_PREFERENCES = {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION, "win32": cv2.CAP_MSMF}
CAPTURE_API = _PREFERENCES.get(sys.platform, cv2.CAP_ANY)
"""OpenCV's capture backend: indices below are its own."""

_MOST_DIGITS = 9
"""More do not fit into the number that OpenCV takes."""


@dataclass(frozen=True)
class CameraEntry:
    """index: OpenCV's, for CAPTURE_API. name: as the system calls it."""

    index: int
    name: str


def list_cameras() -> list[CameraEntry]:
    """The cameras of this machine, by their index."""
    cameras = (CameraEntry(found.index, found.name) for found in enumerate_cameras(CAPTURE_API))
    return sorted(cameras, key=lambda camera: camera.index)


def find_camera(text: str) -> CameraEntry:
    """A camera by its index or by a part of its name; raises SourceError naming those there are.

    An index is taken as it is, so that cameras which the system does not list can still be used.
    """
    cameras = list_cameras()
    if text.isdecimal() and len(text) <= _MOST_DIGITS:
        index = int(text)
        return next((camera for camera in cameras if camera.index == index), CameraEntry(index, f"camera {index}"))
    for camera in cameras:
        if text and text.lower() in camera.name.lower():
            return camera
    names = ", ".join(f"'{camera.name}'" for camera in cameras) or "none"
    raise SourceError(
        f"There is no file or camera '{text}'.", f"Cameras here: {names}. Or name a video, a stream's URL, or 'demo'."
    )


def find_again(camera: CameraEntry, has_twin: bool) -> CameraEntry:
    """A camera that may have been plugged in anew, and then at another index, if that can be told by its name.

    has_twin: there is another one of this name. Raises SourceError if its index is another camera's now.
    """
    cameras = list_cameras()
    namesakes = [each for each in cameras if each.name == camera.name]
    if len(namesakes) == 1 and not has_twin:
        return namesakes[0]
    if any(each.index == camera.index and each.name != camera.name for each in cameras):
        raise SourceError(f"Camera '{camera.name}' is not plugged in.", "Plug it in again.")
    return camera
