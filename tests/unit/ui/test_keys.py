"""Keys and their help come from one table."""

from __future__ import annotations

from fer_live.ui.keys import Key, Keys


def test_each_character_runs_its_own() -> None:
    pressed: list[str] = []
    keys = Keys(
        [
            Key("r", "R", "record", [lambda: pressed.append("r")]),
            Key("[]", "[ ]", "faces", [lambda: pressed.append("["), lambda: pressed.append("]")]),
            Key("", "Ctrl+O", "open", []),
        ]
    )
    assert [keys.press(text) for text in ("R", "]", "[", "x", "")] == [True, True, True, False, False]
    assert pressed == ["r", "]", "["]
    assert keys.help() == "R: record · [ ]: faces · Ctrl+O: open"
