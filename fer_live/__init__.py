"""FER Live: facial emotion recognition from a webcam or a video, in real time."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("fer-live")
except PackageNotFoundError:
    __version__ = "0+uninstalled"
