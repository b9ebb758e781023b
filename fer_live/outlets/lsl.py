"""Lab Streaming Layer: a stream a face, a stream of markers, and markers of another stream (pylsl)."""

from __future__ import annotations

import math
import os
import socket
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from xml.etree import ElementTree

import pylsl
from pylsl.util import LostError

from fer_live import __version__
from fer_live.core.structs import Marker, Track
from fer_live.errors import OutletError
from fer_live.outlets.faces import FaceSlots, sent_face
from fer_live.outlets.outbox import POLL_S, Outbox
from fer_live.outlets.outlet import Analysed, OnMarker, marker_name

MARKERS = "FER Live markers"
_BUFFERED = 60  # hundreds of samples that liblsl keeps for a slow client
_CLOCK_STEP_S = 0.001
# Where streams are looked for and announced (https://labstreaminglayer.readthedocs.io/info/lslapicfg.html). Random
# ports are refused because _keep_on_loopback finds LSL's sockets by their ports.
_LOCAL_CONFIG = """
[ports]
IPv6 = disable
AllowRandomPorts = false
[multicast]
ResolveScope = machine
ListenAddress = 127.0.0.1
[lab]
KnownPeers = {127.0.0.1}
[log]
level = -3
"""
_decided: list[bool] = []  # the first is_local of this process


class LslLine:
    """Streams 'FER Live face 1', 2, …, one sample an analysed frame, and 'FER Live markers'."""

    dropped = 0  # liblsl does not tell what a slow client missed

    def __init__(self, slots: FaceSlots, is_local: bool, marker_stream: str = "", source_id: str = "fer-live") -> None:
        """is_local: other machines are kept out. marker_stream: name of a stream whose markers are taken in.

        source_id: what tells these streams from others of their name; the same after a restart, so that clients
        find them again.
        """
        self._slots = slots
        self._is_local = is_local
        self._marker_stream = marker_stream
        self._source_id = source_id
        self._open: tuple[pylsl.StreamOutlet, ...] = ()

    @property
    def clients(self) -> int:
        """How many of the streams are listened to; LSL does not say by how many."""
        return sum(stream.have_consumers() for stream in self._open)

    def serve(self, outbox: Outbox[Analysed | Marker], on_marker: OnMarker, stop: threading.Event) -> None:
        """See Line.serve. The faces' streams open with the first result, which brings the labels."""
        set_up(self._is_local)
        closing = threading.Event()
        reader = threading.Thread(target=self._read_markers, args=(on_marker, closing), name="LSL markers", daemon=True)
        try:
            self._open_stream(pylsl.StreamInfo(MARKERS, "Markers", 1, 0, "string", f"{self._source_id}-markers"))
            if self._marker_stream:
                reader.start()
            clock = _Clock()
            for item in outbox.until(stop):
                if isinstance(item, Analysed):
                    self._push(item, clock)
                elif item.origin != "lsl":  # it is on LSL already, and could go round between two programs
                    self._open[0].push_sample([item.name], clock.lsl_time(item.at))
        finally:
            closing.set()
            if reader.is_alive():
                reader.join()
            self._open = ()  # a stream closes when nobody refers to it any more

    def _open_stream(self, info: pylsl.StreamInfo) -> None:
        try:
            stream = pylsl.StreamOutlet(info, max_buffered=_BUFFERED)
        except RuntimeError as error:
            hint = "LSL's ports 16572 to 16603 may all be taken: close other programs that use LSL."
            raise OutletError(f"LSL stream '{info.name()}' cannot be opened.", hint) from error
        self._open = (*self._open, stream)
        if self._is_local:
            _keep_on_loopback(stream.get_info())

    def _push(self, item: Analysed, clock: _Clock) -> None:
        if len(self._open) == 1:
            for slot in range(1, len(self._slots) + 1):
                self._open_stream(_face_info(slot, item.labels, f"{self._source_id}-face-{slot}"))
        at = clock.lsl_time(item.result.captured_at)
        for stream, track in zip(self._open[1:], self._slots.place(item.result), strict=True):
            stream.push_sample(_sample(track, item.labels), at)

    def _read_markers(self, on_marker: OnMarker, closing: threading.Event) -> None:
        """Takes markers in from a stream that may come and go."""
        while (info := self._find_markers(closing)) is not None:
            with suppress(LostError):
                _follow(pylsl.StreamInlet(info, max_buflen=1, recover=False), on_marker, closing)

    def _find_markers(self, closing: threading.Event) -> pylsl.StreamInfo | None:
        """The stream as soon as it is there, or None once closing; never this line's own."""
        resolver = pylsl.ContinuousResolver("name", self._marker_stream)
        while not closing.wait(POLL_S):
            for info in resolver.results():
                if info.source_id() != f"{self._source_id}-markers":
                    return info
        return None


def _follow(inlet: pylsl.StreamInlet, on_marker: OnMarker, closing: threading.Event) -> None:
    while not closing.is_set():
        with suppress(ValueError):  # what is not UTF-8, or no marker's name
            sample, _ = inlet.pull_sample(timeout=POLL_S)
            if sample:
                on_marker(marker_name(sample[0]), "lsl")


def face_channels(labels: tuple[str, ...]) -> list[tuple[str, str]]:
    """Name and unit of each channel of a face's stream."""
    return [
        *((label, "probability") for label in labels),
        ("confidence", "probability"),
        ("face_id", "count"),
        *((name, "pixels") for name in ("x", "y", "w", "h")),
        ("low_quality", "boolean"),
    ]


def _sample(track: Track | None, labels: tuple[str, ...]) -> list[float]:
    if track is None:
        return [math.nan] * len(face_channels(labels))
    face = sent_face(track, labels)
    return [*face.probabilities, face.confidence, face.face_id, *face.box, float(bool(face.reason))]


def _face_info(slot: int, labels: tuple[str, ...], source_id: str) -> pylsl.StreamInfo:
    channels = face_channels(labels)
    # Frames come as they come, and some are lost: an irregular rate.
    info = pylsl.StreamInfo(f"FER Live face {slot}", "Expression", len(channels), 0, "float32", source_id)
    described = info.desc().append_child("channels")
    for name, unit in channels:
        channel = described.append_child("channel")
        channel.append_child_value("label", name)
        channel.append_child_value("unit", unit)
    info.desc().append_child("acquisition").append_child_value("manufacturer", f"FER Live {__version__}")
    return info


class _Clock:
    """Capture times on LSL's clock."""

    def __init__(self) -> None:
        self._offset = 0.0

    def lsl_time(self, at: float) -> float:
        """at: s on the clock of Frame.captured_at.

        The clocks may run apart, above all while the computer sleeps, so they are compared each time; what is
        within the error of that leaves the times as evenly spaced as they were.
        """
        before, now, after = pylsl.local_clock(), time.perf_counter(), pylsl.local_clock()
        offset = (before + after) / 2 - now
        if abs(offset - self._offset) > _CLOCK_STEP_S + after - before:
            self._offset = offset
        return at + self._offset


def set_up(is_local: bool) -> None:
    """Decides who may listen; liblsl reads that once in a process. Raises OutletError if it is decided otherwise."""
    if is_local and sys.platform != "linux":
        raise _not_local()
    if not _decided:
        _decided.append(is_local)
        if is_local:
            pylsl.util.set_config_content(_LOCAL_CONFIG)
    if _decided[0] != is_local:
        raise OutletError("LSL cannot change who may listen while FER Live runs.", "Start FER Live again.")


def _keep_on_loopback(info: pylsl.StreamInfo) -> None:
    """Cuts a stream's ports off from the network.

    liblsl binds them to all addresses and has no setting for that; binding them to the loopback device (Linux 5.7
    or newer; man 7 socket, SO_BINDTODEVICE) closes them to all other machines.
    """
    root = ElementTree.fromstring(info.as_xml())
    ports = {
        (socket.SOCK_STREAM, int(root.findtext("v4data_port", "0"))),
        (socket.SOCK_DGRAM, int(root.findtext("v4service_port", "0"))),
    }
    for each in _open_sockets():
        with each:
            if each.family == socket.AF_INET and (each.type, each.getsockname()[1]) in ports:
                try:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
                except OSError as error:
                    raise _not_local() from error
                ports.discard((each.type, each.getsockname()[1]))
    # An IPv6 port means that LSL was in use before it was set up, and answers other machines' searches too.
    if ports or root.findtext("v6data_port") != "0":
        raise _not_local()


def _open_sockets() -> Iterator[socket.socket]:
    """All sockets of this process, as duplicates to be closed."""
    for entry in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # closed meanwhile
            if stat.S_ISSOCK(os.fstat(int(entry)).st_mode):
                yield socket.socket(fileno=os.dup(int(entry)))


def _not_local() -> OutletError:
    return OutletError(
        "LSL cannot be kept on this machine here: its ports are open to the whole network.",
        "If that is fine, set outlets.allow_other_machines = true.",
    )
