from __future__ import annotations

import pytest

from fer_live.outlets.faces import FaceSlots, sent_face
from tests.unit.outlets.conftest import LABELS, result, track


def _places(slots: FaceSlots, at: float, *face_ids: int) -> list[int | None]:
    placed = slots.place(result(0, *(track(face_id) for face_id in face_ids), at=at))
    return [None if each is None else each.face_id for each in placed]


def test_face_keeps_its_place_while_it_is_followed() -> None:
    slots = FaceSlots(3, keep_s=0.7)
    assert _places(slots, 0.0, 1, 2) == [1, 2, None]
    assert _places(slots, 0.1, 2) == [None, 2, None]
    assert _places(slots, 0.2, 2, 3) == [None, 2, 3]
    assert _places(slots, 0.3, 3, 2, 1) == [1, 2, 3]


def test_place_is_free_once_its_face_cannot_come_back() -> None:
    slots = FaceSlots(1, keep_s=0.7)
    assert _places(slots, 0.0, 1) == [1]
    assert _places(slots, 0.7, 2) == [None]
    assert _places(slots, 0.8, 2) == [2]


def test_faces_without_a_place_wait_for_one() -> None:
    slots = FaceSlots(2, keep_s=0.5)
    assert _places(slots, 0.0, 5, 6, 7) == [5, 6]
    assert _places(slots, 1.0, 6, 7) == [7, 6]


def test_face_is_told_with_smoothed_values() -> None:
    face = sent_face(track(3, reason="blurred"), LABELS)
    assert (face.face_id, face.box, face.label, face.reason) == (3, (10, 20, 30, 40), "happy", "blurred")
    assert face.confidence == pytest.approx(0.64)
    assert face.probabilities == pytest.approx([0.64 if label == "happy" else 0.06 for label in LABELS])


def test_uncertain_face_has_the_largest_probability() -> None:
    face = sent_face(track(1, label_index=None), LABELS)
    assert face.label == "uncertain"
    assert face.confidence == pytest.approx(0.64)
