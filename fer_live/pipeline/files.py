"""The main job without a window: one source in, one session folder out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_live.backends.backend import Backend
from fer_live.capture.opening import open_source
from fer_live.capture.source import Source
from fer_live.config import Config, FinderConfig
from fer_live.core.structs import Result
from fer_live.detect.blazeface import BlazeFace, BlazeFaceDetector
from fer_live.detect.finder import FaceFinder
from fer_live.detect.following import PRESETS, STILLS, FollowingFinder
from fer_live.detect.mediapipe import MediaPipeFinder
from fer_live.errors import SourceError
from fer_live.pipeline.analyser import FaceAnalyser
from fer_live.pipeline.facts import setup_facts
from fer_live.pipeline.resume import claim_folder
from fer_live.record.session import SessionWriter, State
from fer_live.record.video import OverlayVideo

_SESSION_ID_LENGTH = 16


@dataclass(frozen=True)
class Order:
    """What is wanted of every source of a batch: sequence_hz as for open_source; with_video: overlay.mp4 too."""

    config: Config
    sequence_hz: float | None = None
    with_video: bool = False


@dataclass(frozen=True)
class Task:
    """A source, by its place in the batch and by the name that the user gave it, and the folder of its session."""

    number: int
    name: str
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a source. session: its folder, or why there is none. frames, faces: analysed and labelled.

    is_earlier: an earlier run analysed it, and nothing was done now.
    """

    number: int
    name: str
    session: Path | SourceError
    frames: int = 0
    faces: int = 0
    is_earlier: bool = False


def open_finder(
    config: FinderConfig,
    is_stills: bool = False,
    open_detector: Callable[[BlazeFace], BlazeFaceDetector] = BlazeFaceDetector,
) -> FaceFinder:
    """The face finder as configured; on stills both models look at every one. open_detector: see MediaPipeFinder."""
    schedule = STILLS if is_stills else PRESETS[config.preset]
    finder = MediaPipeFinder(
        min_score=config.min_score,
        min_face_px=config.min_face_px,
        full_look_every=schedule.full_look_every,
        open_detector=open_detector,
    )
    if schedule.detect_every == 1:
        return finder
    return FollowingFinder(finder, schedule.detect_every, config.min_face_px)


def source_facts(source: Source, config: Config, backend: Backend) -> dict[str, Any]:
    """What session.json says of how the session of a source comes about."""
    return {
        "kind": "analyze",
        "source": {"name": source.name, "sha256": source.identity, "files": list(source.files)},
        **setup_facts(config, backend),
    }


def analyse_source(
    source: Source,
    folder: Path,
    config: Config,
    backend: Backend,
    on_result: Callable[[Result], None],
    with_video: bool = False,
) -> None:
    """Analyses every frame of a source into a folder, which is claimed (resume.claim_folder).

    The same source, settings and weights give the same bytes. on_result is called after each frame. Whatever ends
    it early, the rows until then are kept and session.json says 'interrupted' or 'failed'.
    """
    labels = backend.card.labels
    with ExitStack() as stack:
        # Not kept from source to source: the finder remembers where it saw faces.
        finder = stack.enter_context(open_finder(config.finder, source.is_stills))
        analyser = FaceAnalyser(finder, backend, config)
        claim_folder(folder)
        video = stack.enter_context(OverlayVideo(folder, labels)) if with_video else None
        session_id = source.identity[:_SESSION_ID_LENGTH]
        facts = source_facts(source, config, backend)
        writer = SessionWriter(folder, session_id, labels, facts, timed=not source.is_stills)
        state = State.FAILED
        try:
            while (frame := source.read()) is not None:
                result = analyser.analyse(frame, alone=source.is_stills)
                writer.write(result)
                if video is not None:
                    video.write(frame, result.tracks)
                on_result(result)
            if video is not None:
                video.close()
            state = State.CLOSED
        except KeyboardInterrupt:
            state = State.INTERRUPTED
            raise
        finally:
            writer.close(state)


def analyse_task(task: Task, order: Order, backend: Backend, on_frame: Callable[[], None]) -> Outcome:
    """Opens and analyses a source; a SourceError is part of the outcome, other errors are raised."""
    frames = faces = 0

    def count(result: Result) -> None:
        nonlocal frames, faces
        frames += 1
        faces += len(result.tracks)
        on_frame()

    try:
        with open_source(task.name, order.sequence_hz) as source:
            analyse_source(source, task.folder, order.config, backend, count, order.with_video)
    except SourceError as error:
        return Outcome(task.number, task.name, error)
    return Outcome(task.number, task.name, task.folder, frames, faces)
