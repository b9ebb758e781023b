"""Times of a session as people read them."""

from __future__ import annotations


def clock_text(time_s: float, decimals: int = 3) -> str:
    """12.3456 s as '0:12.346', an hour as '1:00:00.000'."""
    minutes, seconds = divmod(round(time_s, decimals), 60)
    hours, minutes = divmod(int(minutes), 60)
    width = 3 + decimals if decimals else 2
    return f"{f'{hours}:{minutes:02}' if hours else minutes}:{seconds:0{width}.{decimals}f}"
