from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fer_live.capture.pictures import PictureSource, decode_picture, read_picture
from fer_live.errors import SourceError
from tests.media import quarters, write_picture


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg"])
def test_formats(tmp_path: Path, suffix: str) -> None:
    image = read_picture(write_picture(tmp_path / f"one{suffix}", quarters()))
    assert cv2.PSNR(image, quarters()) > 20


@pytest.mark.parametrize(
    "image",
    [np.full((8, 8), 200, np.uint8), np.full((8, 8, 4), 200, np.uint8), np.full((8, 8, 3), 200 * 257, np.uint16)],
    ids=["grey", "with alpha", "16 bits"],
)
def test_any_kind_of_pixel_becomes_bgr(tmp_path: Path, image: np.ndarray) -> None:
    read = read_picture(write_picture(tmp_path / "one.png", image))
    assert read.shape == (8, 8, 3)
    assert (read == 200).all()


@pytest.mark.parametrize(("orientation", "quarter_turns"), [(3, 2), (6, -1), (8, 1)])
def test_exif_orientation_is_honoured(tmp_path: Path, orientation: int, quarter_turns: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "phone.jpg"
    Image.fromarray(quarters()[:, :, ::-1]).save(path, exif=exif, quality=95, subsampling=0)
    upright = np.rot90(quarters(), quarter_turns)
    image = read_picture(path)
    assert image.shape == upright.shape
    assert cv2.PSNR(image, np.ascontiguousarray(upright)) > 30


def test_folder_is_read_by_name_and_only_its_pictures(tmp_path: Path) -> None:
    for name, shade in (("b.png", 20), ("a.JPG", 10), ("ц.png", 30)):
        content = cv2.imencode(".png", np.full((8, 8, 3), shade, np.uint8))[1]
        (tmp_path / name).write_bytes(content.tobytes())
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "album.png").mkdir()
    with PictureSource(tmp_path) as source:
        assert source.files == ("a.JPG", "b.png", "ц.png")
        assert [frame.image[0, 0, 0] for frame in iter(source.read, None)] == [10, 20, 30]


def test_rate_makes_a_sequence(tmp_path: Path) -> None:
    for number in range(3):
        write_picture(tmp_path / f"{number}.png", quarters())
    with PictureSource(tmp_path, 25.0) as source:
        assert not source.is_stills
        assert [frame.captured_at for frame in iter(source.read, None)] == [0, 0.04, 0.08]
    with PictureSource(tmp_path) as source:
        assert source.is_stills


def test_identity_follows_content_names_and_rate(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", quarters())
    before = PictureSource(tmp_path).identity
    (tmp_path / "a.png").rename(tmp_path / "b.png")
    renamed = PictureSource(tmp_path).identity
    write_picture(tmp_path / "b.png", quarters(32, 32))
    assert len({before, renamed, PictureSource(tmp_path).identity, PictureSource(tmp_path, 25.0).identity}) == 4


def test_folder_without_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"holds no pictures\. Expected files ending in \.bmp, "):
        PictureSource(tmp_path)


def test_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="There is no file or folder"):
        PictureSource(tmp_path / "absent.png")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs /proc for a file that cannot be read")
def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    # Its first page is mapped nowhere, so reading it fails for root too, unlike a file without permissions.
    (tmp_path / "one.png").symlink_to("/proc/self/mem")
    unread = PictureSource(tmp_path).identity
    with pytest.raises(SourceError, match=r"one\.png' cannot be read"):
        read_picture(tmp_path / "one.png")
    (tmp_path / "one.png").unlink()
    write_picture(tmp_path / "one.png", quarters())
    assert PictureSource(tmp_path).identity != unread


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def _too_large() -> bytes:
    header = _png_chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + _png_chunk(b"IDAT", zlib.compress(b"\0")) + _png_chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"GIF", "is not a picture that can be decoded"),
        (np.random.default_rng(5).bytes(3000), "is not a picture that can be decoded"),
        (_too_large(), "is not a picture that can be decoded"),
    ],
    ids=["empty", "three bytes", "garbage", "too large"],
)
def test_what_is_no_picture_is_refused_in_silence(
    tmp_path: Path, content: bytes, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        read_picture(path)
    assert decode_picture(content) is None
    assert capfd.readouterr() == ("", "")


def test_bad_picture_in_a_folder_is_named_when_its_turn_comes(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", quarters())
    (tmp_path / "b.png").touch()
    with PictureSource(tmp_path) as source:
        assert source.read() is not None
        with pytest.raises(SourceError, match=r"b\.png' is empty"):
            source.read()


@pytest.mark.parametrize("rate_hz", [None, 10.0])
def test_bad_pictures_of_a_folder_are_passed_over_and_told(tmp_path: Path, rate_hz: float | None) -> None:
    for name in "acef":
        (tmp_path / f"{name}.png").touch()
    for name in "bd":
        write_picture(tmp_path / f"{name}.png", quarters())
    told: list[str] = []
    with PictureSource(tmp_path, rate_hz, on_unreadable=told.append) as source:
        frames = list(iter(source.read, None))
        assert [(frame.index, frame.captured_at) for frame in frames] == [
            (1, 1 / (rate_hz or 1)),
            (3, 3 / (rate_hz or 1)),
        ]
        assert source.read() is None
    assert told == [
        f"'{tmp_path / name}.png' is empty (0 bytes). Remove it, or save it again as JPEG or PNG." for name in "acef"
    ]


@pytest.mark.parametrize("names", ["a", "abc"])
def test_folder_without_a_picture_that_can_be_read_is_an_error(tmp_path: Path, names: str) -> None:
    for name in names:
        (tmp_path / f"{name}.png").touch()
    source = PictureSource(tmp_path, on_unreadable=lambda _: None)
    with pytest.raises(SourceError, match=rf"No picture of .*{names[-1]}\.png' is empty"):
        source.read()


def test_one_bad_picture_by_its_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    source = PictureSource(tmp_path / "a.png", on_unreadable=lambda _: None)
    with pytest.raises(SourceError, match=r"^'.*a\.png' is empty"):
        source.read()
