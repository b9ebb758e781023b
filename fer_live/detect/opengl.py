"""Keeps MediaPipe from opening OpenGL contexts, of which it has no use for models that run on the CPU."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

_VENDORS = "__EGL_VENDOR_LIBRARY_FILENAMES"


def without_opengl() -> None:
    """Has EGL know no driver in this process; does nothing where EGL is in use already, or is not libglvnd's.

    On Linux with a display, MediaPipe opens a context a model, with a driver and threads behind it: 60 MB with Mesa's
    software renderer. Only its C++ side can be told not to. libglvnd reads the variable once, when a display is asked
    for (src/EGL/icd_enumeration.md in its sources); programs that are started later get the environment as it was.
    Nothing else here draws with OpenGL.
    """
    if sys.platform != "linux" or _VENDORS in os.environ:
        return
    os.environ[_VENDORS] = ""
    with suppress(OSError):  # where the library is missing, MediaPipe says so
        ctypes.CDLL("libEGL.so.1").eglGetDisplay(None)
    del os.environ[_VENDORS]
