from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.core.structs import Affect, Result, Track
from fer_live.ui.face_panel import FacePanel
from fer_live.ui.timeline import Timeline
from tests.gui.conftest import visible_text

_SEEN = np.full(7, 1 / 7, np.float32)
_TRACK = Track(1, np.array([0, 0, 60, 60], np.float32), 0.9, _SEEN, _SEEN, 3, 1, 0.0)


@pytest.fixture
def panel(qtbot: QtBot) -> FacePanel:
    panel = FacePanel()
    qtbot.addWidget(panel)
    panel.show()
    return panel


@pytest.mark.parametrize(
    ("reason", "text"),
    [("", "good"), ("blurred", "blurred"), ("too_small", "too small"), ("turned", "turned away")],
)
def test_quality_is_said(panel: FacePanel, reason: str, text: str) -> None:
    panel.show_track(replace(_TRACK, reason=reason), FER2013_LABELS)
    assert f"Quality: {text}" in visible_text(panel)


def test_label_of_a_face_that_does_not_count_is_not_shown(panel: FacePanel) -> None:
    panel.show_track(_TRACK, FER2013_LABELS)
    assert "Happy 14 %" in visible_text(panel)
    panel.show_track(replace(_TRACK, reason="turned"), FER2013_LABELS)
    assert "Happy" not in visible_text(panel)
    assert visible_text(panel).count("turned away") == 2


def test_affect_is_shown_where_it_is_known(panel: FacePanel) -> None:
    panel.show_track(_TRACK, FER2013_LABELS)
    assert "Valence" not in visible_text(panel)
    panel.show_track(replace(_TRACK, affect=Affect(0.5, -0.25)), FER2013_LABELS)
    assert "Valence +0.50 · arousal -0.25" in visible_text(panel)


def test_without_a_face_nothing_is_said_of_one(panel: FacePanel) -> None:
    panel.show_track(replace(_TRACK, affect=Affect(0.5, -0.25)), FER2013_LABELS)
    panel.show_track(None, FER2013_LABELS)
    assert visible_text(panel) == "No face"


def test_timeline_draws_no_face_that_does_not_count(qtbot: QtBot) -> None:
    timeline = Timeline()
    qtbot.addWidget(timeline)
    for step in range(10):
        reason = "blurred" if step > 6 else ""
        timeline.add(Result(step, step / 10, step / 10, (replace(_TRACK, reason=reason),)))
    timeline.draw(1, FER2013_LABELS, 0.9)
    times, _ = timeline._curves[0].getData()
    np.testing.assert_allclose(times, np.arange(7) / 10 - 0.9, atol=1e-9)
