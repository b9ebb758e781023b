"""Measures the chain, live and on files, beside its floor: `fer-live bench`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import product

import numpy as np

from fer_live.backends.registry import open_backend
from fer_live.capture.opening import LiveSource
from fer_live.capture.paced import PacedSource
from fer_live.capture.wall import RATE_HZ, WallSource
from fer_live.config import Config
from fer_live.core.structs import Frame
from fer_live.errors import ConfigError
from fer_live.pipeline.analyser import FaceAnalyser
from fer_live.pipeline.files import open_finder
from fer_live.pipeline.floor import Floor, Work
from fer_live.pipeline.live import LiveSession
from fer_live.pipeline.machine import resident_mb
from fer_live.pipeline.status import LiveState

_FACES = (0, 1, 2, 6, 16)
_SIZES = ((640, 480), (1280, 720))
_WARM_UP_FRAMES = 30  # the first frame that counts is one that every preset looks at
_WARM_UP_S = 1.0
_POLL_S = 0.5


class Mode(StrEnum):
    """How frames come: as from a camera, at 30 Hz, or as from a file, each when the last is done with."""

    LIVE = "live"
    ANALYZE = "analyze"


@dataclass(frozen=True)
class Case:
    """What one measurement is about. width, height: of the frames, px."""

    mode: Mode
    faces: int
    width: int
    height: int

    @property
    def name(self) -> str:
        """As the user names it."""
        return f"{self.mode}-{self.faces}-{self.width}x{self.height}"


@dataclass(frozen=True)
class Figures:
    """What came out of a case.

    busy_ms: FaceAnalyser.analyse, over `frames` frames. floor_ms: bare detection and network (see Floor) on the same
    frames in turns with it, frame by frame, where the face models looked: following has no floor. looking_ms: of
    analyse in these frames. floor_ratio: of the two means, since some frames have more looks than others.
    rate_hz, age_ms, drops: live, of a session without the floor; age is result finished minus frame captured. On
    files nothing is dropped, frames have no age, and the rate is frames over their busy time.
    rss_mb: memory of the process with the session, or the chain on a file, at work.
    faces_found: mean over the frames.
    """

    case: str
    mode: str
    faces: int
    width: int
    height: int
    frames: int
    busy_ms_mean: float
    busy_ms_p50: float
    busy_ms_p95: float
    looking_ms_mean: float
    floor_ms_mean: float
    floor_ms_p50: float
    floor_ratio: float
    rate_hz: float
    age_ms_p50: float | None
    age_ms_p95: float | None
    drops: int
    rss_mb: float
    faces_found: float


def cases_like(pattern: str = "*") -> list[Case]:
    """Those whose names match a shell pattern, such as 'live-*' or '*-6-*'; raises ConfigError if none does."""
    cases = [Case(mode, faces, *size) for mode, size, faces in product(Mode, _SIZES, _FACES)]
    wanted = [case for case in cases if fnmatchcase(case.name, pattern)]
    if not wanted:
        raise ConfigError(
            f"No case is like '{pattern}'.", f"They are called {cases[0].name} to {cases[-1].name}; * stands for any."
        )
    return wanted


def measure(case: Case, config: Config, frames: int, seconds: float) -> Figures:
    """Measures a case over so many frames beside the floor and, live, a session of so many seconds before.

    Raises what opening the backend or the finder raises.
    """
    session = _run_session(case, config, seconds) if case.mode is Mode.LIVE else None
    turns = _take_turns(case, config, frames)
    busy_p50, busy_p95 = np.percentile(turns.busy_ms, (50, 95)).tolist()
    busy_mean, floor_mean = float(np.mean(turns.busy_ms)), float(np.mean(turns.floor_ms))
    looking_mean = float(np.mean(turns.looking_ms))
    session = session or _Session(1000 / busy_mean, None, None, 0, turns.rss_mb)
    return Figures(
        case=case.name,
        mode=case.mode,
        faces=case.faces,
        width=case.width,
        height=case.height,
        frames=frames,
        busy_ms_mean=busy_mean,
        busy_ms_p50=busy_p50,
        busy_ms_p95=busy_p95,
        looking_ms_mean=looking_mean,
        floor_ms_mean=floor_mean,
        floor_ms_p50=float(np.median(turns.floor_ms)),
        floor_ratio=looking_mean / floor_mean,
        faces_found=turns.faces_found,
        **vars(session),
    )


@dataclass(frozen=True)
class _Session:
    rate_hz: float
    age_ms_p50: float | None
    age_ms_p95: float | None
    drops: int
    rss_mb: float


def _run_session(case: Case, config: Config, seconds: float) -> _Session:
    """A live session on a camera that gives the case's frames."""
    source = LiveSource(
        case.name, lambda: PacedSource(WallSource(case.faces, None, case.width, case.height)), is_device=False
    )
    session = LiveSession(
        config, source, lambda: open_finder(config.finder), lambda: open_backend(config.backend, config.model)
    )
    session.start()
    try:
        while not _ages(session, _WARM_UP_S):
            continue
        drops, unseen, started = session.status().dropped, session.results.dropped, time.monotonic()
        ages = _ages(session, seconds)
        elapsed = time.monotonic() - started
        results = len(ages) + session.results.dropped - unseen
        drops = session.status().dropped - drops
        rss_mb = resident_mb()
    finally:
        session.stop()
    p50, p95 = np.percentile(ages, (50, 95)).tolist() if ages else (None, None)
    return _Session(results / elapsed, p50, p95, drops, rss_mb)


def _ages(session: LiveSession, seconds: float) -> list[float]:
    """The ages, ms, of the results that come in so many seconds; raises what ends the session."""
    ages = []
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        taken = session.results.take(min(left, _POLL_S))
        if taken is not None:
            ages.append(1000 * (taken[1].finished_at - taken[1].captured_at))
            continue
        status = session.status()
        if status.state is LiveState.FAILED and status.error is not None:
            raise status.error
    return ages


@dataclass(frozen=True)
class _Turns:
    """looking_ms: of the frames of busy_ms that the face models looked at; floor_ms is of the same."""

    busy_ms: list[float]
    looking_ms: list[float]
    floor_ms: list[float]
    faces_found: float
    rss_mb: float


def _take_turns(case: Case, config: Config, frames: int) -> _Turns:
    """The chain and its floor in turns, after a scout has shown what the models have to do in each frame."""
    pace = _Pace() if case.mode is Mode.LIVE else None
    count = _WARM_UP_FRAMES + frames
    busy_ms, looking_ms, floor_ms = [], [], []
    with ExitStack() as stack:
        work, faces_found, rss_mb = _scout(case, config, count, stack)
        backend = stack.enter_context(open_backend(config.backend, config.model))
        analyser = FaceAnalyser(stack.enter_context(open_finder(config.finder)), backend, config)
        camera, same_again = (_pictures(case, count, pace) for _ in range(2))
        is_chain_first = True
        for number, done in enumerate(work):
            steps = (analyser.analyse, done.repeat) if is_chain_first else (done.repeat, analyser.analyse)
            # Either begins after a picture was made and, live, a rest; still the second finds some of it in the caches.
            first, second = _ms(steps[0], next(camera)), _ms(steps[1], next(same_again))
            busy, repeated = (first, second) if is_chain_first else (second, first)
            is_chain_first = is_chain_first != bool(done.looks)
            if number < _WARM_UP_FRAMES:
                continue
            busy_ms.append(busy)
            if done.looks:
                looking_ms.append(busy)
                floor_ms.append(repeated)
    return _Turns(busy_ms, looking_ms, floor_ms, faces_found, rss_mb)


def _scout(case: Case, config: Config, count: int, stack: ExitStack) -> tuple[list[Work], float, float]:
    """What the models do in each frame, the mean number of faces, and the memory of the process at work, MB."""
    floor = Floor()
    backend = stack.enter_context(floor.watched(open_backend(config.backend, config.model)))
    finder = stack.enter_context(open_finder(config.finder, open_detector=floor.open_detector))
    analyser = FaceAnalyser(finder, backend, config)
    work, found = [], []
    for frame in _pictures(case, count, None):
        found.append(len(analyser.analyse(frame).tracks))
        work.append(floor.take())
    return work, float(np.mean(found[_WARM_UP_FRAMES:])), resident_mb()


def _ms(step: Callable[[Frame], object], frame: Frame) -> float:
    started = time.perf_counter()
    step(frame)
    return 1000 * (time.perf_counter() - started)


def _pictures(case: Case, count: int | None, pace: _Pace | None) -> Iterator[Frame]:
    """The frames of a case, each as soon as the pace allows."""
    with WallSource(case.faces, count, case.width, case.height) as source:
        for frame in iter(source.read, None):
            if pace is not None:
                pace.wait()
            yield frame


class _Pace:
    """Waits for the next period of a camera."""

    def __init__(self) -> None:
        self._due = time.perf_counter()

    def wait(self) -> None:
        """Returns at once if it is late, and begins anew."""
        self._due = max(self._due + 1 / RATE_HZ, time.perf_counter())
        time.sleep(max(0.0, self._due - time.perf_counter()))
