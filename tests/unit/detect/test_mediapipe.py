"""The real finder on a real photograph, and its schedule on scripted detections."""

import cv2
import numpy as np
import pytest

from fer_live.core.structs import Faces, Frame
from fer_live.detect.blazeface import FULL_RANGE, SHORT_RANGE
from fer_live.detect.mediapipe import MediaPipeFinder


@pytest.fixture
def finder():
    with MediaPipeFinder() as opened:
        yield opened


def frame(image):
    return Frame(image, 0, 0.0)


def test_finds_a_face_once(photo, finder):
    found = finder.find(frame(photo))
    assert len(found) == 1
    assert found.scores[0] > 0.8


def test_two_people_sorted_by_score(photo, finder):
    small = cv2.resize(photo, None, fx=0.5, fy=0.5)
    wide = np.full((600, 1024, 3), 128, np.uint8)
    wide[:600, :512] = photo[:600]
    wide[100 : 100 + small.shape[0], 700 : 700 + small.shape[1]] = small[:, :324]
    found = finder.find(frame(wide))
    assert len(found) == 2
    assert found.scores[0] >= found.scores[1]
    assert min(found.regions[:, 2]) == pytest.approx(max(found.regions[:, 2]) / 2, rel=0.25)


@pytest.mark.parametrize("left", [0, 500, 1000, 1500])
def test_a_small_face_is_found_anywhere_in_a_wide_picture(photo, finder, left):
    wide = np.full((360, 1800, 3), 90, np.uint8)
    wide[30:330, left : left + 256] = cv2.resize(photo, (256, 300), interpolation=cv2.INTER_AREA)
    found = finder.find(frame(wide))
    assert len(found) == 1
    assert left < found.regions[0, 0] < left + 256


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3), (900, 30, 3), (480, 640, 3)])
def test_nothing_in_an_empty_picture(finder, shape):
    assert len(finder.find(frame(np.zeros(shape, np.uint8)))) == 0


def test_faces_below_the_minimum_size_are_dropped(photo):
    with MediaPipeFinder(min_face_px=300) as finder:
        assert len(finder.find(frame(photo))) == 0


def test_faces_below_the_minimum_score_are_dropped(photo):
    with MediaPipeFinder(min_score=1.0) as finder:
        assert len(finder.find(frame(photo))) == 0


def test_the_same_frames_give_the_same_faces(photo):
    def run():
        with MediaPipeFinder(full_look_every=2) as finder:
            return [finder.find(frame(np.roll(photo, 8 * step, axis=1))) for step in range(4)]

    for first, second in zip(run(), run(), strict=True):
        np.testing.assert_array_equal(first.regions, second.regions)
        np.testing.assert_array_equal(first.scores, second.scores)


def test_pictures_of_another_size_start_with_a_full_look(photo, finder):
    for image in (photo, photo[:, :300], cv2.rotate(photo, cv2.ROTATE_180)[:200]):
        finder.find(frame(image))
    assert len(finder.find(frame(photo))) == 1


def test_closing_twice_does_nothing():
    finder = MediaPipeFinder()
    finder.close()
    finder.close()


def faces(*rows, roll=0.0):
    """Scripted faces from (x, y, side, score), all tilted by roll (rad)."""
    boxes = np.array([(x, y, x + side, y + side) for x, y, side, _ in rows], np.float32).reshape(-1, 4)
    regions = np.array([(x + side / 2, y + side / 2, side, roll) for x, y, side, _ in rows], np.float32)
    scores = np.array([score for *_, score in rows], np.float32)
    return Faces(boxes, scores, np.zeros((len(rows), 6, 2), np.float32), regions.reshape(-1, 4))


class ScriptedDetector:
    """Stands for one open model: gives scripted faces by picture width, and writes down who looked."""

    script: dict
    looked: str

    def __init__(self, model):
        self.name = {SHORT_RANGE: "s", FULL_RANGE: "f"}[model]

    def detect(self, part, left=0, top=0):
        if self.name == "s" and part.shape[0] != SIDE:
            ScriptedDetector.looked += "n"
            return self.script["near"]
        ScriptedDetector.looked += self.name if self.name == "f" else f"s{left}"
        return self.script.get(f"{self.name}{left}", faces())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


SIDE, WIDTH = 400, 560
LEFT, RIGHT, FAR = (100, 100, 80, 0.9), (450, 100, 80, 0.9), (300, 300, 30, 0.8)
EVERYWHERE = "fs0s160"


@pytest.fixture
def looks():
    """Finds in scripted frames; returns who looked in each and how many faces were found."""

    def run(scripts, **options):
        looked, counts = [], []
        with MediaPipeFinder(open_detector=ScriptedDetector, **options) as finder:
            for ScriptedDetector.script in scripts:
                ScriptedDetector.looked = ""
                counts.append(len(finder.find(frame(np.zeros((SIDE, WIDTH, 3), np.uint8)))))
                looked.append(ScriptedDetector.looked)
        return looked, counts

    return run


def test_between_full_looks_only_the_view_of_the_face_looks(looks):
    looked, counts = looks([{"s0": faces(LEFT)}] * 7, full_look_every=3)
    assert looked == [EVERYWHERE, "s0", "s0", EVERYWHERE, "s0", "s0", EVERYWHERE]
    assert counts == [1] * 7


def test_a_face_seen_from_two_views_is_one_and_the_surer_view_goes_on(looks):
    script = {"s0": faces((200, 100, 80, 0.8)), "s160": faces((202, 100, 80, 0.9))}
    looked, counts = looks([script] * 2, full_look_every=3)
    assert looked == [EVERYWHERE, "s160"]
    assert counts == [1, 1]


def test_each_face_keeps_its_view(looks):
    looked, counts = looks([{"s0": faces(LEFT), "f0": faces(FAR)}] * 2, full_look_every=3)
    assert looked == [EVERYWHERE, "fs0"]
    assert counts == [2, 2]


def test_the_squares_look_while_nobody_is_there(looks):
    looked, counts = looks([{}, {}, {"s160": faces(RIGHT)}], full_look_every=9)
    assert looked == [EVERYWHERE, "s0s160", "s0s160"]
    assert counts == [0, 0, 1]


def test_a_lost_face_brings_a_full_look_at_once(looks):
    looked, counts = looks([{"s0": faces(LEFT)}, {"s160": faces(RIGHT)}, {"s160": faces(RIGHT)}])
    assert looked == [EVERYWHERE, "s0" + EVERYWHERE, "s160"]
    assert counts == [1, 1, 1]


def test_every_frame_is_a_full_look_for_still_images(looks):
    assert looks([{"s0": faces(LEFT)}] * 3, full_look_every=1)[0] == [EVERYWHERE] * 3


UNSURE = (100, 100, 80, 0.6)


@pytest.mark.parametrize(
    ("near", "count"),
    [((100, 100, 80, 0.9), 1), ((100, 100, 80, 0.52), 0), ((150, 150, 80, 0.9), 0), (None, 0)],
    ids=["confirmed", "still unsure", "another place", "nothing"],
)
def test_an_unsure_face_gets_a_second_look_from_near(looks, near, count):
    script = {"f0": faces(UNSURE), "near": faces(*[near] * (near is not None))}
    assert looks([script]) == ([EVERYWHERE + "n"], [count])


@pytest.mark.parametrize(("score", "count"), [(0.6, 0), (0.9, 1)])
def test_only_a_sure_face_may_lie_on_its_side(looks, score, count):
    script = {"f0": faces((100, 100, 80, score), roll=1.2), "near": faces((100, 100, 80, 0.9), roll=1.2)}
    assert looks([script]) == ([EVERYWHERE], [count])


def test_the_score_is_that_of_the_second_look():
    ScriptedDetector.script, ScriptedDetector.looked = {"f0": faces(UNSURE), "near": faces(LEFT)}, ""
    with MediaPipeFinder(open_detector=ScriptedDetector) as finder:
        found = finder.find(frame(np.zeros((SIDE, WIDTH, 3), np.uint8)))
    np.testing.assert_array_equal(found.boxes, faces(UNSURE).boxes)
    assert found.scores.tolist() == pytest.approx([0.9])
