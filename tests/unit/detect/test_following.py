"""Following on real pixels, between detections of a finder that is scripted or real."""

from typing import get_args

import cv2
import numpy as np
import pytest

from fer_live.config import FinderConfig
from fer_live.core.geometry import iou
from fer_live.core.structs import Faces, Frame
from fer_live.detect.following import PRESETS, FollowingFinder
from fer_live.detect.mediapipe import MediaPipeFinder
from tests.fakes import ScriptedFinder, faces_at

HEAD = (166, 95, 346, 275)
"""About the box of the photograph's face."""


class AskedFinder(ScriptedFinder):
    """Writes down for which frames it was asked, and counts the others."""

    def __init__(self, script):
        super().__init__(script)
        self.asked = []
        self.skipped = 0

    def find(self, frame):
        self.asked.append(frame.index)
        return super().find(frame)

    def skip(self):
        self.skipped += 1


def follow(images, script, **options):
    """Which frames the finder was asked for, and the faces of all."""
    finder = AskedFinder(script)
    with FollowingFinder(finder, **options) as following:
        found = [following.find(Frame(image, index, 0.0)) for index, image in enumerate(images)]
    assert finder.is_closed
    assert len(finder.asked) + finder.skipped == len(images)
    return finder.asked, found


def shifted(image, steps, right=3):
    return [np.roll(image, right * step, axis=1) for step in range(steps)]


def test_a_face_is_followed_from_detection_to_detection(photo):
    asked, found = follow(shifted(photo, 9), [[HEAD]] * 9, detect_every=4)
    assert asked == [0, 4, 8]
    lefts = [faces.boxes[0, 0] - HEAD[0] for faces in found]
    assert lefts == pytest.approx([0, 3, 6, 9, 0, 3, 6, 9, 0], abs=0.3)
    assert {float(faces.scores[0]) for faces in found} == {float(faces_at(HEAD).scores[0])}


def test_every_frame_is_asked_for_if_so_wanted(photo):
    assert follow(shifted(photo, 3), [[HEAD]] * 3, detect_every=1)[0] == [0, 1, 2]


def test_while_nobody_is_there_the_schedule_is_kept(photo):
    wall = np.full_like(photo, 90)
    asked, found = follow([wall] * 8, [[]] * 8, detect_every=3)
    assert asked == [0, 3, 6]
    assert [len(faces) for faces in found] == [0] * 8


def test_somebody_new_appears_with_the_next_detection(photo):
    asked, found = follow([photo] * 6, [[]] * 2 + [[HEAD]] * 4, detect_every=4)
    assert asked == [0, 4]
    assert [len(faces) for faces in found] == [0, 0, 0, 0, 1, 1]


def test_a_face_that_is_lost_is_looked_for_at_once_and_the_schedule_is_kept(photo):
    covered = cv2.rectangle(photo.copy(), HEAD[:2], HEAD[2:], (60, 80, 90), -1)
    images = [photo, photo, covered, covered, photo, photo, photo]
    asked, found = follow(images, [[HEAD]] * 2 + [[]] * 2 + [[HEAD]] * 3, detect_every=4)
    assert asked == [0, 2, 4]
    assert [len(faces) for faces in found] == [1, 1, 0, 0, 1, 1, 1]


def test_another_scene_is_looked_at_at_once_with_and_without_faces(photo):
    other = cv2.bitwise_not(photo)
    for boxes in ([], [HEAD]):
        asked, _ = follow([photo, photo, other, other, other], [boxes] * 5, detect_every=9)
        assert asked == [0, 2]


def test_more_light_is_no_other_scene(photo):
    images = [cv2.convertScaleAbs(photo, alpha=1 + 0.02 * step) for step in range(5)]
    assert follow(images, [[HEAD]] * 5, detect_every=9)[0] == [0]


def test_a_picture_of_another_size_is_looked_at(photo):
    assert follow([photo, photo[:-40], photo[:-40]], [[HEAD]] * 3, detect_every=9)[0] == [0, 1]


def test_a_face_that_gets_too_small_is_looked_at(photo):
    height, width = photo.shape[:2]
    images = [photo]
    for step in (1, 2, 3):
        matrix = cv2.getRotationMatrix2D((256, 185), 0, 1 - 0.03 * step)
        images.append(cv2.warpAffine(photo, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE))
    script = [[HEAD]] * 4
    assert follow(images, script, detect_every=9, min_face_px=172)[0] == [0, 2]
    assert follow(images, script, detect_every=9)[0] == [0]


def test_what_is_followed_is_where_it_would_be_found(photo):
    height, width = photo.shape[:2]
    images = []
    for step in range(6):
        matrix = cv2.getRotationMatrix2D((256, 185), 1.5 * step, 1 + 0.02 * step)
        images.append(cv2.warpAffine(photo, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE))
    with MediaPipeFinder() as finder, FollowingFinder(MediaPipeFinder(), detect_every=9) as following:
        for index, image in enumerate(images):
            found, followed = (each.find(Frame(image, index, 0.0)) for each in (finder, following))
            assert iou(found.boxes[0].tolist(), followed.boxes[0].tolist()) > 0.9
            in_sides = 1 / np.array((*[found.regions[0, 2]] * 3, 1))
            np.testing.assert_allclose(followed.regions * in_sides, found.regions * in_sides, atol=0.07)
            np.testing.assert_allclose(followed.keypoints * in_sides[0], found.keypoints * in_sides[0], atol=0.07)


def test_the_same_frames_give_the_same_faces(photo):
    def run():
        with FollowingFinder(MediaPipeFinder(), detect_every=3) as finder:
            return [finder.find(Frame(image, index, 0.0)) for index, image in enumerate(shifted(photo, 6))]

    for first, second in zip(run(), run(), strict=True):
        for one, other in ((first.boxes, second.boxes), (first.regions, second.regions)):
            np.testing.assert_array_equal(one, other)


def test_records_are_as_those_that_are_found(photo):
    _, (first, second) = follow([photo] * 2, [[HEAD]] * 2, detect_every=2)
    assert isinstance(second, Faces)
    assert (second.keypoints.shape, second.boxes.flags.writeable) == (first.keypoints.shape, False)


def test_every_preset_of_the_settings_has_a_schedule():
    assert tuple(PRESETS) == get_args(FinderConfig.model_fields["preset"].annotation)
    assert FinderConfig().preset in PRESETS
    assert [PRESETS[name].detect_every for name in PRESETS] == sorted(each.detect_every for each in PRESETS.values())
