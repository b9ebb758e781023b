"""What is shown of a face in place of a label."""

from __future__ import annotations

from enum import StrEnum

UNCERTAIN = "uncertain"
"""The label is not sure enough; no label is called so (modelcard)."""


class Reason(StrEnum):
    """Why a face does not count: what is wrong with it (fer_live.core.quality)."""

    TOO_SMALL = "too_small"
    TURNED = "turned"
    BLURRED = "blurred"
