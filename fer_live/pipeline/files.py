"""The main job without a window: one source in, one session folder out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import cv2

from fer_live.backends.backend import Backend
from fer_live.capture.opening import open_source
from fer_live.capture.source import Hashes, Source
from fer_live.config import Config, FinderConfig
from fer_live.core.structs import Frame, Result
from fer_live.detect.blazeface import BlazeFace, BlazeFaceDetector
from fer_live.detect.finder import FaceFinder
from fer_live.detect.following import PRESETS, STILLS, FollowingFinder, Schedule
from fer_live.detect.mediapipe import MediaPipeFinder
from fer_live.errors import SourceError
from fer_live.pipeline.analyser import FaceFollower, Reading, classify, in_batches, look_at
from fer_live.pipeline.facts import setup_facts
from fer_live.pipeline.overlap import Overlap
from fer_live.pipeline.resume import claim_folder
from fer_live.record.session import SessionWriter, State
from fer_live.record.video import OverlayVideo

_SESSION_ID_LENGTH = 16
_USUAL_SHARE = 0.9
_VIDEO_FINDERS_MAX = 2
"""Two keep up with one thread that decodes; one more would hold as many frames as lie between two full looks."""


@dataclass(frozen=True)
class Order:
    """What is wanted of every source of a batch: sequence_hz as for open_source; with_video: overlay.mp4 too.

    cores: how many one source may keep busy.
    """

    config: Config
    sequence_hz: float | None = None
    with_video: bool = False
    cores: int = 1


@dataclass(frozen=True)
class Task:
    """A source, by its place in the batch and by the name that the user gave it, and the folder of its session.

    hashes: of its files as they were when that was decided.
    """

    number: int
    name: str
    folder: Path
    hashes: Hashes


@dataclass(frozen=True)
class Outcome:
    """What became of a source. session: its folder, or why there is none. frames, faces: analysed and labelled.

    announced: frames that its header announces, if far fewer could be read. unreadable: why pictures of a folder are
    gaps. is_earlier: an earlier run analysed it, and nothing was done now.
    """

    number: int
    name: str
    session: Path | SourceError
    frames: int = 0
    faces: int = 0
    announced: int | None = None
    unreadable: tuple[str, ...] = ()
    is_earlier: bool = False


def open_finder(
    config: FinderConfig,
    is_stills: bool = False,
    open_detector: Callable[[BlazeFace], BlazeFaceDetector] = BlazeFaceDetector,
) -> FaceFinder:
    """The face finder as configured; on stills both models look at every one. open_detector: see MediaPipeFinder."""
    schedule = _schedule(config, is_stills)
    finder = MediaPipeFinder(
        min_score=config.min_score,
        min_face_px=config.min_face_px,
        full_look_every=schedule.full_look_every,
        open_detector=open_detector,
    )
    if schedule.detect_every == 1:
        return finder
    return FollowingFinder(finder, schedule.detect_every, config.min_face_px)


def _schedule(config: FinderConfig, is_stills: bool) -> Schedule:
    return STILLS if is_stills else PRESETS[config.preset]


def source_facts(source: Source, config: Config, backend: Backend) -> dict[str, Any]:
    """What session.json says of how the session of a source comes about."""
    return {
        "kind": "analyze",
        "source": {"name": source.name, "sha256": source.identity, "files": list(source.files)},
        **setup_facts(config, backend),
    }


def analyse_source(
    source: Source, folder: Path, order: Order, backend: Backend, on_result: Callable[[Result], None]
) -> int | None:
    """Analyses every frame of a source into a folder, which is claimed (resume.claim_folder).

    Returns how many frames its header announces, if far fewer could be read, else None.

    The same source, settings and weights give the same bytes, with any number of cores. on_result is called after each
    frame. Whatever ends it early, the rows until then are kept and session.json says 'interrupted' or 'failed'.
    """
    config, labels = order.config, backend.card.labels
    facts = source_facts(source, config, backend)
    # Each core has frames of its own.
    cv2.setNumThreads(1)
    with ExitStack() as stack:
        finders = [stack.enter_context(finder) for finder in _open_finders(source, order)]
        follower = FaceFollower(config, labels)
        claim_folder(folder)
        video = stack.enter_context(OverlayVideo(folder, labels)) if order.with_video else None
        overlap = stack.enter_context(Overlap())
        frames = _frames(source, overlap)
        to_paint: deque[Frame] = deque()
        if video is not None:
            frames = _kept(frames, to_paint)
        stretch = _schedule(config.finder, source.is_stills).full_look_every
        readings = _readings(frames, finders, stretch, backend, order.cores, overlap)
        session_id = facts["source"]["sha256"][:_SESSION_ID_LENGTH]
        writer = SessionWriter(folder, session_id, labels, facts, timed=not source.is_stills, files=source.files)
        state = State.FAILED
        captured: int | None = None
        try:
            for reading in readings:
                result = follower.follow(reading, alone=source.is_stills)
                writer.write(result)
                if video is not None:
                    video.write(to_paint.popleft(), result.tracks)
                on_result(result)
            if video is not None:
                video.close()
            announced = _announced_in_vain(source, writer.counts["frames_analysed"])
            if announced is not None:
                writer.note("frames_announced", announced)
            state, captured = State.CLOSED, len(source.files) or None
        except KeyboardInterrupt:
            state = State.INTERRUPTED
            raise
        finally:
            writer.close(state, captured)
        return announced


def _open_finders(source: Source, order: Order) -> Iterator[FaceFinder]:
    """For stills one a core, for frames that follow one another at most two.

    A finder remembers where it saw faces, so none is kept from source to source.
    """
    count = min(order.cores, source.size or order.cores)
    if not source.is_stills:
        count = min(count, _VIDEO_FINDERS_MAX)
    return (open_finder(order.config.finder, source.is_stills) for _ in range(count))


def _frames(source: Source, overlap: Overlap) -> Iterator[Frame]:
    """All frames, each decoded while the one before is looked at."""
    return iter(overlap.step(lambda _: source.read(), repeat(None)).__next__, None)


def _kept(frames: Iterable[Frame], kept: deque[Frame]) -> Iterator[Frame]:
    """The same frames, each also put aside; itertools.tee would hold up to 57 that nobody needs any more."""
    for frame in frames:
        kept.append(frame)
        yield frame


def _readings(
    frames: Iterable[Frame],
    finders: Sequence[FaceFinder],
    stretch: int,
    backend: Backend,
    cores: int,
    overlap: Overlap,
) -> Iterator[Reading]:
    """What is read from each frame, in order. stretch: frames from one full look that is due to the next.

    What a finder remembers ends there, so each stretch may have another finder, and all are in the same state.
    """
    ways_to_look = [partial(look_at, finder=finder, spec=backend.card.input) for finder in finders]
    looks = overlap.in_turns(ways_to_look, frames, stretch)
    batches = in_batches(looks, backend.max_batch)
    threads = cores if backend.is_thread_safe else 1
    return chain.from_iterable(overlap.step(partial(classify, backend=backend), batches, threads))


def _announced_in_vain(source: Source, frames: int) -> int | None:
    """How many frames a video's header announces, if far fewer were read; of whole ones some announce a few more."""
    if source.files or source.size is None or frames >= _USUAL_SHARE * source.size:
        return None
    return source.size


def analyse_task(task: Task, order: Order, backend: Backend, on_frame: Callable[[], None]) -> Outcome:
    """Opens and analyses a source; a SourceError is part of the outcome, other errors are raised."""
    frames = faces = 0
    unreadable: list[str] = []

    def count(result: Result) -> None:
        nonlocal frames, faces
        frames += 1
        faces += len(result.tracks)
        on_frame()

    try:
        with open_source(task.name, order.sequence_hz, task.hashes, unreadable.append) as source:
            announced = analyse_source(source, task.folder, order, backend, count)
    except SourceError as error:
        return Outcome(task.number, task.name, error)
    return Outcome(task.number, task.name, task.folder, frames, faces, announced, tuple(unreadable))
