"""The live outlets that the settings ask for. What an outlet needs is imported on its own thread."""

from __future__ import annotations

from functools import partial

from fer_live.config import Config
from fer_live.errors import OutletError
from fer_live.outlets.faces import FaceSlots
from fer_live.outlets.outlet import Line, Outlet


def make_outlets(config: Config) -> list[Outlet]:
    """One outlet, not yet running, for each way that is switched on."""
    wanted = config.outlets
    ways = (
        ("LSL", wanted.lsl, _lsl_line),
        ("OSC", wanted.osc or wanted.osc_marker_port, _osc_line),
        ("WebSocket", wanted.websocket, _websocket_line),
    )
    return [Outlet(name, partial(make_line, config)) for name, is_on, make_line in ways if is_on]


def _slots(config: Config) -> FaceSlots:
    return FaceSlots(config.outlets.face_slots, config.tracking.max_missed_ms / 1000)


def _lsl_line(config: Config) -> Line:
    try:
        from fer_live.outlets.lsl import LslLine
    except RuntimeError as error:
        hint = "It comes with pylsl on most systems; otherwise see https://github.com/sccn/liblsl/releases."
        raise OutletError("The library liblsl is missing or does not run here.", hint) from error
    return LslLine(_slots(config), not config.outlets.allow_other_machines, config.outlets.lsl_markers)


def _osc_line(config: Config) -> Line:
    from fer_live.outlets.osc import OscLine

    wanted = config.outlets
    target = wanted.osc_target() if wanted.osc else None
    marker_address = (wanted.listen_address, wanted.osc_marker_port) if wanted.osc_marker_port else None
    return OscLine(target, marker_address, _slots(config))


def _websocket_line(config: Config) -> Line:
    from fer_live.outlets.websocket import WebSocketLine

    wanted = config.outlets
    pages = tuple(wanted.websocket_pages.split())
    return WebSocketLine(wanted.listen_address, wanted.websocket, pages, _slots(config))
