from __future__ import annotations

import pytest

from fer_live.errors import SourceError
from fer_live.pipeline.status import LiveState, LiveStatus
from fer_live.ui.messages import error_text, stalled_text

_GONE = SourceError("The camera is gone.", "Plug it in.")


def test_what_the_user_can_fix_is_its_sentence_and_hint() -> None:
    assert error_text(_GONE) == "The camera is gone. Plug it in."


def test_bug_is_called_one() -> None:
    assert error_text(ValueError("x")) == (
        "FER Live made a mistake (ValueError('x')). Details are in the log folder."
    )


@pytest.mark.parametrize(
    ("error", "retry_in_s", "text"),
    [
        (_GONE, 0.0, "The camera is gone. Plug it in."),
        (_GONE, 3.6, "The camera is gone. Plug it in. Trying again in 4 s."),
        (None, 0.0, "No picture comes from the camera."),
    ],
)
def test_stalled_says_why_and_when_it_goes_on(error: SourceError | None, retry_in_s: float, text: str) -> None:
    assert stalled_text(LiveStatus(LiveState.STALLED, error, retry_in_s)) == text
