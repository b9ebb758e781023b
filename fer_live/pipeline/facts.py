"""What every session.json says of how its results came about."""

from __future__ import annotations

from typing import Any

from fer_live.backends.backend import Backend
from fer_live.config import Config


def setup_facts(config: Config, backend: Backend) -> dict[str, Any]:
    """Model card, backend and settings in use."""
    return {
        "model_card": backend.card.model_dump(mode="json"),
        "backend": {"name": backend.name, "device": backend.device},
        "config": config.model_dump(mode="json"),
    }
