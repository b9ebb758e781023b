"""Images a second of the training loop, how long it waits for data, and a plain ImageFolder and DataLoader beside it.

Both train the same network in float32 on the same images with the same kinds of augmentation, in turns: a turn is a
short epoch.
Waiting is everything of an epoch but the steps: choosing rows and augmenting them, or what the DataLoader takes.

python tests/benchmarks/train.py --data FILE [--model NAME ...] [--threads N ...] [--rounds N] [--steps N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import cv2
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from training import loop
from training.config import RECIPES, FitConfig, recipe
from training.dataset import Split, load_fer2013
from training.layouts import TRAINING
from training.networks import build

CPU = torch.device("cpu")
LABELS = 7
WORKERS = (0, 2)

Epoch = Callable[[], tuple[float, float]]
"""Trains for one short epoch; returns the seconds it took and those of its steps."""


def our_epoch(config: FitConfig, rows: Split) -> Epoch:
    """The loop of `training.fit`."""
    learner = loop.make_learner(build(config.model, LABELS), config, CPU)
    images, targets = torch.from_numpy(rows.images)[:, None], torch.from_numpy(rows.labels)

    def epoch() -> tuple[float, float]:
        in_steps = 0.0
        step = loop.take_step

        def timed(*arguments: object) -> float:
            nonlocal in_steps
            started = time.perf_counter()
            loss = step(*arguments)  # type: ignore[arg-type]
            in_steps += time.perf_counter() - started
            return loss

        started = time.perf_counter()
        with patch.object(loop, "take_step", timed):
            loop.train_one_epoch(learner, loop.Material(images, targets), 0)
        return time.perf_counter() - started, in_steps

    return epoch


def plain_epoch(config: FitConfig, folder: Path, workers: int) -> Epoch:
    """What most would write, from torchvision's and PyTorch's tutorials."""
    shift = (config.shift, config.shift)
    zoom = (config.scale_min, config.scale_max)
    bilinear = transforms.InterpolationMode.BILINEAR
    chain = transforms.Compose(
        [
            transforms.Grayscale(),
            transforms.RandomHorizontalFlip(),
            transforms.RandomAffine(config.rotation_deg, shift, zoom, interpolation=bilinear),
            transforms.PILToTensor(),
            transforms.RandomErasing(config.erasing),
        ]
    )
    loader = DataLoader(
        ImageFolder(str(folder), chain),
        config.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    network = build(config.model, LABELS)
    optimizer: torch.optim.Optimizer
    if config.optimizer == "sgd":
        optimizer = torch.optim.SGD(
            network.parameters(), config.learning_rate, momentum=0.9, nesterov=True, weight_decay=config.weight_decay
        )
    else:
        optimizer = torch.optim.AdamW(network.parameters(), config.learning_rate, weight_decay=config.weight_decay)

    def epoch() -> tuple[float, float]:
        in_steps = 0.0
        network.train()
        first = time.perf_counter()
        for crops, labels in loader:
            started = time.perf_counter()
            loss = F.cross_entropy(network(crops.float()), labels, label_smoothing=config.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            in_steps += time.perf_counter() - started
        return time.perf_counter() - first, in_steps

    return epoch


def write_folder(rows: Split, folder: Path) -> None:
    """Class folders of PNG files."""
    for number, (image, label) in enumerate(zip(rows.images, rows.labels.tolist(), strict=True)):
        path = folder / str(label) / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), image)


def measure(config: FitConfig, rows: Split, folder: Path, threads: int, rounds: int) -> None:
    """Prints what a network's loops do on so many threads."""
    torch.set_num_threads(threads)
    ours = "training"
    epochs = {ours: our_epoch(config, rows)}
    epochs |= {f"plain, {workers} workers": plain_epoch(config, folder, workers) for workers in WORKERS}
    rates: dict[str, list[float]] = defaultdict(list)
    waits: dict[str, list[float]] = defaultdict(list)
    for epoch in epochs.values():
        epoch()
    for _ in range(rounds):
        for name, epoch in epochs.items():
            took, in_steps = epoch()
            rates[name].append(len(rows) / took)
            waits[name].append(100 * (1 - in_steps / took))
    print(f"{config.model}, {threads} threads, load average {os.getloadavg()[0]:.1f}")
    for name in epochs:
        gains = [ours / plain for ours, plain in zip(rates[ours], rates[name], strict=True)]
        print(
            f"  {name:18} {shown(rates[name], 0)} images/s, waits {shown(waits[name], 1)} %, "
            f"training is {shown(gains, 2)} times as fast",
            flush=True,
        )


def shown(values: list[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data/fer2013.csv"))
    parser.add_argument("--model", nargs="+", default=sorted(RECIPES))
    parser.add_argument("--threads", nargs="+", type=int, default=[1, os.cpu_count() or 1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=8)
    arguments = parser.parse_args()
    data = load_fer2013(arguments.data).split(TRAINING)
    turns = f"{arguments.steps} steps a turn, {arguments.rounds} rounds in turn"
    print(f"{turns}; median (min-max); torch {torch.__version__}")
    for model in arguments.model:
        config = recipe(model, precision="fp32")
        count = arguments.steps * config.batch_size
        rows = Split(TRAINING, data.images[:count], data.labels[:count])
        with tempfile.TemporaryDirectory() as folder:
            write_folder(rows, Path(folder))
            for threads in arguments.threads:
                measure(config, rows, Path(folder), threads, arguments.rounds)


if __name__ == "__main__":
    main()
