from __future__ import annotations

from types import SimpleNamespace

import pytest

from fer_live.capture import listing
from fer_live.capture.listing import CAPTURE_API, CameraEntry, find_camera, list_cameras
from fer_live.errors import SourceError


@pytest.fixture(autouse=True)
def plugged_in(monkeypatch: pytest.MonkeyPatch) -> list[SimpleNamespace]:
    """What the system lists."""
    found = [SimpleNamespace(index=0, name="Integrated Camera"), SimpleNamespace(index=4, name="Logitech C920")]

    def enumerate_cameras(api: int) -> list[SimpleNamespace]:
        assert api == CAPTURE_API
        return found

    monkeypatch.setattr(listing, "enumerate_cameras", enumerate_cameras)
    return found


def test_cameras_are_listed_in_order() -> None:
    assert list_cameras() == [CameraEntry(0, "Integrated Camera"), CameraEntry(4, "Logitech C920")]


@pytest.mark.parametrize("text", ["Logitech C920", "logitech", "c920"])
def test_by_a_part_of_the_name(text: str) -> None:
    assert find_camera(text) == CameraEntry(4, "Logitech C920")


def test_by_index() -> None:
    assert find_camera("4") == CameraEntry(4, "Logitech C920")


def test_index_that_is_not_listed_is_taken_as_it_is() -> None:
    assert find_camera("7") == CameraEntry(7, "camera 7")


def test_number_that_is_no_index_is_no_camera() -> None:
    with pytest.raises(SourceError, match="no file or camera '99999999999'"):
        find_camera("99999999999")


def test_no_name_is_no_camera() -> None:
    with pytest.raises(SourceError, match="no file or camera ''"):
        find_camera("")


def test_unknown_name_says_which_there_are() -> None:
    with pytest.raises(SourceError, match=r"'Brio'.*'Integrated Camera', 'Logitech C920'"):
        find_camera("Brio")


def test_unknown_name_without_a_camera(plugged_in: list[SimpleNamespace]) -> None:
    plugged_in.clear()
    with pytest.raises(SourceError, match="Cameras here: none"):
        find_camera("Brio")
