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
    # The spaces within and behind a name do not break.
    assert keys.help() == "R:\xa0record · [\xa0]:\xa0faces · Ctrl+O:\xa0open"


def test_key_that_is_held_down_counts_once_unless_it_repeats() -> None:
    pressed: list[str] = []
    record = Key("r", "R", "record", [lambda: pressed.append("r")])
    step = Key(".", ".", "a frame on", [lambda: pressed.append(".")], repeats=True)
    keys = Keys([record, step])
    for text in ("r", "."):
        assert [keys.press(text, is_held) for is_held in (False, True, True)] == [True] * 3
    assert pressed == ["r", ".", ".", "."]
