"""What FER Live's source uses of the bindings, read from the source itself."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BACKENDS = Path(__file__).parents[2] / "fer_live" / "backends"
CLASS_OF = {
    "builder": "Builder",
    "cache": "ITimingCache",
    "config": "IBuilderConfig",
    "context": "IExecutionContext",
    "engine": "ICudaEngine",
    "layer": "ILayer",
    "network": "INetworkDefinition",
    "parser": "OnnxParser",
    "profile": "IOptimizationProfile",
    "runtime": "Runtime",
    "tensor": "ITensor",
}
"""What the names of variables in engine.py stand for, with or without `self._` before them."""

_BASES = {"EngineLog": "ILogger", "_Monitor": "IProgressMonitor"}


@dataclass(frozen=True, order=True)
class Use:
    """A member of a class, and, where it is called, the number of unnamed arguments and the names of the others."""

    owner: str
    member: str
    unnamed: int | None = None
    named: tuple[str, ...] = ()


def tensorrt_uses(has: dict[str, Any]) -> set[Use]:
    """All in engine.py. has: the classes of the bindings, which tell what a method gives."""
    tree = ast.parse((_BACKENDS / "engine.py").read_text())
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    uses = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (owner := _class_of(node.value, has)) is not None:
            uses.add(_use(owner, node.attr, calls.get(id(node))))
        if isinstance(node, ast.ClassDef) and node.name in _BASES:
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name != "__init__"]
            base = _BASES[node.name]
            uses |= {Use(base, each.name, 0, tuple(a.arg for a in each.args.args[1:])) for each in methods}
    return uses


def _use(owner: str, member: str, call: ast.Call | None) -> Use:
    if call is None:
        return Use(owner, member)
    unnamed = len(call.args) - (member == "__init__")
    return Use(owner, member, unnamed, tuple(each.arg or "" for each in call.keywords))


def _class_of(node: ast.expr, has: dict[str, Any]) -> str | None:
    """'' for the package itself, the name of a class, or None for what is not of the bindings."""
    if isinstance(node, ast.Name):
        return "" if node.id == "trt" else CLASS_OF.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _class_of(node.value, has)
        if owner is not None:
            path = f"{owner}.{node.attr}".lstrip(".")
            return path if path in has else None
        return CLASS_OF.get(node.attr.lstrip("_")) if node.attr.startswith("_") else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        owner = _class_of(node.func.value, has)
        return has[owner].get(node.func.attr, {}).get("gives") if owner else None
    return None


def cuda_uses() -> set[Use]:
    """All in cuda.py; functions are handed over with their arguments behind them, to what calls them."""
    tree = ast.parse((_BACKENDS / "cuda.py").read_text())
    uses, seen = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for place, argument in enumerate(node.args):
                if _is_of_driver(argument) and argument.attr.startswith("cu"):
                    uses.add(Use("", argument.attr, len(node.args) - place - 1))
                    seen.add(id(argument))
    for node in ast.walk(tree):
        if _is_of_driver(node) and id(node) not in seen:
            uses.add(Use("", node.attr))
        elif isinstance(node, ast.Attribute) and _is_of_driver(node.value):
            uses.add(Use(node.value.attr, node.attr))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "kinds":
            uses.add(Use("CUdevice_attribute", node.attr))
    return uses


def _is_of_driver(node: ast.AST) -> Any:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "driver"
