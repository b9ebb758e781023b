"""Settings: defaults, then a TOML file, then the command line; validated before anything opens."""

from __future__ import annotations

import ipaddress
import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import platformdirs
import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fer_live.errors import ConfigError, complaint_of
from fer_live.files import replace_file

APP_NAME = "fer-live"


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FinderConfig(_Settings):
    """Which faces count as found."""

    min_score: float = Field(
        0.55, ge=0.05, le=1, description="least confidence of the face finder; less than 0.5 is 0.5"
    )
    min_face_px: int = Field(24, ge=8, le=4096, description="least width and height of a face, px")
    preset: Literal["quality", "balanced", "fast"] = Field(
        "balanced", description="quality finds faces in every frame; balanced and fast follow them in between"
    )


class QualityConfig(_Settings):
    """Which faces count; docs/quality.md measures the defaults. The others are marked and left out."""

    min_face_px: int = Field(30, ge=0, le=4096, description="least side of a face that counts, px; 0 is any")
    min_sharpness: float = Field(0.1, ge=0, le=1, description="least sharpness of a face that counts; 0 is any")
    max_turn: float = Field(0.8, gt=0, le=10, description="furthest turn of a head that counts; 0 is frontal")


class TrackingConfig(_Settings):
    """How faces are followed and their labels steadied."""

    min_iou: float = Field(0.2, gt=0, lt=1, description="least overlap of a face with itself one frame before")
    max_missed_ms: float = Field(700, ge=0, le=60_000, description="how long a face may be missing, ms")
    smoothing_ms: float = Field(300, ge=0, le=60_000, description="time constant of smoothing, ms; 0 is none")
    uncertain_below: float = Field(0.4, ge=0, lt=1, description="smoothed probability under which no label shows")
    hysteresis: float = Field(0.08, ge=0, lt=1, description="lead that another label needs to replace the label")

    @model_validator(mode="after")
    def _label_can_return(self) -> TrackingConfig:
        if self.uncertain_below + self.hysteresis >= 1:
            raise ValueError("uncertain_below + hysteresis must stay below 1, or no label could ever show")
        return self


class CameraConfig(_Settings):
    """What cameras are asked for; they may deliver something else."""

    width: int = Field(640, ge=160, le=7680, description="picture width, px")
    height: int = Field(480, ge=120, le=4320, description="picture height, px")
    rate_hz: float = Field(30, gt=0, le=240, description="pictures a second, Hz")


class RecordingConfig(_Settings):
    """What a live recording holds besides rows, and when its disk is too full."""

    video: bool = Field(False, description="also record the picture as video.mp4")
    blur_faces: bool = Field(False, description="make faces unrecognizable in video.mp4")
    warn_below_mb: int = Field(2000, ge=0, le=1_000_000, description="space left on disk that is warned of, MB")
    stop_below_mb: int = Field(200, ge=0, le=1_000_000, description="space left on disk that ends a recording, MB")


class MarkersConfig(_Settings):
    """What the keys 1 to 9 mark."""

    key_1: str = Field("marker 1", description="name of the marker of key 1; empty: none")
    key_2: str = Field("marker 2", description="name of the marker of key 2; empty: none")
    key_3: str = Field("marker 3", description="name of the marker of key 3; empty: none")
    key_4: str = Field("marker 4", description="name of the marker of key 4; empty: none")
    key_5: str = Field("marker 5", description="name of the marker of key 5; empty: none")
    key_6: str = Field("marker 6", description="name of the marker of key 6; empty: none")
    key_7: str = Field("marker 7", description="name of the marker of key 7; empty: none")
    key_8: str = Field("marker 8", description="name of the marker of key 8; empty: none")
    key_9: str = Field("marker 9", description="name of the marker of key 9; empty: none")

    def name_of(self, key: int) -> str:
        """The name that a key, 1 to 9, marks with, or ''."""
        return str(getattr(self, f"key_{key}"))


class OutletsConfig(_Settings):
    """What goes to other programs live; nothing unless it is switched on."""

    lsl: bool = Field(False, description="send over Lab Streaming Layer")
    lsl_markers: str = Field(
        "", pattern="^[^'\"]*$", description="name of the LSL stream whose markers are taken in; empty: none"
    )
    osc: str = Field("", description="send OSC to host:port; empty: off")
    osc_marker_port: int = Field(0, ge=0, le=65535, description="port where OSC markers are taken in; 0: none")
    websocket: int = Field(0, ge=0, le=65535, description="port of the WebSocket server; 0: off")
    websocket_pages: str = Field(
        "", description="web pages that may read the WebSocket, as https://example.org, with spaces between them"
    )
    listen_address: str = Field("127.0.0.1", description="address where WebSocket and OSC markers are waited for")
    face_slots: int = Field(4, ge=1, le=16, description="faces with a place of their own in LSL and OSC")
    allow_other_machines: bool = Field(False, description="let other machines take part, unencrypted")

    @model_validator(mode="after")
    def _fits_and_stays_here(self) -> OutletsConfig:
        if self.lsl_markers and not self.lsl:
            raise ValueError("outlets.lsl_markers needs outlets.lsl = true")
        hosts = [self.listen_address, *([self.osc_target()[0]] if self.osc else [])]
        for host in hosts:
            if not self.allow_other_machines and not _is_this_machine(host):
                raise ValueError(f"'{host}' reaches other machines, which needs outlets.allow_other_machines = true")
        return self

    def osc_target(self) -> tuple[str, int]:
        """Host and port of osc; raises ValueError if it is none."""
        host, _, port = self.osc.rpartition(":")
        if not host or not port.isascii() or not port.isdecimal() or not 0 < int(port) <= 65535:
            raise ValueError(f"osc '{self.osc}' is not host:port, e.g. 127.0.0.1:9000")
        return host.removeprefix("[").removesuffix("]"), int(port)


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Config(_Settings):
    """All settings of FER Live."""

    model: str = Field("resnet18", description="shipped network, or path of an .onnx file")
    backend: str = Field("auto", description="inference backend, or auto")
    affect: bool = Field(False, description="also show and record valence and arousal")
    record_dir: str = Field("", description="folder for recordings; empty: 'FER Live' in the documents folder")
    camera: CameraConfig = CameraConfig()
    finder: FinderConfig = FinderConfig()
    tracking: TrackingConfig = TrackingConfig()
    quality: QualityConfig = QualityConfig()
    recording: RecordingConfig = RecordingConfig()
    markers: MarkersConfig = MarkersConfig()
    outlets: OutletsConfig = OutletsConfig()


LIVE_SETTINGS = frozenset({"record_dir", "recording", "camera", "markers", "outlets"})
"""Those that change nothing about what `analyze` writes, so that its results stay valid when they change."""


def recording_folder(config: Config) -> Path:
    """Where live recordings go."""
    if config.record_dir:
        return Path(config.record_dir).expanduser()
    return platformdirs.user_documents_path() / "FER Live"


def default_config_path() -> Path:
    """Where the settings file lies if the user names none; it need not exist."""
    return platformdirs.user_config_path(APP_NAME) / "config.toml"


def load_config(path: Path | None = None, assignments: Iterable[str] = ()) -> Config:
    """The settings from a TOML file with assignments such as 'finder.min_score=0.6' on top.

    Raises ConfigError naming key, value and what is allowed, or the file and line that is not TOML.
    """
    values = _read_toml(path) if path is not None or default_config_path().is_file() else {}
    for assignment in assignments:
        _merge(values, _parse_assignment(assignment))
    return make_config(values)


def make_config(values: dict[str, Any]) -> Config:
    """The settings from nested values; raises ConfigError naming key, value and what is allowed."""
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "settings"
        if first["type"] == "extra_forbidden":
            raise ConfigError(f"Unknown setting '{key}'.", "`fer-live analyze --help` lists them.") from error
        raise ConfigError(f"Setting '{key}' = {first['input']!r}: {complaint_of(first)}.") from error


def _read_toml(path: Path | None) -> dict[str, Any]:
    path = path or default_config_path()
    try:
        # With the mark that some editors of Windows put before the text.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"Settings '{path}' cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"Settings '{path}' are not valid TOML: {error}.") from error


def save_config(config: Config, path: Path | None = None) -> None:
    """Writes what differs from the defaults, so that later defaults apply.

    Raises ConfigError, and then the old settings are still there.
    """
    path = path or default_config_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The file itself, where a link stands in its place.
        replace_file(path.resolve(), tomli_w.dumps(config.model_dump(exclude_defaults=True)).encode())
    except OSError as error:
        raise ConfigError(f"Settings '{path}' cannot be written ({error.strerror}).") from error


def _parse_assignment(assignment: str) -> dict[str, Any]:
    if not _is_utf8(assignment):
        # session.json, which holds all settings, could not say it.
        raise ConfigError(f"{assignment!r} is not UTF-8.", "Rename the file or folder that it names.")
    key, equals, value = assignment.partition("=")
    if not equals:
        raise ConfigError(f"'{assignment}' is not an assignment.", "Write KEY=VALUE, e.g. finder.min_score=0.6.")
    for text in (value, json.dumps(value.strip(), ensure_ascii=False)):
        try:
            return tomllib.loads(f"{key.strip()} = {text}")
        except tomllib.TOMLDecodeError:
            continue
    raise ConfigError(f"'{assignment}' is not an assignment.", "Write KEY=VALUE, e.g. finder.min_score=0.6.")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _merge(values: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _merge(values[key], value)
        else:
            values[key] = value


def describe_settings() -> list[tuple[str, Any, str]]:
    """Every setting as (dotted key, default as it is assigned, description), for --help."""
    rows: list[tuple[str, Any, str]] = []
    for name, field in Config.model_fields.items():
        if isinstance(field.default, _Settings):
            rows += [
                (f"{name}.{inner}", _as_assigned(inner_field.default), inner_field.description or "")
                for inner, inner_field in type(field.default).model_fields.items()
            ]
        else:
            rows.append((name, _as_assigned(field.default), field.description or ""))
    return rows


def _as_assigned(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
