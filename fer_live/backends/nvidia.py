"""Whether there is an NVIDIA driver with a GPU: asked of the driver itself, so that it can be asked anywhere."""

from __future__ import annotations

import ctypes
import sys

_NO_DEVICE = 100
_LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


def driver_refusal() -> str | None:
    """Initializes the driver; None if it has a GPU, else the reason.

    To be called before anything of TensorRT: without a driver version 11 ends the process instead of raising.
    """
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return "no NVIDIA driver is installed here"
    code = library.cuInit(0)
    if code == _NO_DEVICE:
        return "the NVIDIA driver finds no GPU; CUDA_VISIBLE_DEVICES may hide it"
    if code != 0:
        return f"the NVIDIA driver does not start (cuInit gives {code})"
    count = ctypes.c_int(0)
    code = library.cuDeviceGetCount(ctypes.byref(count))
    if code != 0 or count.value < 1:
        return f"the NVIDIA driver finds no GPU (cuDeviceGetCount gives {code}, {count.value} found)"
    return None


def cuda_of_driver() -> int:
    """The newest major version of CUDA that the driver can serve; to be asked where driver_refusal() gives None."""
    version = ctypes.c_int(0)
    ctypes.CDLL(_LIBRARY).cuDriverGetVersion(ctypes.byref(version))
    return version.value // 1000
