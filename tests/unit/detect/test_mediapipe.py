"""The real models on a real photograph (Grace Hopper, public domain, shipped with matplotlib)."""

import os
import sys

import cv2
import numpy as np
import pytest
from matplotlib import cbook

from fer_live.core.geometry import Framing
from fer_live.core.structs import Faces, Frame
from fer_live.detect import mediapipe as subject
from fer_live.detect.mediapipe import FULL_RANGE, SHORT_RANGE, BlazeFace, MediaPipeFinder
from fer_live.errors import BackendError, ModelError


@pytest.fixture(scope="module")
def photo():
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        return cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)


@pytest.fixture
def finder():
    with MediaPipeFinder() as opened:
        yield opened


def frame(image):
    return Frame(image, 0, 0.0)


def faces(*rows):
    """Scripted faces from (x, y, side, score)."""
    boxes = np.array([(x, y, x + side, y + side) for x, y, side, _ in rows], np.float32).reshape(-1, 4)
    regions = np.array([(x + side / 2, y + side / 2, side, 0) for x, y, side, _ in rows], np.float32)
    scores = np.array([score for *_, score in rows], np.float32)
    return Faces(boxes, scores, np.zeros((len(rows), 6, 2), np.float32), regions.reshape(-1, 4))


@pytest.mark.parametrize("models", [(SHORT_RANGE,), (FULL_RANGE,), (SHORT_RANGE, FULL_RANGE)])
def test_finds_one_face_once(photo, models):
    with MediaPipeFinder(models=models) as finder:
        found = finder.find(frame(photo))
    assert len(found) == 1
    x, y, side, roll = found.regions[0]
    right_eye, left_eye, nose = found.keypoints[0, :3]
    assert right_eye[0] < nose[0] < left_eye[0], "the person's right eye is on the left of the picture"
    assert abs(x - nose[0]) < side / 4 and abs(y - nose[1]) < side / 4
    assert 120 < side < 300 and abs(roll) < 0.3


def test_two_people_sorted_by_score(photo, finder):
    small = cv2.resize(photo, None, fx=0.5, fy=0.5)
    wide = np.full((600, 1024, 3), 128, np.uint8)
    wide[:600, :512] = photo[:600]
    wide[100 : 100 + small.shape[0], 700 : 700 + small.shape[1]] = small
    found = finder.find(frame(wide))
    assert len(found) == 2
    assert found.scores[0] >= found.scores[1]
    assert sorted(found.regions[:, 2])[0] == pytest.approx(sorted(found.regions[:, 2])[1] / 2, rel=0.25)


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3), (480, 640, 3)])
def test_nothing_in_an_empty_picture(finder, shape):
    assert len(finder.find(frame(np.zeros(shape, np.uint8)))) == 0


def test_faces_below_the_minimum_size_are_dropped(photo):
    with MediaPipeFinder(min_face_px=1000) as finder:
        assert len(finder.find(frame(photo))) == 0


def test_the_same_frames_give_the_same_faces(photo):
    def run():
        with MediaPipeFinder(full_look_every=2) as finder:
            return [finder.find(frame(np.roll(photo, 8 * step, axis=1))) for step in range(4)]

    for first, second in zip(run(), run(), strict=True):
        np.testing.assert_array_equal(first.regions, second.regions)
        np.testing.assert_array_equal(first.scores, second.scores)


def test_each_model_frames_by_its_own_framing(photo):
    doubled = BlazeFace(SHORT_RANGE.file, Framing(2 * SHORT_RANGE.framing.scale, 0, 0))
    with MediaPipeFinder(models=(SHORT_RANGE,)) as one, MediaPipeFinder(models=(doubled,)) as two:
        sides = [finder.find(frame(photo)).regions[0, 2] for finder in (one, two)]
    assert sides[1] == pytest.approx(2 * sides[0])


class Scripted(MediaPipeFinder):
    """The real finder with scripted looks of its models, to test when it looks with which."""

    def __init__(self, script, **options):
        super().__init__(**options)
        self.script, self.looked, self.step = script, [], -1

    def find(self, frame):
        self.step += 1
        self.looked.append("")
        return super().find(frame)

    def _look(self, model, picture):
        name = {SHORT_RANGE: "s", FULL_RANGE: "f"}[model]
        self.looked[-1] += name
        return self.script[self.step][name]


def looked(script, **options):
    with Scripted(script, **options) as finder:
        counts = [len(finder.find(frame(np.zeros((8, 8, 3), np.uint8)))) for _ in script]
    return finder.looked, counts


NEAR, FAR = (100, 100, 80, 0.9), (400, 100, 30, 0.8)


def test_the_cheapest_sufficient_model_looks_between_full_looks():
    both = {"s": faces(NEAR), "f": faces(NEAR)}
    assert looked([both] * 7, full_look_every=3) == (["sf", "s", "s", "sf", "s", "s", "sf"], [1] * 7)


def test_the_full_range_looks_alone_where_only_it_finds_all():
    far = {"s": faces(NEAR), "f": faces(FAR, NEAR)}
    assert looked([far] * 4, full_look_every=3) == (["sf", "f", "f", "sf"], [2] * 4)


def test_both_look_always_where_neither_finds_all():
    split = {"s": faces(NEAR), "f": faces(FAR)}
    assert looked([split] * 4, full_look_every=3) == (["sf"] * 4, [2] * 4)


def test_a_lost_face_brings_a_full_look_at_once():
    both = {"s": faces(NEAR), "f": faces(NEAR)}
    lost = {"s": faces(), "f": faces(NEAR)}
    assert looked([both, lost, lost, lost], full_look_every=3) == (["sf", "sf", "f", "f"], [1] * 4)


def test_every_frame_is_a_full_look_for_still_images():
    both = {"s": faces(NEAR), "f": faces(NEAR)}
    assert looked([both] * 3, full_look_every=1)[0] == ["sf"] * 3


def test_the_surer_model_frames_the_face():
    near = {"s": faces((100, 100, 80, 0.7)), "f": faces((104, 100, 84, 0.9))}
    with Scripted([near]) as finder:
        found = finder.find(frame(np.zeros((8, 8, 3), np.uint8)))
    np.testing.assert_array_equal(found.boxes, near["f"].boxes)


def test_loading_is_quiet(capfd):
    with MediaPipeFinder():
        pass
    assert capfd.readouterr().err == ""


def test_other_lines_than_the_known_chatter_pass(capfd):
    with subject._without_chatter():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nE0000 something broke\n")
    assert capfd.readouterr().err == "E0000 something broke\n"


def test_closing_twice_does_nothing():
    finder = MediaPipeFinder()
    finder.close()
    finder.close()


def test_a_missing_model_says_so():
    with pytest.raises(ModelError, match=r"'no_such\.tflite' is missing. Reinstall"):
        MediaPipeFinder(models=(SHORT_RANGE, BlazeFace("no_such.tflite", SHORT_RANGE.framing)))


def test_a_file_that_is_no_model_says_so():
    with pytest.raises(ModelError, match=r"cannot use its model 'LICENSE.mediapipe'"):
        MediaPipeFinder(models=(BlazeFace("LICENSE.mediapipe", SHORT_RANGE.framing),))


def test_a_missing_mediapipe_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(BackendError, match=r"pip install mediapipe==0\.10\.33"):
        MediaPipeFinder()
