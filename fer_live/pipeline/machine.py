"""What a figure of speed must be read with: the machine, and what it does besides."""

from __future__ import annotations

import platform
from pathlib import Path

import psutil

from fer_live.pipeline.batch import usable_cpus
from fer_live.record.session import versions


def machine_facts() -> dict[str, str | int | float]:
    """CPU, usable cores, memory in MB, system, load average of the last minute, and versions."""
    return {
        "cpu": _cpu_name(),
        "cores": usable_cpus(),
        "memory_mb": round(psutil.virtual_memory().total / 1e6),
        "system": platform.platform(terse=True),
        "load_average": round(psutil.getloadavg()[0], 2),
        **versions(),
    }


def resident_mb() -> float:
    """Memory of this process that is in RAM, MB."""
    return float(psutil.Process().memory_info().rss / 1e6)


def _cpu_name() -> str:
    # Linux leaves platform.processor() empty.
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text(encoding="utf-8").splitlines() if cpus.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
