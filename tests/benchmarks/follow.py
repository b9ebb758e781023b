"""What following faces costs and changes: each preset beside finding faces in every frame, on the same frames in turns.

python tests/benchmarks/follow.py CLIP... [--frames N] [--skip N] [--rows PX] [--model NAME]

A clip may be several files side by side: a.mp4+b.mp4, at most as long as the shortest. docs/following.md says which
clips were used.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_live.backends.registry import open_backend
from fer_live.capture.opening import open_source
from fer_live.config import Config, FinderConfig
from fer_live.core.closing import Closing
from fer_live.core.geometry import iou
from fer_live.core.structs import Faces, Frame, Track
from fer_live.detect.blazeface import BlazeFaceDetector
from fer_live.detect.finder import FaceFinder
from fer_live.pipeline.analyser import FaceAnalyser
from fer_live.pipeline.files import open_finder

PRESETS = get_args(FinderConfig.model_fields["preset"].annotation)
EVERY_FRAME, *_ = PRESETS
SAME_IOU = 0.3
BLOCK = 100


@dataclass
class Figures:
    """Of one preset, by frame: find_ms; find_cpu_ms, CPU time of all threads; busy_ms of the whole chain; looks of the
    face models. Of the faces that it shares with finding in every frame: overlaps; is_agreed, whether the labels shown
    are equal. missed, extra: faces that only one of both has."""

    find_ms: list[float] = field(default_factory=list)
    find_cpu_ms: list[float] = field(default_factory=list)
    busy_ms: list[float] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)
    overlaps: list[float] = field(default_factory=list)
    is_agreed: list[bool] = field(default_factory=list)
    missed: int = 0
    extra: int = 0

    def compare(self, tracks: tuple[Track, ...], reference: tuple[Track, ...]) -> None:
        pairs = matches(tracks, reference)
        self.missed += len(reference) - len(pairs)
        self.extra += len(tracks) - len(pairs)
        for one, other, overlap in pairs:
            self.overlaps.append(overlap)
            self.is_agreed.append(one.label_index == other.label_index)


def matches(tracks: tuple[Track, ...], others: tuple[Track, ...]) -> list[tuple[Track, Track, float]]:
    """Pairs that overlap by SAME_IOU or more, best first, each track in one pair only."""
    pairs = [
        (track, other, overlap)
        for track in tracks
        for other in others
        if (overlap := iou(track.box.tolist(), other.box.tolist())) >= SAME_IOU
    ]
    best: dict[int, tuple[Track, Track, float]] = {}
    taken: set[int] = set()
    for track, other, overlap in sorted(pairs, key=lambda pair: -pair[2]):
        if track.face_id not in best and other.face_id not in taken:
            best[track.face_id] = (track, other, overlap)
            taken.add(other.face_id)
    return list(best.values())


def frames_of(clip: str, skip: int, limit: int, rows: int) -> Iterator[Frame]:
    with ExitStack() as stack:
        sources = [stack.enter_context(open_source(name)) for name in clip.split("+")]
        beside = zip(*(iter(source.read, None) for source in sources), strict=False)
        for parts in islice(beside, skip, skip + limit):
            first = parts[0]
            yield Frame(np.hstack([of_height(part.image, rows) for part in parts]), first.index, first.captured_at)


def of_height(image: NDArray[np.uint8], rows: int) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    method = cv2.INTER_AREA if rows < height else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (round(width * rows / height), rows), interpolation=method), np.uint8)


class CountedDetector(BlazeFaceDetector):
    looks = 0

    def detect(self, rgb: NDArray[np.uint8], left: int = 0, top: int = 0) -> Faces:
        CountedDetector.looks += 1
        return super().detect(rgb, left, top)


class CpuTimedFinder(Closing):
    """CPU time is what other programs on the same cores change least."""

    def __init__(self, finder: FaceFinder, cpu_ms: list[float]) -> None:
        self._finder = finder
        self._cpu_ms = cpu_ms

    def find(self, frame: Frame) -> Faces:
        started = time.process_time()
        faces = self._finder.find(frame)
        self._cpu_ms.append(1000 * (time.process_time() - started))
        return faces

    def close(self) -> None:
        self._finder.close()


def measure(clip: str, arguments: argparse.Namespace) -> dict[str, Figures]:
    figures = {preset: Figures() for preset in PRESETS}
    with ExitStack() as stack:
        backend = stack.enter_context(open_backend("auto", arguments.model))
        analysers = {}
        for preset in PRESETS:
            config = Config(finder=FinderConfig(preset=preset))
            finder = open_finder(config.finder, open_detector=CountedDetector)
            finder = stack.enter_context(CpuTimedFinder(finder, figures[preset].find_cpu_ms))
            analysers[preset] = FaceAnalyser(finder, backend, config)
        order = list(PRESETS)
        for frame in tqdm(frames_of(clip, arguments.skip, arguments.frames, arguments.rows), clip, disable=None):
            tracks = {}
            for preset in order:
                CountedDetector.looks = 0
                result = analysers[preset].analyse(frame)
                figures[preset].find_ms.append(result.timings_ms["find"])
                figures[preset].busy_ms.append(sum(result.timings_ms.values()))
                figures[preset].looks.append(CountedDetector.looks)
                tracks[preset] = result.tracks
            for preset in PRESETS:
                figures[preset].compare(tracks[preset], tracks[EVERY_FRAME])
            order.append(order.pop(0))
    return figures


def ratios(times: list[float], reference: list[float]) -> str:
    """Of the sums: over all frames, and the range over blocks of frames."""
    starts = range(0, max(1, len(times) - BLOCK + 1), BLOCK)
    blocks = [sum(times[at : at + BLOCK]) / sum(reference[at : at + BLOCK]) for at in starts]
    return f"{sum(times) / sum(reference):.2f} ({min(blocks):.2f}-{max(blocks):.2f})"


def show(clip: str, figures: dict[str, Figures]) -> None:
    reference = figures[EVERY_FRAME]
    print(f"{clip}, {len(reference.looks)} frames, {len(reference.overlaps)} faces")
    for preset, found in figures.items():
        print(
            f"  {preset:8} find {np.mean(found.find_ms):.2f} ms,"
            f" p50 {np.median(found.find_ms):.2f}, p95 {np.percentile(found.find_ms, 95):.2f};"
            f" ratio {ratios(found.find_ms, reference.find_ms)},"
            f" of CPU time {ratios(found.find_cpu_ms, reference.find_cpu_ms)},"
            f" of the whole chain {ratios(found.busy_ms, reference.busy_ms)}; {np.mean(found.looks):.2f} looks;"
            f" IoU {np.mean(found.overlaps):.3f}, p5 {np.percentile(found.overlaps, 5):.3f};"
            f" labels agree {np.mean(found.is_agreed):.1%}; missed {found.missed}, extra {found.extra}"
            if found.overlaps
            else f"  {preset:8} no face; CPU time {ratios(found.find_cpu_ms, reference.find_cpu_ms)}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", metavar="CLIP")
    parser.add_argument("--frames", type=int, default=400, help="of each clip, at most")
    parser.add_argument("--skip", type=int, default=0, help="frames at the start of each clip that are left out")
    parser.add_argument("--rows", type=int, default=480, help="height that each picture is scaled to, px")
    parser.add_argument("--model", default="resnet18")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    for clip in arguments.clips:
        show(clip, measure(clip, arguments))
    print(f"{arguments.model}, {arguments.rows} rows; load average {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
