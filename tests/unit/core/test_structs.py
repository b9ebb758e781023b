from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from fer_live.core.structs import Faces, Frame, Result, Track
from tests.fakes import faces_at


def _track(**changes: object) -> Track:
    fields = {
        "face_id": 1,
        "box": np.array([0, 0, 10, 10], np.float32),
        "score": 0.9,
        "probabilities": np.array([0.25, 0.75], np.float32),
        "smoothed": np.array([0.5, 0.5], np.float32),
        "label_index": 1,
        "hits": 1,
        "age_s": 0.0,
    }
    return Track(**{**fields, **changes})  # type: ignore[arg-type]


def test_frame_keeps_its_picture_read_only_without_copying() -> None:
    image = np.zeros((4, 6, 3), np.uint8)
    frame = Frame(image, 0, 0.0)
    assert np.shares_memory(frame.image, image)
    with pytest.raises(ValueError, match="read-only"):
        frame.image[0] = 1
    image[0] = 1  # what was handed in stays writable


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 6), np.uint8), np.zeros((4, 6, 4), np.uint8), np.zeros((4, 6, 3), np.float32)],
    ids=["grey", "with alpha", "float"],
)
def test_frame_refuses_another_picture(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="image must be uint8"):
        Frame(image, 0, 0.0)


def test_records_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Frame(np.zeros((4, 6, 3), np.uint8), 0, 0.0).index = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("boxes", np.zeros((2, 5), np.float32)),
        ("boxes", np.zeros((2, 4), np.float64)),
        ("scores", np.zeros(3, np.float32)),
        ("scores", np.zeros((2, 1), np.float32)),
        ("keypoints", np.zeros((2, 5, 2), np.float32)),
        ("regions", np.zeros((1, 4), np.float32)),
    ],
)
def test_faces_refuse_arrays_that_do_not_fit(field: str, value: np.ndarray) -> None:
    faces = faces_at((0, 0, 1, 1), (2, 2, 3, 3))
    with pytest.raises(ValueError, match=f"{field} must be float32"):
        replace(faces, **{field: value})


def test_faces_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        faces_at((0, 0, 1, 1)).boxes[0] = 0


def test_taking_faces_keeps_rows_together() -> None:
    faces = faces_at((0, 0, 2, 2), (4, 4, 8, 8), (9, 9, 10, 10)).take([2, 0])
    assert len(faces) == 2
    np.testing.assert_array_equal(faces.boxes[:, 0], [9, 0])
    np.testing.assert_array_equal(faces.regions[:, 2], [1, 2])
    assert faces.take([0, 1]) is faces
    assert len(faces.take([])) == 0


def test_no_faces() -> None:
    faces = Faces.none()
    assert len(faces) == 0
    assert faces.keypoints.shape == (0, 6, 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("box", np.zeros((1, 4), np.float32)),
        ("box", np.zeros(4, np.int64)),
        ("smoothed", np.zeros(3, np.float32)),
        ("probabilities", np.zeros((2, 1), np.float32)),
    ],
)
def test_track_refuses_arrays_that_do_not_fit(field: str, value: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be float32"):
        _track(**{field: value})


def test_track_is_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        _track().smoothed[0] = 1


def test_timings_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        Result(0, 0.0, 0.0, ()).timings_ms["find"] = 1.0  # type: ignore[index]
