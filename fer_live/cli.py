"""The command line: `fer-live`.

Each command imports what it runs: none waits for what only another one needs (tests/unit/test_imports.py).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

from fer_live import __version__
from fer_live.cli_sessions import add_session_commands
from fer_live.config import (
    APP_NAME,
    Config,
    default_config_path,
    describe_settings,
    load_config,
    recording_folder,
)
from fer_live.console import exit_code, expanded, print_what_can_be, tell_choice
from fer_live.errors import ConfigError, FerError


def main() -> int:
    """Entry point; returns the exit code (console.exit_code)."""
    print_what_can_be()
    arguments = _parser().parse_args()
    # numpy's linear algebra is not used here: its threads would only spin while the program starts.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    return exit_code(lambda: arguments.run(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fer-live", description="Facial emotion recognition from video. Nothing leaves this machine."
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.set_defaults(run=_open_app, source=None, session=None, config=None, model=None, backend=None, assignments=[])
    commands = parser.add_subparsers(metavar="COMMAND", title="commands; without one, the window opens")
    _add_app(commands)
    _add_analyze(commands)
    _add_record(commands)
    add_session_commands(commands)
    _add_bench(commands)
    _add_report(commands, "cameras", _cameras, "list the cameras of this machine")
    backends = _add_report(commands, "backends", _backends, "list the inference backends and why one cannot run here")
    backends.add_argument("--model", metavar="NAME", help=f"network to run (default: {Config().model})")
    _add_report(commands, "doctor", _doctor, "show versions, models, backends and folders, for a bug report")
    return parser


def _add_app(commands: Any) -> None:
    parser = commands.add_parser("app", help="open the window on a source", description="Opens the window.")
    parser.add_argument(
        "source", nargs="?", metavar="SOURCE", help="a camera, stream, video or 'demo' (default: the last one used)"
    )
    parser.add_argument("--session", type=Path, metavar="FOLDER", help="show a recorded session instead")
    _add_settings(parser)
    parser.set_defaults(run=_open_app)


def _add_analyze(commands: Any) -> None:
    settings = "\n".join(f"  {key} = {default}: {text}" for key, default, text in describe_settings())
    parser = commands.add_parser(
        "analyze",
        help="turn videos and pictures into labelled CSV files",
        description="Turns each source into a folder with frames.csv and session.json (docs/csv.md).\n"
        "After an interruption the same command goes on: it skips what is finished, if source, settings, weights and\n"
        "versions are the same, and makes anew what is half done.",
        epilog=f"settings, for --set and the settings file {default_config_path()}:\n{settings}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="a video, a picture, a folder of pictures, a pattern, or 'demo'"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("sessions"), metavar="DIR", help="folder for the results (default: sessions)"
    )
    parser.add_argument(
        "--sequence",
        type=_positive,
        metavar="FPS",
        help="take the pictures of a folder as a video of so many frames a second (default: each stands alone)",
    )
    parser.add_argument("--video", action="store_true", help="also write overlay.mp4, with boxes and labels drawn in")
    parser.add_argument(
        "--jobs",
        type=_count,
        metavar="N",
        help="sources at once, each in a process of its own (default: as many as there are CPUs)",
    )
    parser.add_argument(
        "--again", action="store_true", help="analyse all into new folders, whatever is there from earlier runs"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a source")
    _add_settings(parser)
    parser.set_defaults(run=_analyze)


def _add_record(commands: Any) -> None:
    parser = commands.add_parser(
        "record",
        help="record from a camera or stream without a window",
        description="Records until --seconds are over, a file ends, Ctrl-C or SIGTERM. The newest frame wins.",
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="a camera's index or name, a stream's URL, a video at its own pace, or 'demo'"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for recordings (default: setting record_dir)")
    parser.add_argument("--seconds", type=_positive, metavar="N", help="length, s (default: until Ctrl-C)")
    parser.add_argument("--record-video", action="store_true", help="shorthand for --set recording.video=true")
    parser.add_argument("--blur-faces", action="store_true", help="shorthand for --set recording.blur_faces=true")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    _add_settings(parser)
    parser.set_defaults(run=_record)


def _add_bench(commands: Any) -> None:
    parser = commands.add_parser(
        "bench",
        help="measure how fast this machine is at it",
        description="Measures the chain beside its floor, which is detection and network alone (docs/benchmarks.md).",
    )
    parser.add_argument(
        "--cases", default="*", metavar="PATTERN", help="only those, such as 'live-*' or '*-6-640x480' (default: all)"
    )
    parser.add_argument("--frames", type=_count, default=150, metavar="N", help="frames a case (default: 150)")
    parser.add_argument(
        "--seconds", type=_positive, default=5.0, metavar="S", help="length of a case's live session, s (default: 5)"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list of cases, and the machine to stderr")
    _add_settings(parser)
    parser.set_defaults(run=_bench)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file, TOML")
    parser.add_argument("--model", metavar="NAME", help="shorthand for --set model=NAME")
    parser.add_argument("--backend", metavar="NAME", help="shorthand for --set backend=NAME")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="assignments", help="change one setting"
    )


def _add_report(commands: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text.capitalize() + ".")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)
    return parser


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


def _config_of(arguments: argparse.Namespace) -> Config:
    shorthands = {"model": arguments.model, "backend": arguments.backend}
    assignments = [
        f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in shorthands.items() if value is not None
    ]
    return load_config(arguments.config, [*arguments.assignments, *assignments])


def _open_app(arguments: argparse.Namespace) -> None:
    from fer_live.ui.app import run_app

    config = _config_of(arguments)
    sys.exit(run_app(config, arguments.source, arguments.session, arguments.config))


def _analyze(arguments: argparse.Namespace) -> None:
    from fer_live.cli_analyze import analyze
    from fer_live.pipeline.files import Order

    order = Order(_config_of(arguments), arguments.sequence, arguments.video)
    analyze(expanded(arguments.sources), arguments.out, order, arguments.jobs, arguments.again, arguments.json)


def _bench(arguments: argparse.Namespace) -> None:
    from fer_live.cli_bench import bench

    bench(_config_of(arguments), arguments.cases, arguments.frames, arguments.seconds, arguments.json)


def _record(arguments: argparse.Namespace) -> None:
    from tqdm import tqdm

    from fer_live.pipeline.headless import record_live
    from fer_live.record.session import FRAMES_CSV

    switches = {"recording.video": arguments.record_video, "recording.blur_faces": arguments.blur_faces}
    arguments.assignments += [f"{key}=true" for key, is_on in switches.items() if is_on]
    config = _config_of(arguments)
    if arguments.blur_faces and not config.recording.video:
        raise ConfigError("--blur-faces is about video.mp4, which is not recorded.", "Add --record-video.")
    parent = arguments.out or recording_folder(config)
    # A polite kill ends it like Ctrl-C, which does not reach what a script runs in the background.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tqdm(total=arguments.seconds, unit=" s", disable=None, bar_format="{desc} {n:.0f}{unit}") as bar:

        def on_status(seconds: float, text: str) -> None:
            bar.set_description_str(text, refresh=False)
            bar.update(seconds - bar.n)

        def on_warning(warning: FerError) -> None:
            tqdm.write(f"warning: {warning}", file=sys.stderr)

        counts, folder = record_live(
            arguments.source, parent, config, arguments.seconds, on_status, on_warning, partial(tell_choice, config)
        )
    path = folder / FRAMES_CSV
    if arguments.json:
        print(json.dumps({"csv": str(path), **counts}))
    else:
        print(f"{path}: {counts['frames_analysed']} frames, {counts['frames_dropped']} dropped")


def _cameras(arguments: argparse.Namespace) -> None:
    from fer_live.capture.listing import list_cameras

    cameras = list_cameras()
    if arguments.json:
        print(json.dumps([vars(camera) for camera in cameras]))
    elif not cameras:
        print("No camera found. A video file, a stream's URL or 'demo' can be used instead.")
    else:
        for camera in cameras:
            print(f"{camera.index:3}  {camera.name}")


def _backends(arguments: argparse.Namespace) -> None:
    from fer_live.backends.registry import probe_all, shipped_models

    default = Config().model
    probes = probe_all(arguments.model or (default if default in shipped_models() else None))
    if arguments.json:
        print(json.dumps([vars(probe) for probe in probes]))
        return
    for probe in probes:
        print(f"{probe.name:13} {'available' if probe.available else 'not available: ' + probe.reason}")


def _doctor(arguments: argparse.Namespace) -> None:
    import platform

    import platformdirs

    from fer_live.backends.registry import probe_all, shipped_models
    from fer_live.record.session import versions

    report: dict[str, Any] = {
        "versions": {**versions(), "system": platform.platform()},
        "models": {model: _model_state(model) for model in shipped_models()},
        "backends": [vars(probe) for probe in probe_all()],
        "folders": {
            "settings": str(default_config_path().parent),
            "cache": platformdirs.user_cache_dir(APP_NAME),
            "log": platformdirs.user_log_dir(APP_NAME),
        },
    }
    if arguments.json:
        print(json.dumps(report))
        return
    for section, content in report.items():
        print(f"{section}:")
        for line in _lines(content):
            print(f"  {line}")


def _model_state(model: str) -> str:
    from fer_live.backends.registry import open_backend

    try:
        with open_backend("auto", model) as backend:
            return f"ok, on {backend.name} ({backend.device}), labels {', '.join(backend.card.labels)}"
    except FerError as error:
        return str(error)


def _lines(content: Any) -> list[str]:
    if isinstance(content, dict):
        return [f"{key}: {value}" for key, value in content.items()]
    return [f"{row['name']}: {'available' if row['available'] else row['reason']}" for row in content]
