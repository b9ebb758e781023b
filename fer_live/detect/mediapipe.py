"""MediaPipe's two BlazeFace models as one face finder.

The short range model finds near faces and strong expressions, the full range one finds groups and far faces; each
alone loses many faces of the other kind, so both look, and what both found counts once. The models come unmodified
from mediapipe 0.10.21 (Apache-2.0, `weights/LICENSE.mediapipe`). mediapipe is pinned to 0.10.33: later versions
send metrics over the network.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import resources
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np

from fer_live.core.geometry import Framing, eye_roll, frame_boxes, iou, region_boxes, suppress_overlaps
from fer_live.core.structs import Faces, Frame
from fer_live.errors import BackendError, ModelError

_IOU_MAX = 0.3
"""Regions that overlap more are one face."""

_STDERR = 2
_HARMLESS = re.compile(
    rb"INFO: Created TensorFlow Lite XNNPACK delegate"
    rb"|WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|W.* inference_feedback_manager\.cc:"
)


@dataclass(frozen=True)
class BlazeFace:
    """One of MediaPipe's models: its file in `fer_live.weights` and how to frame its boxes."""

    file: str
    framing: Framing


# The framings are medians over FER2013's training faces: docs/framing.md.
SHORT_RANGE = BlazeFace("face_detection_short_range.tflite", Framing(1.156, 0.003, -0.103))
FULL_RANGE = BlazeFace("face_detection_full_range_sparse.tflite", Framing(1.130, 0.003, -0.044))
MODELS = (SHORT_RANGE, FULL_RANGE)
"""Cheapest first."""


class MediaPipeFinder:
    """Finds faces with both models, but runs only what is needed; a FaceFinder.

    At every full look both models run. Until the next one, the cheapest model runs that alone found every face of
    the last full look, or both if neither did. A full look comes at every full_look_every-th frame, and at once
    when fewer faces are found than in the frame before. This depends on the frames alone, never on time.

    min_score: confidence in [0, 1] below which a face is dropped. min_face_px: the same for the shorter side of
    its box. full_look_every: in frames; 1 for frames that do not follow one another.
    Raises BackendError if mediapipe cannot run here, ModelError if a model is missing or damaged.
    """

    def __init__(
        self,
        *,
        min_score: float = 0.5,
        min_face_px: int = 24,
        full_look_every: int = 5,
        models: tuple[BlazeFace, ...] = MODELS,
    ) -> None:
        self._min_face_px = min_face_px
        self._full_look_every = full_look_every
        self._models = models
        self._enough = models
        self._frames_to_full_look = 0
        self._last_count = 0
        self._runtime = _import_mediapipe()
        with ExitStack() as opened, _without_chatter():
            self._detectors = {model: _open(self._runtime, model, min_score) for model in models}
            for detector in self._detectors.values():
                opened.callback(detector.close)
            self._opened = opened.pop_all()

    def find(self, frame: Frame) -> Faces:
        """The faces of one frame, largest score first; boxes may reach over the frame's border."""
        rgb = cv2.cvtColor(frame.image, cv2.COLOR_BGR2RGB)
        picture = self._runtime.Image(image_format=self._runtime.ImageFormat.SRGB, data=rgb)
        due = self._models if self._frames_to_full_look == 0 else self._enough
        looks = {model: self._look(model, picture) for model in due}
        faces = _merge(list(looks.values()))
        if len(faces) < self._last_count and len(looks) < len(self._models):
            looks |= {model: self._look(model, picture) for model in self._models if model not in looks}
            faces = _merge(list(looks.values()))
        if len(looks) == len(self._models):
            alone = tuple(model for model in self._models if _covers(looks[model], faces))
            self._enough = alone[:1] or self._models
            self._frames_to_full_look = self._full_look_every
        self._frames_to_full_look -= 1
        self._last_count = len(faces)
        return faces

    def _look(self, model: BlazeFace, picture: Any) -> Faces:
        detections = self._detectors[model].detect(picture).detections
        faces = _to_faces(detections, picture.width, picture.height, model.framing)
        shorter = (faces.boxes[:, 2:] - faces.boxes[:, :2]).min(axis=1)
        return faces.take(np.flatnonzero(shorter >= self._min_face_px))

    def close(self) -> None:
        """Frees the models; calling it again does nothing."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _import_mediapipe() -> Any:
    try:
        import mediapipe
        from mediapipe.tasks.python import vision  # noqa: F401  (loads mediapipe.tasks)
    except (ImportError, OSError) as error:
        raise BackendError(
            f"MediaPipe cannot be loaded ({error}).",
            "Install it with `pip install mediapipe==0.10.33`, and the system libraries that it names.",
        ) from error
    return mediapipe


def _open(runtime: Any, model: BlazeFace, min_score: float) -> Any:
    """A FaceDetector of MediaPipe's Tasks for still images: it keeps no state, and tracking is done elsewhere."""
    tasks = runtime.tasks
    try:
        content = resources.files("fer_live.weights").joinpath(model.file).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise ModelError(f"MediaPipe's model '{model.file}' is missing.", "Reinstall FER Live.") from error
    options = tasks.vision.FaceDetectorOptions(
        base_options=tasks.BaseOptions(model_asset_buffer=content),
        running_mode=tasks.vision.RunningMode.IMAGE,
        min_detection_confidence=min_score,
    )
    try:
        return tasks.vision.FaceDetector.create_from_options(options)
    except OSError as error:
        raise BackendError(
            f"MediaPipe cannot run here ({error}).", "Install the system library that it names."
        ) from error
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"MediaPipe cannot use its model '{model.file}' ({error}).", "Reinstall FER Live.") from error


def _to_faces(detections: list[Any], width: int, height: int, framing: Framing) -> Faces:
    """Faces of MediaPipe's detections, whose boxes are in px and whose keypoints are fractions of the picture."""
    boxes = [_corners(detection.bounding_box) for detection in detections]
    scores = [detection.categories[0].score for detection in detections]
    points = [[(point.x * width, point.y * height) for point in detection.keypoints] for detection in detections]
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    keypoints = np.array(points, np.float32).reshape(-1, 6, 2)
    return Faces(xyxy, np.array(scores, np.float32), keypoints, frame_boxes(xyxy, eye_roll(keypoints), framing))


def _corners(box: Any) -> tuple[int, int, int, int]:
    return box.origin_x, box.origin_y, box.origin_x + box.width, box.origin_y + box.height


def _merge(looks: list[Faces]) -> Faces:
    """Each face once, as the model saw it that was surer, largest score first."""
    fields = ("boxes", "scores", "keypoints", "regions")
    faces = Faces(*(np.concatenate([getattr(look, name) for look in looks]) for name in fields))
    return faces.take(suppress_overlaps(region_boxes(faces.regions), faces.scores, _IOU_MAX))


def _covers(look: Faces, faces: Faces) -> bool:
    """True if a look of one model has every one of these faces."""
    overlaps = iou(region_boxes(faces.regions), region_boxes(look.regions))
    return bool((overlaps > _IOU_MAX).any(axis=1).all())


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Holds back what the C++ side writes to standard error while models load, and then lets all but its three
    known start-up lines through. No setting of MediaPipe silences those."""
    try:
        stderr = os.dup(_STDERR)
    except OSError:  # a windowed application on Windows has none
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(stderr, _STDERR)
            os.close(stderr)
            held.seek(0)
            for line in held:
                if not _HARMLESS.match(line):
                    sys.stderr.write(line.decode(errors="replace"))
