"""Errors that the user can fix. Each says what was wrong and, in its hint, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class FerError(Exception):
    """Base of all errors shown to the user as one sentence, never as a traceback.

    message names the thing and says what was expected; hint says how to fix it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class ConfigError(FerError):
    """A setting is unknown, of the wrong type or out of range."""


class SourceError(FerError):
    """A camera, video, image or folder cannot be opened or read."""


class ModelError(FerError):
    """A network, its weights or its card are missing, damaged or do not fit together."""


class BackendError(FerError):
    """An inference backend cannot run here."""


class BaselineError(FerError):
    """A neutral baseline cannot be taken."""


class RecordError(FerError):
    """A session cannot be written."""


class OutletError(FerError):
    """A live outlet cannot be opened, or broke."""


class DataError(FerError):
    """A training data set is missing, malformed or lacks something that training needs."""


class TrainingError(FerError):
    """A training run cannot start, go on or be finished."""


def complaint_of(details: ErrorDetails) -> str:
    """What pydantic says of one value, without the 'Value error, ' that it puts before what our validators say."""
    if details["type"] == "bool_type":
        return "Input should be true or false"
    return str(details["ctx"]["error"]) if details["type"] == "value_error" else details["msg"]
