"""Where the overlay of a frame goes and how it looks; painters only draw it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fer_live.core.labels import UNCERTAIN, Reason

if TYPE_CHECKING:
    from fer_live.core.structs import Track

COLOURS = {
    "angry": "#D55E00",
    "disgust": "#009E73",
    "fear": "#CC79A7",
    "happy": "#E69F00",
    "sad": "#0072B2",
    "surprise": "#56B4E9",
    "neutral": "#8A8A8A",
}
"""One colour a label, apart for colour-blind eyes (Okabe & Ito 2008, 'Color Universal Design')."""

UNCERTAIN_COLOUR = "#9A9A9A"
LOW_QUALITY_COLOUR = "#6E6E6E"
_WORDS: dict[str, str] = {Reason.TOO_SMALL: "too small", Reason.TURNED: "turned away", Reason.BLURRED: "blurred"}
_BLACK, _WHITE = "#000000", "#FFFFFF"
_PADDING = 4.0


@dataclass(frozen=True)
class Caption:
    """How to draw one face. box, pill: left, top, right, bottom in px; the text stands on the filled pill."""

    face_id: int
    box: tuple[float, float, float, float]
    pill: tuple[float, float, float, float]
    text: str
    colour: str
    text_colour: str
    is_certain: bool


def colour_of(label: str) -> str:
    """Colour of a label, '#RRGGBB'; labels of other data sets share one grey."""
    return COLOURS.get(label, UNCERTAIN_COLOUR)


def relative_luminance(colour: str) -> float:
    """Relative luminance in [0, 1] of '#RRGGBB' (WCAG 2.2)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    brighter, darker = sorted((relative_luminance(one), relative_luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def text_colour_on(background: str) -> str:
    """Black or white, whichever is easier to read on a background."""
    return max((_BLACK, _WHITE), key=lambda colour: contrast(colour, background))


def english(label: str) -> str:
    """How a label, UNCERTAIN or a Reason is shown."""
    return label if label == UNCERTAIN else _WORDS.get(label, label.capitalize())


def caption_text(track: Track, labels: Sequence[str], word: Callable[[str], str] = english) -> str:
    """'2 Happy 87 %', '1 uncertain' or '3 blurred'. word: see state_text."""
    return f"{track.face_id} {state_text(track, labels, word)}"


def state_text(track: Track, labels: Sequence[str], word: Callable[[str], str] = english) -> str:
    """'Happy 87 %', 'uncertain' or 'blurred'. word: how labels and reasons are shown, for other languages."""
    if track.reason:
        return word(track.reason)
    percent = "" if track.label_index is None else f" {round(100 * track.confidence)} %"
    return f"{word(track.shown_label(labels))}{percent}"


def lay_out(
    tracks: Sequence[Track],
    labels: Sequence[str],
    size: tuple[int, int],
    measure: Callable[[str], tuple[float, float]],
    is_mirrored: bool = False,
    word: Callable[[str], str] = english,
) -> tuple[Caption, ...]:
    """One caption a track, inside the picture and clear of each other where there is room.

    size: picture width and height, px. measure: text -> width and height, px. is_mirrored: the picture is shown
    as in a mirror, so boxes change sides; text does not. word: see caption_text.
    """
    placed: list[Caption] = []
    for track in sorted(tracks, key=lambda track: track.face_id):
        text = caption_text(track, labels, word)
        width, height = (extent + 2 * _PADDING for extent in measure(text))
        left, top, right, bottom = track.box.tolist()
        if is_mirrored:
            left, right = size[0] - right, size[0] - left
        label = None if track.label_index is None or track.reason else labels[track.label_index]
        colour = LOW_QUALITY_COLOUR if track.reason else UNCERTAIN_COLOUR if label is None else colour_of(label)
        candidates = (top - height, bottom, top, bottom - height, top + height, top - 2 * height)
        pills = [_inside((left, y, left + width, y + height), size) for y in candidates]
        taken = [caption.pill for caption in placed]
        free = (pill for pill in pills if not any(_overlap(pill, other) for other in taken))
        placed.append(
            Caption(
                face_id=track.face_id,
                box=(left, top, right, bottom),
                pill=next(free, pills[0]),
                text=text,
                colour=colour,
                text_colour=text_colour_on(colour),
                is_certain=label is not None,
            )
        )
    return tuple(placed)


def _inside(pill: tuple[float, float, float, float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    left, top, right, bottom = pill
    x = min(max(0.0, left), max(0.0, size[0] - (right - left)))
    y = min(max(0.0, top), max(0.0, size[1] - (bottom - top)))
    return x, y, x + right - left, y + bottom - top


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
