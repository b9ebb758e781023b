"""Takes the screenshots of docs/img again.

python docs/screenshots.py     (QT_QPA_PLATFORM=offscreen will do, where fonts are installed)
"""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from PyQt6.QtCore import QBuffer, QSettings, QTimer
from PyQt6.QtGui import QPixmap
from PyQt6.QtWidgets import QApplication

from fer_live.config import load_config
from fer_live.core.overlay import COLOURS
from fer_live.record.recorder import Recorder
from fer_live.ui.main_window import MainWindow

_FOLDER = Path(__file__).parent / "img"
_PALETTE_SIZE = 256
# The demo starts on one face; half a turn later it shows six.
_SIX_FACES_MS, _RECORDED_MS = 3500, 15_000
_REVIEWED_S = 6.0


def main() -> None:
    application = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        settings.setValue("notice_seen", True)
        window = MainWindow(load_config(None, [f"record_dir={folder}", "recording.video=true"]), settings)
        window.show()
        pictures: dict[str, QPixmap] = {}
        QTimer.singleShot(500, lambda: _take(window, pictures))
        application.exec()
    for name, picture in pictures.items():
        _save(picture, name)


def _take(window: MainWindow, pictures: dict[str, QPixmap]) -> None:
    """Takes all pictures, but saves none: the window would stand still meanwhile."""

    def take(name: str) -> None:
        pictures[name] = window.grab()

    def record() -> None:
        window.recording.toggle()
        for after_ms, name in ((1500, "baseline"), (5000, "film 1")):
            QTimer.singleShot(after_ms, lambda name=name: window.recording.mark_text(name))

    def end_recording() -> None:
        take("app-recording")
        window.controller.recorded.connect(review)
        window.recording.toggle()

    def review(recorder: Recorder) -> None:
        assert recorder.folder is not None
        window.reviewing.show_session(recorder.folder)
        window.banner.hide()
        page = window.reviewing.page
        assert page is not None
        page.seek(_REVIEWED_S)
        # Once the page has its size, the picture has its own.
        QTimer.singleShot(0, finish)

    def finish() -> None:
        take("review")
        window.close()

    take("app-welcome")
    started: list[object] = []

    def begin(*_: object) -> None:
        if not started:
            started.append(True)
            QTimer.singleShot(_SIX_FACES_MS, lambda: take("app-running"))
            QTimer.singleShot(_SIX_FACES_MS + 100, record)
            QTimer.singleShot(_RECORDED_MS, end_recording)

    window.controller.analysed.connect(begin)
    window.welcome.demo_wanted.emit()


def _save(picture: QPixmap, name: str) -> None:
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    image = Image.open(BytesIO(bytes(buffer.data()))).convert("RGB")
    image.quantize(palette=_palette(image), dither=Image.Dither.NONE).save(_FOLDER / f"{name}.png", optimize=True)


def _palette(image: Image.Image) -> Image.Image:
    """The colours that serve the picture best, and each label's own as it is."""
    fixed = [int(colour[start : start + 2], 16) for colour in COLOURS.values() for start in (1, 3, 5)]
    best = image.quantize(_PALETTE_SIZE - len(COLOURS)).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette(fixed + best)
    return palette


if __name__ == "__main__":
    main()
