from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from fer_live.config import Config, QualityConfig
from fer_live.core.affect import affect_axes
from fer_live.core.modelcard import FER2013_LABELS, ModelCard
from fer_live.core.structs import Frame
from fer_live.errors import ConfigError, SourceError
from fer_live.pipeline.analyser import FaceAnalyser, FaceFollower, Look, classify, in_batches, look_at
from tests.fakes import Box, ManualClock, ScriptedFinder, TableBackend

_ANY_QUALITY = Config(quality=QualityConfig(min_face_px=0, min_sharpness=0))
_LEFT, _RIGHT = (20, 20, 68, 68), (100, 20, 148, 68)


def _frame(index: int = 0) -> Frame:
    """The left half has the shade that the table calls happy (3), the right one that of sad (4)."""
    image = np.full((100, 200, 3), 3, np.uint8)
    image[:, 84:] = 4
    return Frame(image, index, index / 30)


def _analyser(
    script: Sequence[Sequence[Box]], backend: TableBackend, config: Config = _ANY_QUALITY
) -> FaceAnalyser:
    return FaceAnalyser(ScriptedFinder(script), backend, config, clock=ManualClock(12.5))


def test_faces_of_a_frame_go_through_the_network_together() -> None:
    backend = TableBackend()
    result = _analyser([[_RIGHT, _LEFT]], backend).analyse(_frame())
    assert backend.batch_sizes == [2]
    assert [int(track.probabilities.argmax()) for track in result.tracks] == [4, 3]
    assert [track.box.tolist() for track in result.tracks] == [list(_RIGHT), list(_LEFT)]


def test_without_a_face_the_network_is_not_called() -> None:
    backend = TableBackend()
    result = _analyser([[]], backend).analyse(_frame())
    assert result.tracks == ()
    assert backend.batch_sizes == []


def test_more_faces_than_a_batch_takes_are_all_analysed() -> None:
    backend = TableBackend(max_batch=2)
    boxes = [(column, 20, column + 48, 68) for column in (0, 10, 20, 100, 110)]
    result = _analyser([boxes], backend).analyse(_frame())
    assert backend.batch_sizes == [2, 2, 1]
    assert [int(track.probabilities.argmax()) for track in result.tracks] == [3, 3, 3, 4, 4]


def test_result_carries_times_of_frame_and_stages() -> None:
    result = _analyser([[], [_LEFT]], TableBackend()).analyse(_frame(1))
    assert result.frame_index == 1
    assert result.captured_at == pytest.approx(1 / 30)
    assert result.finished_at == 12.5
    assert set(result.timings_ms) == {"find", "crop", "infer", "track"}
    assert min(result.timings_ms.values()) >= 0


def test_a_face_is_followed_over_frames() -> None:
    analyser = _analyser([[_LEFT], [_LEFT]], TableBackend())
    ids = [analyser.analyse(_frame(index)).tracks[0].face_id for index in range(2)]
    assert ids == [1, 1]


def _looks(script: Sequence[Sequence[Box]]) -> list[Look]:
    finder = ScriptedFinder(script)
    return [look_at(_frame(index), finder, TableBackend().card.input) for index in range(len(script))]


def test_stills_have_no_past() -> None:
    follower = FaceFollower(_ANY_QUALITY, FER2013_LABELS)
    readings = classify(_looks([[_LEFT], [_RIGHT]]), TableBackend())
    (first,), (second,) = (follower.follow(reading, alone=True).tracks for reading in readings)
    assert (first.face_id, second.face_id) == (1, 2)
    np.testing.assert_array_equal(second.smoothed, second.probabilities)


def test_faces_of_several_frames_go_through_the_network_together() -> None:
    backend = TableBackend()
    looks = _looks([[_LEFT], [], [_RIGHT, _LEFT]])
    readings = classify(looks, backend)
    assert backend.batch_sizes == [3]
    assert [reading.look for reading in readings] == looks
    assert [reading.probabilities.argmax(axis=1).tolist() for reading in readings] == [[3], [], [4, 3]]


def test_each_frame_has_its_share_of_the_networks_time() -> None:
    one, none, two = classify(_looks([[_LEFT], [], [_RIGHT, _LEFT]]), TableBackend())
    assert none.infer_ms == 0
    assert two.infer_ms == pytest.approx(2 * one.infer_ms)
    assert one.infer_ms > 0


@pytest.mark.parametrize(
    ("faces", "sizes"),
    [
        ([0] * 20, [8, 8, 4]),
        ([1] * 9, [8, 1]),
        ([3, 3, 3, 3, 3], [3, 2]),
        ([9, 1, 11, 40, 1], [2, 1, 1, 1]),
        ([10, 0, 0, 1], [3, 1]),
        ([], []),
    ],
)
def test_batches_end_with_so_many_frames_or_faces(faces: list[int], sizes: list[int]) -> None:
    looks = _looks([[_LEFT] * count for count in faces])
    batches = list(in_batches(looks, max_faces=10))
    assert [len(batch) for batch in batches] == sizes
    assert [look for batch in batches for look in batch] == looks


def test_an_error_comes_after_the_batch_before_it() -> None:
    looks = _looks([[_LEFT]] * 3)

    def torn() -> Iterator[Look]:
        yield from looks
        raise SourceError("The fourth picture is torn.")

    batches = in_batches(torn(), max_faces=10)
    assert next(batches) == looks
    with pytest.raises(SourceError, match="fourth"):
        next(batches)


def test_a_face_too_bad_to_count_says_why() -> None:
    """The frame is flat, so there is nothing sharp in it."""
    result = _analyser([[_LEFT]], TableBackend(), Config()).analyse(_frame())
    assert [track.reason for track in result.tracks] == ["blurred"]


def test_valence_and_arousal_only_if_wanted() -> None:
    wanted = _ANY_QUALITY.model_copy(update={"affect": True})
    for config in (_ANY_QUALITY, wanted):
        (track,) = _analyser([[_LEFT]], TableBackend(), config).analyse(_frame()).tracks
        assert (track.affect is not None) == config.affect
    assert track.affect is not None
    assert track.affect.valence == pytest.approx(float(track.smoothed @ affect_axes(FER2013_LABELS)[:, 0]))


def test_a_face_that_does_not_count_has_no_affect() -> None:
    (track,) = _analyser([[_LEFT]], TableBackend(), Config(affect=True)).analyse(_frame()).tracks
    assert (track.reason, track.affect) == ("blurred", None)


def test_network_without_the_labels_cannot_have_affect() -> None:
    backend = TableBackend()
    backend.card = ModelCard(name="table", labels=("glad", "mad"))
    with pytest.raises(ConfigError, match="'glad' has no valence"):
        _analyser([[]], backend, _ANY_QUALITY.model_copy(update={"affect": True}))
