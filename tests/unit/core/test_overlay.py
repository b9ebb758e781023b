from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.core.overlay import (
    COLOURS,
    LOW_QUALITY_COLOUR,
    UNCERTAIN_COLOUR,
    Caption,
    caption_text,
    colour_of,
    contrast,
    lay_out,
    relative_luminance,
    text_colour_on,
)
from fer_live.core.structs import Track
from tests.fakes import Box

SIZE = (640, 480)


def _track(face_id: int, box: Box, label_index: int | None = 3) -> Track:
    probabilities = np.full(7, 0.02, np.float32)
    probabilities[3] = 0.876
    return Track(face_id, np.array(box, np.float32), 0.9, probabilities, probabilities, label_index, 1, 0.0)


def _measure(text: str) -> tuple[float, float]:
    return 8.0 * len(text), 16.0


def _captions(*boxes: Box) -> tuple[Caption, ...]:
    return lay_out([_track(number, box) for number, box in enumerate(boxes, 1)], FER2013_LABELS, SIZE, _measure)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize(
    "box",
    [
        (200, 200, 300, 300),
        (0, 0, 640, 480),
        (-50, -50, 30, 30),
        (600, 450, 700, 520),
        (620, 0, 640, 20),
        (0, 460, 20, 480),
        (-900, -900, -800, -800),
    ],
)
def test_caption_is_inside_the_picture(box: Box) -> None:
    (caption,) = _captions(box)
    left, top, right, bottom = caption.pill
    assert left >= 0
    assert top >= 0
    assert right <= SIZE[0]
    assert bottom <= SIZE[1]
    assert (right - left, bottom - top) == (8 * len(caption.text) + 8, 24)


@pytest.mark.parametrize(
    "boxes",
    [
        [(100, 100, 200, 200), (110, 100, 210, 200)],
        [(100, 100, 200, 200)] * 4,
        [(0, 0, 60, 60), (10, 0, 70, 60), (20, 0, 80, 60)],
        [(560, 420, 640, 480), (570, 420, 640, 480)],
        [(60 * column, 80 * row, 60 * column + 50, 80 * row + 70) for row in range(3) for column in range(4)],
    ],
    ids=["side by side", "on one spot", "corner", "other corner", "group"],
)
def test_captions_do_not_cover_each_other(boxes: list[Box]) -> None:
    pills = [caption.pill for caption in _captions(*boxes)]
    assert not [pair for pair in combinations(pills, 2) if _overlap(*pair)]


def test_caption_stands_above_its_box() -> None:
    (caption,) = _captions((200, 200, 300, 300))
    assert caption.pill[:2] == (200, 176)
    assert caption.pill[3] == 200


def test_mirrored_boxes_change_sides() -> None:
    (caption,) = lay_out([_track(1, (200, 200, 300, 300))], FER2013_LABELS, SIZE, _measure, is_mirrored=True)
    assert caption.box == (340, 200, 440, 300)
    assert caption.pill[:2] == (340, 176)


def test_text_names_face_label_and_percentage() -> None:
    assert caption_text(_track(2, (0, 0, 1, 1)), FER2013_LABELS) == "2 Happy 88 %"
    assert caption_text(_track(1, (0, 0, 1, 1), None), FER2013_LABELS) == "1 uncertain"


def test_uncertain_faces_look_different() -> None:
    tracks = [_track(1, (0, 100, 50, 150), None), _track(2, (300, 100, 350, 150))]
    uncertain, happy = lay_out(tracks, FER2013_LABELS, SIZE, _measure)
    assert (uncertain.is_certain, uncertain.colour) == (False, UNCERTAIN_COLOUR)
    assert (happy.is_certain, happy.colour) == (True, COLOURS["happy"])


@pytest.mark.parametrize(("reason", "text"), [("blurred", "1 blurred"), ("too_small", "1 too small")])
def test_faces_of_low_quality_are_grey_and_say_why(reason: str, text: str) -> None:
    (caption,) = lay_out([replace(_track(1, (0, 100, 50, 150)), reason=reason)], FER2013_LABELS, SIZE, _measure)
    assert (caption.is_certain, caption.colour, caption.text) == (False, LOW_QUALITY_COLOUR, text)


def test_order_of_tracks_does_not_matter() -> None:
    tracks = [_track(1, (100, 100, 200, 200)), _track(2, (110, 100, 210, 200))]
    assert lay_out(tracks, FER2013_LABELS, SIZE, _measure) == lay_out(tracks[::-1], FER2013_LABELS, SIZE, _measure)


def test_every_label_has_its_own_colour_and_others_share_grey() -> None:
    assert len({colour_of(label) for label in FER2013_LABELS}) == len(FER2013_LABELS)
    assert colour_of("contempt") == UNCERTAIN_COLOUR


@pytest.mark.parametrize("colour", [*COLOURS.values(), UNCERTAIN_COLOUR, LOW_QUALITY_COLOUR])
def test_text_is_readable_on_every_colour(colour: str) -> None:
    # WCAG 2.2, level AA for normal text
    assert contrast(text_colour_on(colour), colour) >= 4.5


def test_contrast_follows_wcag() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#FFFFFF", "#FFFFFF") == pytest.approx(1)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)
    assert relative_luminance("#00FF00") == pytest.approx(0.7152)
