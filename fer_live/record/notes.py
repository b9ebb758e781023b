"""What the user says of a session."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Notes:
    """What the user says of a session. consent: who agreed to what. note: anything, such as a participant's code."""

    consent: str = ""
    note: str = ""

    def facts(self) -> dict[str, str | None]:
        """As session.json says it: null for nothing."""
        return {"consent": self.consent or None, "note": self.note or None}


NO_NOTES = Notes()
