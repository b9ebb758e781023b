from __future__ import annotations

from types import SimpleNamespace

import pytest

from fer_live.capture import listing
from fer_live.capture.listing import CAPTURE_API, CameraEntry, find_again, find_camera, list_cameras
from fer_live.errors import SourceError


@pytest.fixture(autouse=True)
def plugged_in(monkeypatch: pytest.MonkeyPatch) -> list[SimpleNamespace]:
    """What the system lists."""
    found = [SimpleNamespace(index=4, name="Logitech C920"), SimpleNamespace(index=0, name="Integrated Camera")]

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


_C920 = CameraEntry(4, "Logitech C920")


def test_again_where_it_was() -> None:
    assert find_again(_C920, has_twin=False) == _C920


def test_again_at_another_index(plugged_in: list[SimpleNamespace]) -> None:
    plugged_in[0].index = 2
    assert find_again(_C920, has_twin=False) == CameraEntry(2, "Logitech C920")


def test_another_camera_at_its_index_is_not_it(plugged_in: list[SimpleNamespace]) -> None:
    plugged_in[0].name = "Brio"
    with pytest.raises(SourceError, match="Camera 'Logitech C920' is not plugged in"):
        find_again(_C920, has_twin=False)


def test_its_twin_is_not_it(plugged_in: list[SimpleNamespace]) -> None:
    plugged_in[0].index = 2
    assert find_again(_C920, has_twin=True) == _C920


def test_one_that_is_not_listed_is_tried_where_it_was(plugged_in: list[SimpleNamespace]) -> None:
    plugged_in.clear()
    assert find_again(_C920, has_twin=False) == _C920
