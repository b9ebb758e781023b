"""The real models on a real photograph."""

import sys

import numpy as np
import pytest

from fer_live.core.geometry import Framing
from fer_live.detect.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFace, BlazeFaceDetector
from fer_live.errors import BackendError, ModelError


@pytest.mark.parametrize("model", [SHORT_RANGE, FULL_RANGE], ids=["short", "full"])
def test_finds_the_face(photo, model):
    with BlazeFaceDetector(model) as detector:
        found = detector.detect(photo)
    assert len(found) == 1
    x, y, side, roll = found.regions[0]
    right_eye, left_eye, nose = found.keypoints[0, :3]
    assert right_eye[0] < nose[0] < left_eye[0], "the person's right eye is on the left of the picture"
    assert abs(x - nose[0]) < side / 4 and abs(y - nose[1]) < side / 4
    assert 120 < side < 300 and abs(roll) < 0.3


def test_a_part_is_reported_in_px_of_the_whole(photo):
    with BlazeFaceDetector(SHORT_RANGE) as detector:
        here, there = detector.detect(photo), detector.detect(photo, left=1000, top=500)
    np.testing.assert_allclose(there.boxes - here.boxes, [[1000, 500, 1000, 500]])
    np.testing.assert_allclose(there.keypoints - here.keypoints, np.tile([1000, 500], (1, 6, 1)), atol=1e-3)
    np.testing.assert_allclose(there.regions[0] - here.regions[0], [1000, 500, 0, 0], atol=1e-3)


def test_colours_are_shown_in_the_order_of_mediapipe(photo):
    import mediapipe

    rgb = np.ascontiguousarray(photo[:, :, ::-1])
    with BlazeFaceDetector(SHORT_RANGE) as detector:
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)
        (straight,) = detector._detector.detect(image).detections
        (found,) = detector.detect_bare(photo)
        (swapped,) = detector.detect_bare(rgb)
    assert found == straight != swapped


def test_each_model_has_its_own_framing(photo):
    doubled = BlazeFace(SHORT_RANGE.file, Framing(2 * SHORT_RANGE.framing.scale, 0, 0))
    with BlazeFaceDetector(SHORT_RANGE) as one, BlazeFaceDetector(doubled) as two:
        assert two.detect(photo).regions[0, 2] == pytest.approx(2 * one.detect(photo).regions[0, 2])


def test_loading_is_quiet(capfd):
    with BlazeFaceDetector(SHORT_RANGE):
        pass
    assert capfd.readouterr().err == ""


def test_a_missing_model_says_so():
    with pytest.raises(ModelError, match=r"'no_such\.tflite' is missing. Reinstall"):
        BlazeFaceDetector(BlazeFace("no_such.tflite", SHORT_RANGE.framing))


def test_a_file_that_is_no_model_says_so():
    with pytest.raises(ModelError, match=r"cannot use its model 'LICENSE.mediapipe'"):
        BlazeFaceDetector(BlazeFace("LICENSE.mediapipe", SHORT_RANGE.framing))


def test_a_missing_mediapipe_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(BackendError, match=r"pip install mediapipe==0\.10\.33"):
        BlazeFaceDetector(SHORT_RANGE)


def test_a_library_that_mediapipe_lacks_is_named(monkeypatch):
    from mediapipe.tasks.python.vision import FaceDetector

    def create(options):
        raise OSError("libEGL.so.1: cannot open shared object file")

    monkeypatch.setattr(FaceDetector, "create_from_options", create)
    with pytest.raises(BackendError, match=r"libEGL\.so\.1.*Install the system library"):
        BlazeFaceDetector(SHORT_RANGE)
