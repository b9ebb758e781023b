from __future__ import annotations

import os

import pytest

from fer_live.errors import SourceError
from fer_live.source_names import is_url, names_camera, printable, public_address


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("rtsp://user:secret@10.0.0.2:554/live/1?token=abc", "rtsp://10.0.0.2:554/live/1"),
        ("http://user:sec@ret@host/a.mjpg#secret", "http://host/a.mjpg"),
        ("http://token@host", "http://host"),
        ("rtsp://user:secret@[fe80::1]:554/live", "rtsp://[fe80::1]:554/live"),
        ("http://host:8080/video", "http://host:8080/video"),
    ],
)
def test_public_address_hides_user_password_and_query(url: str, public: str) -> None:
    assert public_address(url) == public


@pytest.mark.parametrize("url", ["rtsp://user:sec/ret@host/live", "http://user:secret@host:99999/", "http://[secret/"])
def test_address_that_is_none_is_not_repeated(url: str) -> None:
    with pytest.raises(SourceError, match="address is not valid") as raised:
        public_address(url)
    assert "user:sec" not in str(raised.value)
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    ("text", "is_one"), [("rtsp://host/live", True), ("http://host", True), ("0", False), ("/tmp/clip.mp4", False)]
)
def test_url_or_not(text: str, is_one: bool) -> None:
    assert is_url(text) == is_one


def test_a_name_that_no_disk_takes_is_no_file() -> None:
    assert names_camera("x" * 5000)


def test_name_that_is_not_utf8_can_be_written() -> None:
    assert printable("Größe 😀.mp4") == "Größe 😀.mp4"
    assert printable(os.fsdecode(b"M\xfcller.mp4")) == "M\ufffdller.mp4"
