"""JSON lines over WebSocket: every client gets every result and marker, and may send markers (websockets)."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from fer_live import __version__
from fer_live.core.structs import Marker
from fer_live.errors import OutletError
from fer_live.outlets.faces import FaceSlots, sent_face
from fer_live.outlets.outbox import POLL_S, SIZE, Outbox
from fer_live.outlets.outlet import Analysed, OnMarker, marker_name

SCHEMA_VERSION = 1
_LARGEST_MESSAGE = 4096
_OPEN_S, _CLOSE_S = 1.0, 0.5
"""How long greeting and taking leave may take; a session waits for both when it stops, and not for long."""
_quiet = logging.getLogger(f"{__name__}.clients")
_quiet.setLevel(logging.CRITICAL)  # a client that breaks the protocol is not this program's error


class _Client:
    """What waits for one client; the oldest is lost if it reads too slowly."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._waiting: deque[str] = deque(maxlen=SIZE)
        self._filled = asyncio.Event()
        self.dropped = 0

    def put(self, message: dict[str, Any] | str) -> None:
        self.dropped += len(self._waiting) == SIZE
        self._waiting.append(message if isinstance(message, str) else json_line(message))
        self._filled.set()

    async def send_all(self) -> None:
        with suppress(ConnectionClosed):
            while await self._filled.wait():
                self._filled.clear()
                while self._waiting:
                    await self._connection.send(self._waiting.popleft())


class WebSocketLine:
    """A server for any number of clients."""

    def __init__(self, address: str, port: int, origins: tuple[str, ...], slots: FaceSlots) -> None:
        """origins: of web pages that may connect. Browsers name a page's origin, other programs name none."""
        self._address = address
        self._port = port
        self._origins = (None, *map(Origin, origins))
        self._slots = slots
        self._connected: set[_Client] = set()
        self._dropped = 0
        self._on_marker: OnMarker = lambda name, origin: None

    @property
    def clients(self) -> int:
        """See Line."""
        return len(self._connected)

    @property
    def dropped(self) -> int:
        """See Line."""
        return self._dropped + sum(client.dropped for client in tuple(self._connected))

    def serve(self, outbox: Outbox[Analysed | Marker], on_marker: OnMarker, stop: threading.Event) -> None:
        """See Line.serve."""
        self._on_marker = on_marker
        asyncio.run(self._serve(outbox, stop))

    async def _serve(self, outbox: Outbox[Analysed | Marker], stop: threading.Event) -> None:
        filled, loop = asyncio.Event(), asyncio.get_running_loop()
        async with await self._listen():
            outbox.notify(lambda: loop.call_soon_threadsafe(filled.set))
            try:
                while not stop.is_set():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(filled.wait(), POLL_S)
                    filled.clear()
                    while (item := outbox.take()) is not None:
                        self._send(item)
            finally:
                outbox.notify(None)

    async def _listen(self) -> Server:
        try:
            return await serve(
                self._attend,
                self._address,
                self._port,
                origins=self._origins,
                compression=None,
                logger=_quiet,
                max_size=_LARGEST_MESSAGE,
                open_timeout=_OPEN_S,
                close_timeout=_CLOSE_S,
            )
        except (OSError, UnicodeError) as error:
            hint = "See settings outlets.websocket and outlets.listen_address."
            reason: object = error
            if isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno:
                # asyncio's own text repeats the address.
                reason = os.strerror(error.errno)
            raise OutletError(f"The WebSocket server cannot listen at port {self._port} ({reason}).", hint) from error

    def _send(self, item: Analysed | Marker) -> None:
        text = json_line(marker_message(item) if isinstance(item, Marker) else result_message(item, self._slots))
        for client in self._connected:
            client.put(text)

    async def _attend(self, connection: ServerConnection) -> None:
        client = _Client(connection)
        client.put({"type": "hello", "schema_version": SCHEMA_VERSION, "fer_live": __version__})
        self._connected.add(client)
        sending = asyncio.create_task(client.send_all())
        try:
            with suppress(ConnectionClosed):
                async for message in connection:
                    self._receive(message, client)
        finally:
            self._connected.discard(client)
            self._dropped += client.dropped
            sending.cancel()

    def _receive(self, message: str | bytes, client: _Client) -> None:
        try:
            name = marker_name(json.loads(message)["marker"])
        except (ValueError, TypeError, KeyError, RecursionError):
            client.put({"type": "error", "message": 'expected {"marker": "name"}, a name of 1 to 200 characters'})
        else:
            self._on_marker(name, "websocket")


def json_line(message: dict[str, Any]) -> str:
    """A message as it is sent: one line of JSON."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def result_message(item: Analysed, slots: FaceSlots) -> dict[str, Any]:
    """A result as docs/outlets.md says."""
    result = item.result
    places = {track.face_id: slot for slot, track in enumerate(slots.place(result), 1) if track is not None}
    faces = []
    for face in (sent_face(track, item.labels) for track in result.tracks):
        left, top, width, height = face.box
        faces.append(
            {
                "face_id": face.face_id,
                "slot": places.get(face.face_id),
                "x": left,
                "y": top,
                "w": width,
                "h": height,
                "detection_score": face.score,
                "label": face.label,
                "confidence": face.confidence,
                "probabilities": dict(zip(item.labels, face.probabilities, strict=True)),
                "reason": face.reason,
            }
        )
    age_ms = 1000 * (result.finished_at - result.captured_at)
    return {
        "type": "result",
        "frame_index": result.frame_index,
        **_moment(result.captured_at),
        "age_ms": age_ms,
        "faces": faces,
    }


def marker_message(marker: Marker) -> dict[str, Any]:
    """A marker as docs/outlets.md says."""
    return {"type": "marker", **_moment(marker.at), "name": marker.name, "origin": marker.origin}


def _moment(at: float) -> dict[str, Any]:
    wall = datetime.now().astimezone() - timedelta(seconds=time.perf_counter() - at)
    return {"captured_at": at, "t_wall_iso": wall.isoformat(timespec="milliseconds")}
