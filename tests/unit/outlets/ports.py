"""Ports of this machine."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"


def free_port(kind: socket.SocketKind) -> int:
    """One that nobody uses."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    """Whether a TCP server answers."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
