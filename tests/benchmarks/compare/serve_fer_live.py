"""FER Live's chain as it runs live and on files, or with a call of the network for each face.

python serve_fer_live.py MODEL [per-face]
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from importlib.metadata import version
from itertools import count

from serving import Boxes, Label, serve

from fer_live.backends.registry import open_backend
from fer_live.capture.wall import RATE_HZ
from fer_live.config import Config
from fer_live.core.structs import Frame
from fer_live.pipeline.analyser import FaceAnalyser
from fer_live.pipeline.files import open_finder


def main() -> None:
    config = Config(model=sys.argv[1])
    with open_backend(config.backend, config.model) as backend, ExitStack() as opened:
        if sys.argv[2:] == ["per-face"]:
            backend.max_batch = 1

        def open_label() -> Label:
            opened.close()  # A finder of frames before.
            analyser = FaceAnalyser(opened.enter_context(open_finder(config.finder)), backend, config)
            numbers = count()

            def label(image) -> Boxes:  # type: ignore[no-untyped-def]
                index = next(numbers)
                result = analyser.analyse(Frame(image, index, index / RATE_HZ))
                return [track.left_top_width_height for track in result.tracks]

            return label

        packages = ("opencv-contrib-python", "mediapipe", "onnxruntime")
        serve({name: version(name) for name in packages} | {"backend": backend.name}, open_label)


if __name__ == "__main__":
    main()
