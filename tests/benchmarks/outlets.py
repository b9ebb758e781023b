"""Latency of the live outlets: from send() to a client in another process having it, and what send() costs.

python tests/benchmarks/outlets.py [--frames N] [--rate HZ] [--faces N]
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np

from fer_live.config import load_config
from fer_live.core.modelcard import FER2013_LABELS
from fer_live.core.structs import Result, Track
from fer_live.outlets.opening import make_outlets

HOST = "127.0.0.1"
SETTINGS = {"LSL": "lsl=true", "OSC": "osc=127.0.0.1:{port}", "WebSocket": "websocket={port}"}


def lsl_ages(port: int) -> Iterator[float]:
    import pylsl

    from fer_live.outlets.lsl import set_up

    set_up(is_local=True)
    (info, *_) = pylsl.resolve_byprop("name", "FER Live face 1", 1, 20)
    inlet = pylsl.StreamInlet(info)
    inlet.open_stream(20)
    print("ready", flush=True)
    while True:
        sample, at = inlet.pull_sample(timeout=2)
        if sample is None:
            return
        yield pylsl.local_clock() - at


def osc_ages(port: int) -> Iterator[float]:
    from pythonosc.osc_packet import OscPacket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind((HOST, port))
        receiver.settimeout(2)
        print("ready", flush=True)
        while True:
            try:
                packet = OscPacket(receiver.recv(65536))
            except TimeoutError:
                return
            now = time.perf_counter()
            yield now - next(iter(packet.messages)).message.params[1]


def websocket_ages(port: int) -> Iterator[float]:
    from websockets.sync.client import connect

    with connect(f"ws://{HOST}:{port}", compression=None) as client:
        client.recv()
        print("ready", flush=True)
        while True:
            try:
                message = json.loads(client.recv(2))
            except TimeoutError:
                return
            yield time.perf_counter() - message["captured_at"]


CLIENTS = {"LSL": lsl_ages, "OSC": osc_ages, "WebSocket": websocket_ages}


def measure(name: str, frames: int, rate_hz: float, faces: int) -> tuple[np.ndarray, np.ndarray]:
    """Seconds until received, one a message, and seconds within send(), one a frame."""
    port = _free_port(socket.SOCK_DGRAM if name == "OSC" else socket.SOCK_STREAM)
    (outlet,) = make_outlets(load_config(assignments=["outlets." + SETTINGS[name].format(port=port)]))
    stop = threading.Event()
    thread = threading.Thread(target=outlet.run, args=(stop,))
    thread.start()
    outlet.send(_result(0, faces), FER2013_LABELS)
    time.sleep(1)
    command = [sys.executable, __file__, "--client", name, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        client.stdout.readline()
        time.sleep(0.5)
        costs = []
        for index in range(frames):
            result = _result(index, faces)
            before = time.perf_counter()
            outlet.send(result, FER2013_LABELS)
            costs.append(time.perf_counter() - before)
            time.sleep(1 / rate_hz)
        ages = json.loads(client.stdout.read())
    stop.set()
    thread.join()
    assert outlet.status().error is None, outlet.status().error
    return np.array(ages), np.array(costs)


def _result(index: int, faces: int) -> Result:
    smoothed = np.full(len(FER2013_LABELS), 1 / len(FER2013_LABELS), np.float32)
    box = np.array([10, 20, 40, 60], np.float32)
    tracks = tuple(Track(face + 1, box, 0.9, smoothed, smoothed, 0, 1, 0.0) for face in range(faces))
    now = time.perf_counter()
    return Result(index, now, now, tracks)


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=900)
    parser.add_argument("--rate", type=float, default=30)
    parser.add_argument("--faces", type=int, default=2)
    parser.add_argument("--client", choices=list(CLIENTS), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.client:
        print(json.dumps(list(CLIENTS[arguments.client](arguments.port))))
        return
    print(f"{arguments.frames} frames at {arguments.rate:.0f} Hz with {arguments.faces} faces; p50, p95, max")
    for name in CLIENTS:
        ages, costs = measure(name, arguments.frames, arguments.rate, arguments.faces)
        print(f"{name}: received {len(ages)}, {_spread(1000 * ages)} ms; send() {_spread(1e6 * costs)} µs")


def _spread(values: np.ndarray) -> str:
    return ", ".join(f"{value:.2f}" for value in (*np.percentile(values, (50, 95)), values.max()))


if __name__ == "__main__":
    main()
