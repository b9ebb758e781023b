"""MediaPipe's two BlazeFace models, one at a time.

They come unmodified from mediapipe 0.10.21 (Apache-2.0, `weights/LICENSE.mediapipe`). mediapipe is pinned to
0.10.33: later versions send metrics over the network. It is imported when the first model is opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.core.closing import Closing
from fer_live.core.geometry import Framing, eye_roll, frame_boxes
from fer_live.core.structs import Faces
from fer_live.detect.chatter import without_chatter
from fer_live.detect.opengl import without_opengl
from fer_live.errors import BackendError, ModelError

CANDIDATE_SCORE = 0.5
"""Least score of a detection."""


@dataclass(frozen=True)
class BlazeFace:
    """One of the models: its file in `fer_live.weights` and how to frame its boxes."""

    file: str
    framing: Framing


# docs/framing.md: the median shift, and 0.93 of the median scale.
SHORT_RANGE = BlazeFace("face_detection_short_range.tflite", Framing(1.10, 0.000, -0.104))
FULL_RANGE = BlazeFace("face_detection_full_range_sparse.tflite", Framing(1.06, 0.003, -0.042))


class BlazeFaceDetector(Closing):
    """An open model; it keeps no state from picture to picture.

    Raises BackendError if mediapipe cannot run here, ModelError if the model is missing or damaged.
    """

    def __init__(self, model: BlazeFace) -> None:
        self._framing = model.framing
        self._runtime = _import_mediapipe()
        with without_chatter():
            self._detector = _open(self._runtime, model)

    def detect(self, part: NDArray[np.uint8], left: int = 0, top: int = 0) -> Faces:
        """Faces with at least CANDIDATE_SCORE in a part of a picture, uint8 (H, W, 3) BGR.

        left, top: the part's corner in the picture, px; what is returned is in px of the picture.
        """
        height, width = part.shape[:2]
        return _to_faces(self.detect_bare(part), width, height, (left, top), self._framing)

    def detect_bare(self, part: NDArray[np.uint8]) -> list[Any]:
        """What MediaPipe says of it, as it says it."""
        rgb = cv2.cvtColor(part, cv2.COLOR_BGR2RGB)
        image = self._runtime.Image(image_format=self._runtime.ImageFormat.SRGB, data=rgb)
        detections: list[Any] = self._detector.detect(image).detections
        return detections

    def close(self) -> None:
        """Frees the model; calling it again does nothing."""
        self._detector.close()


def _import_mediapipe() -> Any:
    without_opengl()
    try:
        import mediapipe
        from mediapipe.tasks.python import vision  # noqa: F401  (loads mediapipe.tasks)
    except (ImportError, OSError) as error:
        raise BackendError(
            f"MediaPipe cannot be loaded ({error}).",
            "Install it with `pip install mediapipe==0.10.33`, and the system libraries that it names.",
        ) from error
    return mediapipe


def _open(runtime: Any, model: BlazeFace) -> Any:
    """A FaceDetector of MediaPipe's Tasks for still images: it keeps no state, and tracking is done elsewhere."""
    tasks = runtime.tasks
    try:
        content = resources.files("fer_live.weights").joinpath(model.file).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise ModelError(f"MediaPipe's model '{model.file}' is missing.", "Reinstall FER Live.") from error
    options = tasks.vision.FaceDetectorOptions(
        base_options=tasks.BaseOptions(model_asset_buffer=content),
        running_mode=tasks.vision.RunningMode.IMAGE,
        min_detection_confidence=CANDIDATE_SCORE,
    )
    try:
        return tasks.vision.FaceDetector.create_from_options(options)
    except OSError as error:
        raise BackendError(
            f"MediaPipe cannot run here ({error}).", "Install the system library that it names."
        ) from error
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"MediaPipe cannot use its model '{model.file}' ({error}).", "Reinstall FER Live.") from error


def _to_faces(detections: list[Any], width: int, height: int, corner: tuple[int, int], framing: Framing) -> Faces:
    """Faces of MediaPipe's detections, whose boxes are in px and whose keypoints are fractions of the picture."""
    left, top = corner
    edges: list[int] = []
    points: list[float] = []
    for detection in detections:
        box = detection.bounding_box
        x, y = left + box.origin_x, top + box.origin_y
        edges += (x, y, x + box.width, y + box.height)
        for point in detection.keypoints:
            points += (point.x * width, point.y * height)
    boxes = np.array(edges, np.float32).reshape(-1, 4)
    keypoints = np.array(points, np.float32).reshape(-1, 6, 2) + np.array(corner, np.float32)
    scores = np.array([detection.categories[0].score for detection in detections], np.float32)
    return Faces(boxes, scores, keypoints, frame_boxes(boxes, eye_roll(keypoints), framing))
