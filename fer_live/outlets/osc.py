"""Open Sound Control over UDP: a bundle a frame out, markers in (python-osc; https://opensoundcontrol.org)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_server import BlockingOSCUDPServer
from pythonosc.udp_client import UDPClient

from fer_live.core.structs import Marker, Track
from fer_live.errors import OutletError
from fer_live.outlets.faces import FaceSlots, sent_face
from fer_live.outlets.outbox import POLL_S, Outbox
from fer_live.outlets.outlet import Analysed, OnMarker, marker_name

FRAME, FACE, MARKER = "/fer-live/frame", "/fer-live/face", "/fer-live/marker"

Address = tuple[str, int]


class OscLine:
    """Sends to one address and takes in markers at another; either may be None."""

    clients = None  # UDP does not tell who listens

    def __init__(self, target: Address | None, marker_address: Address | None, slots: FaceSlots) -> None:
        self._target = target
        self._marker_address = marker_address
        self._slots = slots
        self.dropped = 0

    def serve(self, outbox: Outbox[Analysed | Marker], on_marker: OnMarker, stop: threading.Event) -> None:
        """See Line.serve."""
        with ExitStack() as stack:
            if self._marker_address is not None:
                stack.enter_context(_listening(self._marker_address, on_marker))
            client = None if self._target is None else stack.enter_context(closing(_client(self._target)))
            for item in outbox.until(stop):
                if client is not None:
                    self._send(client, item)

    def _send(self, client: UDPClient, item: Analysed | Marker) -> None:
        if isinstance(item, Analysed):
            bundle = frame_bundle(item, self._slots.place(item.result))
        elif item.origin == "osc":  # two programs that hand on what they hear would never end
            return
        else:
            bundle = _bundle(item.at, [_message(MARKER, "ssd", item.name, item.origin, item.at)])
        try:
            client.send(bundle)
        except OSError:  # a full buffer, or a network that is down: the next frame is newer
            self.dropped += 1


def frame_bundle(item: Analysed, places: list[Track | None]) -> OscBundle:
    """A frame as one datagram; see docs/outlets.md."""
    result = item.result
    messages = [_message(FRAME, "idi", result.frame_index, result.captured_at, len(result.tracks))]
    for slot, track in enumerate(places, start=1):
        if track is None:
            continue
        face = sent_face(track, item.labels)
        values = face.face_id, face.label, face.confidence, *face.box, face.reason
        messages.append(_message(f"{FACE}/{slot}", "isfffffs", *values))
        pairs = zip(item.labels, face.probabilities, strict=True)
        messages += [_message(f"{FACE}/{slot}/{label}", "f", probability) for label, probability in pairs]
    return _bundle(result.captured_at, messages)


def _bundle(at: float, messages: list[OscMessage]) -> OscBundle:
    """The time tag is the capture time on the wall clock."""
    builder = OscBundleBuilder(time.time() - time.perf_counter() + at)  # type: ignore[arg-type]  # seconds, it says
    for message in messages:
        builder.add_content(message)
    return builder.build()


def _message(address: str, types: str, *values: str | int | float) -> OscMessage:
    """types: OSC's type tags; times need all digits of a double (d), the rest is single (f)."""
    builder = OscMessageBuilder(address)
    for value, kind in zip(values, types, strict=True):
        builder.add_arg(value, kind)
    return builder.build()


def _client(target: Address) -> UDPClient:
    try:
        return UDPClient(*target)
    except (OSError, UnicodeError) as error:  # a name that no host can have is a UnicodeError
        raise OutletError(f"OSC cannot be sent to '{target[0]}' ({error}).", "See setting outlets.osc.") from error


@contextmanager
def _listening(address: Address, on_marker: OnMarker) -> Iterator[None]:
    """Takes in markers on a thread of its own."""

    def receive(_: str, *arguments: object) -> None:
        try:
            on_marker(marker_name(arguments[0] if arguments else ""), "osc")
        except ValueError:
            return

    # A marker counts when it comes. Otherwise a time tag would hold it back, and with it all that come after.
    dispatcher = Dispatcher(strict_timing=False)
    dispatcher.map(MARKER, receive)
    try:
        server = BlockingOSCUDPServer(address, dispatcher)
    except (OSError, UnicodeError) as error:
        hint = "See settings outlets.osc_marker_port and outlets.listen_address."
        reason = error.strerror if isinstance(error, OSError) else error
        raise OutletError(f"OSC markers cannot be waited for at port {address[1]} ({reason}).", hint) from error
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(POLL_S,), name="OSC markers", daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
