"""Writing files, with errors that say what to do."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fer_live import files
from fer_live.core.modelcard import ModelCard
from fer_live.errors import TrainingError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FREE_SPACE = "Free some space and start again."


def replace_file(path: Path, content: bytes, hint: str = _FREE_SPACE) -> None:
    """`fer_live.files.replace_file`, whose failure is a TrainingError."""
    if path.is_dir():
        raise TrainingError(f"'{path}' is a folder.", hint)
    try:
        files.replace_file(path, content)
    except OSError as error:
        raise TrainingError(f"'{path}' cannot be written ({error.strerror or error}).", hint) from error


def write_card(path: Path, card: ModelCard) -> None:
    """Replaces a model card as a whole; raises TrainingError."""
    replace_file(path, card.model_dump_json(indent=2).encode())


def save_figure(path: Path, figure: Figure, dpi: int, hint: str = _FREE_SPACE) -> None:
    """Replaces a PNG as a whole; raises TrainingError."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=dpi)
    replace_file(path, content.getvalue(), hint)


def require_writable(folder: Path, option: str) -> None:
    """Makes a folder and proves that files can be made in it; raises TrainingError naming the option."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise TrainingError(
            f"Folder '{folder}' cannot be written ({reason}).", f"Choose another {option}."
        ) from error
