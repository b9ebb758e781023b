"""Describes real bindings as JSON; run by itself, on a path where nothing else can be imported.

`describe.py DIR tensorrt_bindings NAME...` or `describe.py DIR cuda.bindings.driver NAME...`. For each name: of an
enumeration its numbers; of a class its members, of a function itself: {"takes": [names of arguments], "gives": class}.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from operator import attrgetter
from types import ModuleType
from typing import Any


def describe(module: ModuleType, name: str) -> Any:
    thing = attrgetter(name)(module)
    if not isinstance(thing, type):
        return _function(thing)
    members = {member: getattr(thing, member) for member in dir(thing) if not member.startswith("_")}
    if hasattr(thing, "__members__"):
        return {member: int(value) for member, value in thing.__members__.items()}
    return {member: _member(value) for member, value in members.items()} | {"__init__": _function(thing.__init__)}


def _member(value: Any) -> Any:
    return _function(value) if callable(value) and not isinstance(value, type) else None


def _function(function: Any) -> dict[str, Any]:
    try:
        return {"takes": list(inspect.signature(function).parameters), "gives": ""}
    except ValueError:
        pass  # pybind11 puts signatures, of all overloads, into the text
    takes: dict[str, None] = {}
    gives = ""
    for arguments, result in re.findall(r"^(?:\d+\. )?\w+\((.*)\) -> (.*)$", function.__doc__ or "", re.MULTILINE):
        takes |= dict.fromkeys(name for name in re.findall(r"(?:^|, )(\w+):", arguments) if name != "self")
        gives = result.rpartition(".")[2].rpartition("::I")[2] or result
    return {"takes": list(takes), "gives": gives}


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    module = importlib.import_module(sys.argv[2])
    print(json.dumps({name: describe(module, name) for name in sys.argv[3:]}))
