from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fer_live.config import (
    Config,
    default_config_path,
    describe_settings,
    load_config,
    recording_folder,
    save_config,
)
from fer_live.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text('model = "resnet18"\n[finder]\nmin_score = 0.7\nmin_face_px = 40\n', encoding="utf-8")
    return path


def test_defaults_need_no_file() -> None:
    assert not default_config_path().exists()
    assert load_config() == Config()


def test_file_goes_over_defaults_and_assignments_over_the_file(file: Path) -> None:
    config = load_config(file, ["finder.min_score=0.6", "tracking.smoothing_ms=0"])
    assert config.model == "resnet18"
    assert config.finder.min_face_px == 40
    assert config.finder.min_score == 0.6
    assert config.tracking.smoothing_ms == 0
    assert config.tracking.hysteresis == Config().tracking.hysteresis


def test_the_last_assignment_counts() -> None:
    assert load_config(assignments=["finder.min_score=0.6", "finder.min_score=0.8"]).finder.min_score == 0.8


def test_settings_file_of_the_user_is_found(file: Path) -> None:
    default_config_path().parent.mkdir(parents=True)
    default_config_path().write_bytes(file.read_bytes())
    assert load_config().finder.min_score == 0.7


@pytest.mark.parametrize(
    ("assignment", "model"),
    [
        ("model=resnet18", "resnet18"),
        ('model="resnet18"', "resnet18"),
        ("model = a folder/net.onnx", "a folder/net.onnx"),
        (r"model=C:\fer\new.onnx", r"C:\fer\new.onnx"),
        ("model=Größe 😀.onnx", "Größe 😀.onnx"),
        ("model=a=b.onnx", "a=b.onnx"),
    ],
)
def test_text_needs_no_quotes(assignment: str, model: str) -> None:
    assert load_config(assignments=[assignment]).model == model


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("colour=red", "Unknown setting 'colour'"),
        ("finder.colour=red", r"Unknown setting 'finder\.colour'"),
        ("finder.min_score=high", r"'finder\.min_score' = 'high': .*number"),
        ("finder.min_score=true", r"'finder\.min_score' = True: .*number"),
        ("finder.min_face_px=24.5", r"'finder\.min_face_px' = 24\.5: .*integer"),
        ("finder.min_score=2", r"'finder\.min_score' = 2: .*less than or equal to 1"),
        ("finder.min_score=0", r"'finder\.min_score' = 0: .*greater than or equal to 0\.05"),
        ("finder.min_score=nan", r"'finder\.min_score' = nan"),
        ("tracking.smoothing_ms=-1", r"'tracking\.smoothing_ms' = -1: .*greater than or equal to 0"),
        ("tracking.smoothing_ms=inf", r"'tracking\.smoothing_ms' = inf"),
        ("tracking.min_iou=0", r"'tracking\.min_iou' = 0: .*greater than 0"),
        ("model=3", "'model' = 3: .*string"),
        ("finder=3", "'finder' = 3"),
        ("tracking.hysteresis=0.9", "'tracking' = {'hysteresis': 0.9}: uncertain_below .*must stay below 1"),
        ("outlets.osc=localhost", r"'outlets' = {.*}: osc 'localhost' is not host:port.*9000\.$"),
        ("outlets.osc=127.0.0.1:0", "'outlets' .*is not host:port"),
        ("outlets.osc=192.168.1.5:9000", "'192.168.1.5' reaches other machines.*allow_other_machines"),
        ("outlets.osc=studio:9000", "'studio' reaches other machines"),
        ("outlets.listen_address=0.0.0.0", "'0.0.0.0' reaches other machines"),
        ("outlets.websocket=65536", r"'outlets\.websocket' = 65536: .*less than or equal to 65535"),
        ("outlets.lsl_markers=lab", r"outlets\.lsl_markers needs outlets\.lsl"),
        ("outlets.lsl_markers=lab's", r"'outlets\.lsl_markers' = \"lab's\""),
        ("finder.min_score", "'finder.min_score' is not an assignment"),
        ("=0.6", "'=0.6' is not an assignment"),
        ("a b=0.6", "'a b=0.6' is not an assignment"),
    ],
)
def test_wrong_setting_is_named_with_what_is_allowed(assignment: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(assignments=[assignment])


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("127.0.0.1:9000", ("127.0.0.1", 9000)),
        ("localhost:57120", ("localhost", 57120)),
        ("[::1]:9000", ("::1", 9000)),
        ("127.0.0.2:65535", ("127.0.0.2", 65535)),
    ],
)
def test_this_machine_needs_no_permission(text: str, target: tuple[str, int]) -> None:
    outlets = load_config(assignments=[f"outlets.osc={text}"]).outlets
    assert (outlets.osc_target(), outlets.allow_other_machines) == (target, False)


def test_other_machines_can_be_allowed() -> None:
    assignments = ["outlets.osc=studio:9000", "outlets.listen_address=0.0.0.0", "outlets.allow_other_machines=true"]
    assert load_config(assignments=assignments).outlets.osc_target() == ("studio", 9000)


def test_limits_across_settings_hold_for_the_file_too(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[tracking]\nuncertain_below = 0.95\n")
    with pytest.raises(ConfigError, match="must stay below 1"):
        load_config(path)
    assert load_config(path, ["tracking.hysteresis=0.01"]).tracking.uncertain_below == 0.95


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml' cannot be read"):
        load_config(tmp_path / "absent.toml")


@pytest.mark.parametrize("content", [b"model = ", b"\xff\xfe", b"[finder"], ids=["torn", "no UTF-8", "bracket"])
def test_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"settings\.toml' are not valid TOML"):
        load_config(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows takes no such names")
def test_name_that_is_not_utf8_cannot_be_a_setting() -> None:
    with pytest.raises(ConfigError, match=r"'record_dir=/home/M\\udcfcller' is not UTF-8"):
        load_config(assignments=["record_dir=" + os.fsdecode(b"/home/M\xfcller")])


def test_recordings_go_into_the_home_folder_where_that_is_asked_for() -> None:
    assert recording_folder(load_config(assignments=["record_dir=~/study 1"])) == Path.home() / "study 1"
    assert recording_folder(Config(record_dir="/data/~")) == Path("/data/~")


def test_file_saved_by_an_editor_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("model = 'größer.onnx'\r\n", encoding="utf-8-sig")
    assert load_config(path).model == "größer.onnx"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().finder.min_score = 0.9  # type: ignore[misc]


def test_every_setting_is_described() -> None:
    rows = {key: (default, text) for key, default, text in describe_settings()}
    assert rows["model"][0] == "resnet18"
    assert rows["finder.min_face_px"][0] == 24
    assert all(text for _, text in rows.values())
    # Each default can be assigned as it is described.
    assert load_config(assignments=[f"{key}={default}" for key, (default, _) in rows.items()]) == Config()


def test_saved_settings_are_read_again_and_hold_only_what_differs(tmp_path: Path) -> None:
    changed = load_config(assignments=["finder.min_face_px=40", "model=größer.onnx"])
    save_config(changed)
    assert load_config() == changed
    text = default_config_path().read_text(encoding="utf-8")
    assert "min_face_px" in text
    assert "min_score" not in text


def test_settings_that_cannot_be_saved_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"settings\.toml' cannot be written"):
        save_config(Config(), tmp_path / "file" / "settings.toml")


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size there")
def test_settings_stay_as_they_were_on_a_full_disk(tmp_path: Path) -> None:
    target, path = tmp_path / "kept" / "settings.toml", tmp_path / "settings.toml"
    target.parent.mkdir()
    target.write_text('model = "old.onnx"\n')
    path.symlink_to(target)
    command = f"""
import resource, signal
from pathlib import Path
from fer_live.config import Config, save_config
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
save_config(Config(model="new.onnx"), Path({str(path)!r}))
"""
    done = subprocess.run([sys.executable, "-B", "-c", command], capture_output=True, text=True)
    assert "cannot be written (File too large)" in done.stderr
    assert load_config(path).model == "old.onnx"
    save_config(Config(model="new.onnx"), path)
    assert path.is_symlink()
    assert load_config(target).model == "new.onnx"
