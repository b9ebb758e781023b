"""FER Live beside what people would use instead: the same frames, in turns.

Each contender has an environment of its own, installed by the first run, and is one process that stays. In every round
all of them do the same block of frames, one after the other. Writes results.json, tables.md and compare.png; a later
run of other cases into the same folder adds to them.

python tests/benchmarks/compare/run.py --out DIR [--cache DIR] [--rounds N] [--cases PATTERN] [--contenders PATTERN]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import platformdirs
from cases import CASES
from contender import CONTENDERS, OURS, Contender, Failed, Frames
from environments import Missing, media
from report import draw, tables
from tqdm import tqdm

from fer_live.pipeline.machine import machine_facts

_BLOCK = 5
"""Frames a contender does in a turn, or as often as it takes to fill the turn's time."""


def measure(frames: Frames, contenders: dict[str, Contender], rounds: int, least_s: float) -> dict[str, Any]:
    """What each contender finds in all frames, which also warms it up, then its speed, round by round."""
    case = frames.case
    figures: dict[str, dict[str, Any]] = {}
    with tqdm(total=len(contenders) * (rounds + 1), desc=case.name, unit=" turns", disable=None) as bar:
        for name, contender in contenders.items():
            boxes = contender.label(frames, 0, frames.count, 0)["boxes"]
            figures[name] = {"boxes": boxes, "frames_per_s": [], "cpu_ms": []}
            bar.update()
        for turn in range(rounds):
            for name, contender in contenders.items():
                answer = contender.label(frames, turn * _BLOCK % frames.count, _BLOCK, least_s)
                figures[name]["frames_per_s"].append(answer["frames"] / answer["wall_s"])
                figures[name]["cpu_ms"].append(1000 * answer["cpu_s"] / answer["frames"])
                bar.update()
    return {**vars(case), "frames": frames.count, "contenders": figures, "load": os.getloadavg()[0]}


def installed(wanted: list[str], cache: Path) -> dict[str, list[str | Path]]:
    """The commands of those contenders that can be installed here; the others are told with the reason."""
    commands = {}
    for name in wanted:
        try:
            commands[name] = CONTENDERS[name](cache)
        except Missing as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    return commands


def started(commands: dict[str, list[str | Path]], logs: Path, stack: ExitStack) -> dict[str, Contender]:
    """Those contenders that run here; the others are told with the reason."""
    contenders = {}
    for name, command in commands.items():
        log = logs / f"{name.replace(', ', '-').replace(' ', '-')}.log"
        try:
            contenders[name] = stack.enter_context(Contender(command, log))
        except Failed as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    return contenders


def compare(arguments: argparse.Namespace) -> dict[str, Any]:
    """All cases one after the other, all contenders in turns."""
    wanted = [name for name in CONTENDERS if name == OURS or fnmatchcase(name, arguments.contenders)]
    clips = media(arguments.cache)
    commands = installed(wanted, arguments.cache)
    facts = machine_facts()
    with ExitStack() as stack:
        contenders = started(commands, arguments.out, stack)
        measured = {}
        for case in (case for case in CASES if fnmatchcase(case.name, arguments.cases)):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / case.name
                frames = Frames(case, path, case.write(path, clips))
                measured[case.name] = measure(frames, contenders, arguments.rounds, arguments.least_s)
    versions = {name: contender.versions for name, contender in contenders.items()}
    return {"machine": facts, "versions": versions, "cases": measured}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder for results, tables, plot and the contenders' logs")
    add("--cache", type=Path, default=platformdirs.user_cache_path("fer-live-compare"), help="folder of environments")
    add("--rounds", type=int, default=5, help="turns of each contender in a case (default: %(default)s)")
    add("--least-s", type=float, default=1.0, help="a turn repeats its frames up to here (default: %(default)s)")
    add("--cases", default="*", help=f"of {', '.join(case.name for case in CASES)} (default: all)")
    add("--contenders", default="*", help=f"besides {OURS}: {', '.join(CONTENDERS)} (default: all)")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "results.json"
    results = compare(arguments)
    if path.exists() and (earlier := json.loads(path.read_text(encoding="utf-8")))["versions"] == results["versions"]:
        results["cases"] = earlier["cases"] | results["cases"]
    path.write_text(json.dumps(results), encoding="utf-8")
    text = tables(results)
    (arguments.out / "tables.md").write_text(text, encoding="utf-8")
    draw(results, arguments.out / "compare.png")
    print(text)


if __name__ == "__main__":
    main()
