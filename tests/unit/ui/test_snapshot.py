from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtGui import QColor, QImage

from fer_live.errors import RecordError
from fer_live.ui.snapshot import save_snapshot


@pytest.fixture
def image() -> QImage:
    image = QImage(32, 24, QImage.Format.Format_RGB32)
    image.fill(QColor("#123456"))
    return image


def test_picture_is_kept_as_it_is(image: QImage, tmp_path: Path) -> None:
    path = save_snapshot(image, tmp_path / "new" / "folder")
    assert path.parent == tmp_path / "new" / "folder"
    saved = QImage(str(path))
    assert (saved.width(), saved.height()) == (32, 24)
    assert saved.pixelColor(3, 3).name() == "#123456"


def test_each_has_its_own_name(image: QImage, tmp_path: Path) -> None:
    assert len({save_snapshot(image, tmp_path) for _ in range(5)}) == 5


def test_folder_that_cannot_be_made_is_said(image: QImage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match=r"snapshot_.*cannot be written.*Choose another folder"):
        save_snapshot(image, tmp_path / "file")


def test_picture_that_cannot_be_written_is_said(image: QImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QImage, "save", lambda *_: False)
    with pytest.raises(RecordError):
        save_snapshot(image, tmp_path)
