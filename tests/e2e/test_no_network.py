"""The app never opens a network connection: a minute of face finding under strace."""

import re
import shutil
import subprocess
import sys

import pytest

SECONDS = 60
LOOP = f"""
import itertools, time
import numpy as np
from matplotlib import cbook, image
from fer_live.core.structs import Frame
from fer_live.detect.mediapipe import MediaPipeFinder

with cbook.get_sample_data("grace_hopper.jpg") as file:
    photo = np.ascontiguousarray(image.imread(file)[:, :, ::-1])
ending = time.monotonic() + {SECONDS}
found = 0
with MediaPipeFinder() as finder:
    for index in itertools.count():
        if time.monotonic() >= ending:
            break
        found += len(finder.find(Frame(np.roll(photo, index % 64, axis=1), index, 0.0)))
print(found)
"""
CONNECTS_SOMEBODY = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))"
# Every network call but making a pair of local sockets names its address family; the rest act on such sockets.
REMOTE = re.compile(r"\bAF_(?!UNIX\b|LOCAL\b|NETLINK\b|UNSPEC\b)\w+")


def network_calls(code, log):
    """Standard output of a child that runs the code, and its network calls to anything but this machine's kernel."""
    command = ["strace", "-f", "-qq", "-e", "trace=network", "-o", str(log), sys.executable, "-c", code]
    child = subprocess.run(command, capture_output=True, text=True, timeout=280)
    if child.returncode != 0 and "ptrace" in child.stderr.lower():
        pytest.skip(f"strace may not trace here: {child.stderr.strip().splitlines()[0]}")
    assert child.returncode == 0, child.stderr
    return child.stdout, [line for line in log.read_text().splitlines() if REMOTE.search(line)]


@pytest.fixture(autouse=True)
def _strace():
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed (Linux: apt-get install strace)")


def test_the_trace_sees_a_connection(tmp_path):
    _, calls = network_calls(CONNECTS_SOMEBODY, tmp_path / "trace")
    assert any("connect(" in call for call in calls)


def test_finding_faces_connects_to_nobody(tmp_path):
    found, calls = network_calls(LOOP, tmp_path / "trace")
    assert int(found) > 10, "the loop must have found faces for the trace to mean anything"
    assert calls == []
