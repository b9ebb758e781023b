"""Times as people read them."""

from __future__ import annotations

import pytest

from fer_live.ui.clock import clock_text


@pytest.mark.parametrize(
    ("time_s", "decimals", "text"),
    [
        (0, 3, "0:00.000"),
        (12.3456, 3, "0:12.346"),
        (59.9996, 3, "1:00.000"),
        (59.9, 0, "1:00"),
        (754, 0, "12:34"),
        (3599.99, 1, "1:00:00.0"),
        (36_061.5, 1, "10:01:01.5"),
    ],
)
def test_clock_text(time_s: float, decimals: int, text: str) -> None:
    assert clock_text(time_s, decimals) == text
