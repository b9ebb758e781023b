"""The main job without a window: one source in, one session folder out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from fer_live.backends.backend import Backend
from fer_live.capture.source import Source
from fer_live.config import Config, FinderConfig
from fer_live.core.structs import Result
from fer_live.detect.mediapipe import MediaPipeFinder
from fer_live.pipeline.analyser import FaceAnalyser
from fer_live.pipeline.facts import setup_facts
from fer_live.record.session import SessionWriter, State, make_session_folder
from fer_live.record.video import OverlayVideo

_SESSION_ID_LENGTH = 16


def open_finder(config: FinderConfig, is_stills: bool = False) -> MediaPipeFinder:
    """The face finder as configured; on stills both models look at every one."""
    return MediaPipeFinder(
        min_score=config.min_score,
        min_face_px=config.min_face_px,
        full_look_every=1 if is_stills else config.full_look_every,
    )


def analyse_source(
    source: Source,
    parent: Path,
    config: Config,
    backend: Backend,
    on_result: Callable[[Result], None],
    with_video: bool = False,
) -> Path:
    """Analyses every frame of a source into a new folder below parent, which is returned.

    The same source, settings and weights give the same bytes. on_result is called after each frame. Whatever ends
    it early, the rows until then are kept and session.json says 'interrupted' or 'failed'.
    """
    labels = backend.card.labels
    with ExitStack() as stack:
        finder = stack.enter_context(open_finder(config.finder, source.is_stills))
        analyser = FaceAnalyser(finder, backend, config)
        folder = make_session_folder(parent, source.name)
        video = stack.enter_context(OverlayVideo(folder, labels)) if with_video else None
        facts = {
            "kind": "analyze",
            "source": {"name": source.name, "sha256": source.identity, "files": list(source.files)},
            **setup_facts(config, backend),
        }
        session_id = source.identity[:_SESSION_ID_LENGTH]
        writer = SessionWriter(folder, session_id, labels, facts, timed=not source.is_stills)
        state = State.FAILED
        try:
            while (frame := source.read()) is not None:
                result = analyser.analyse(frame, alone=source.is_stills)
                writer.write(result)
                if video is not None:
                    video.write(frame, result.tracks)
                on_result(result)
            state = State.CLOSED
        except KeyboardInterrupt:
            state = State.INTERRUPTED
            raise
        finally:
            writer.close(state)
    return folder
