"""What a contender in Python does: label the frames it is asked for, one after the other, and say how long that took.

Runs in environments without FER Live: numpy and the standard library only.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Boxes = Sequence[Sequence[float]]
"""Faces of a frame that have an emotion: left, top, width and height of each, px."""
Label = Callable[[Any], Boxes]
"""Labels the faces of a frame, uint8 (H, W, 3) BGR."""


def serve(versions: dict[str, str], open_label: Callable[[], Label]) -> None:
    """Answers the lines of standard input until it ends. open_label: called anew for each file of frames."""
    # What libraries print must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    path, images, label = None, np.empty(0), open_label()
    print(json.dumps(versions), file=answers, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if order["path"] != path:
            path, label = order["path"], open_label()
            images = np.fromfile(path, np.uint8).reshape(-1, order["height"], order["width"], 3)
        block = images[order["first"] : order["first"] + order["count"]]
        print(json.dumps(_answer(block, label, order["least_s"])), file=answers, flush=True)


def _answer(block: Any, label: Label, least_s: float) -> dict[str, Any]:
    """Labels a block as often as it takes to reach a time. boxes: of the first pass."""
    boxes: list[Boxes] = []
    frames, wall_s, cpu_s = 0, time.perf_counter(), time.process_time()
    while not frames or time.perf_counter() - wall_s < least_s:
        found = [label(image) for image in block]
        boxes = boxes or found
        frames += len(found)
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    plain = [[[float(number) for number in box] for box in frame] for frame in boxes]
    return {"frames": frames, "wall_s": wall_s, "cpu_s": cpu_s, "boxes": plain}
