"""A network camera on this machine: MJPEG over HTTP, behind a password."""

from __future__ import annotations

import base64
import itertools
import threading
from collections.abc import Sequence
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

USER, PASSWORD = "viewer", "s3cr3t-pw"
_BOUNDARY = "frame"


class Line(StrEnum):
    """How the network behaves: pictures come, the connection stays but nothing comes, or it is closed at once."""

    UP = "up"
    SILENT = "silent"
    CUT = "cut"


class MjpegServer:
    """Plays pictures, uint8 (H, W, 3) BGR, over and over, to every client who knows the password."""

    def __init__(self, images: Sequence[NDArray[np.uint8]], rate_hz: float = 30.0) -> None:
        self.line = Line.UP
        self.clients = self.refused = 0
        self._jpegs = [cv2.imencode(".jpg", image)[1].tobytes() for image in images]
        self._interval_s = 1 / rate_hz
        self._closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server._answer(self)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = False
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def public_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/cam.mjpg"

    @property
    def url(self) -> str:
        return f"http://{USER}:{PASSWORD}@127.0.0.1:{self._http.server_port}/cam.mjpg?token={PASSWORD}"

    def _answer(self, client: BaseHTTPRequestHandler) -> None:
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if client.headers.get("Authorization") != expected:
            client.send_response(401)
            client.send_header("WWW-Authenticate", 'Basic realm="camera"')
            client.end_headers()
            return
        if self.line is Line.CUT:
            self.refused += 1
            client.send_error(503)
            return
        self.clients += 1
        client.send_response(200)
        client.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        client.end_headers()
        self._play(client)

    def _play(self, client: BaseHTTPRequestHandler) -> None:
        for jpeg in itertools.cycle(self._jpegs):
            if self._closing.wait(self._interval_s) or self.line is Line.CUT:
                return
            if self.line is Line.SILENT:
                continue
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            try:
                client.wfile.write(head.encode() + jpeg + b"\r\n")
            except OSError:
                return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
