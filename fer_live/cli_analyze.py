"""The command `analyze`: a batch under one progress bar, with a line for each source."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fer_live.backends.backend import Backend
from fer_live.config import Config
from fer_live.console import tell_choice
from fer_live.errors import SourceError
from fer_live.pipeline.batch import analyse_batch
from fer_live.pipeline.files import Order, Outcome
from fer_live.record.session import FRAMES_CSV


def analyze(names: Sequence[str], out: Path, order: Order, jobs: int | None, is_again: bool, as_json: bool) -> None:
    """See pipeline.batch.analyse_batch. Raises SourceError at the end if a source could not be analysed."""
    with tqdm(total=0, unit=" frames", disable=None) as bar:
        report = _BatchReport(bar, len(names), order.config, as_json)
        analyse_batch(names, out, order, report, jobs, is_again)
    if len(names) == 1 and report.failures:
        raise report.failures[0]
    if report.failures:
        raise SourceError(f"{len(report.failures)} of {len(names)} sources could not be analysed (see above).")


class _BatchReport:
    """A pipeline.batch.Report."""

    def __init__(self, bar: tqdm[Any], sources: int, config: Config, as_json: bool) -> None:
        self._bar = bar
        self._sources = sources
        self._config = config
        self._as_json = as_json
        self._done = 0
        self.failures: list[SourceError] = []

    def begin(self, backend: Backend) -> None:
        tell_choice(self._config, backend)

    def expect(self, frames: int | None) -> None:
        self._bar.total = None if frames is None or self._bar.total is None else self._bar.total + frames
        self._bar.refresh()

    def frame(self) -> None:
        self._bar.update()

    def outcome(self, outcome: Outcome) -> None:
        self._done += 1
        if self._sources > 1:
            self._bar.set_description_str(f"{self._done} of {self._sources} sources")
        if isinstance(outcome.session, Path):
            line = _json_line if self._as_json else _sentence
            tqdm.write(line(outcome, outcome.session / FRAMES_CSV))
            if outcome.announced is not None:
                tqdm.write(f"warning: {_shortage(outcome)}", file=sys.stderr)
            for complaint in outcome.unreadable:
                tqdm.write(f"warning: left out: {complaint}", file=sys.stderr)
            return
        self.failures.append(outcome.session)
        if self._sources > 1:
            tqdm.write(f"error: {outcome.session}", file=sys.stderr)


def _json_line(outcome: Outcome, path: Path) -> str:
    counts = {} if outcome.is_earlier else {"frames": outcome.frames, "labelled_faces": outcome.faces}
    return json.dumps({"source": outcome.name, "csv": str(path), "skipped": outcome.is_earlier, **counts})


def _sentence(outcome: Outcome, path: Path) -> str:
    if outcome.is_earlier:
        return f"{path}: analysed before, skipped (--again analyses it anew)"
    # A face is counted in each frame: the number is not one of people.
    return f"{path}: {_counted(outcome.frames, 'frame')}, {_counted(outcome.faces, 'label')} (one a face in each frame)"


def _shortage(outcome: Outcome) -> str:
    return (
        f"'{outcome.name}' announces {outcome.announced} frames, of which {outcome.frames} could be read. "
        "If it was cut off or damaged, copy it again."
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
