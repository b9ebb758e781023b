"""fer as its documentation uses it: one detector, one call a frame. Runs in an environment with fer.

python serve_fer.py haar|mtcnn
"""

from __future__ import annotations

import sys
from importlib.metadata import version

import cv2
import torch
from fer.fer import FER
from serving import serve

detector = FER(mtcnn=sys.argv[1] == "mtcnn")
packages = ("fer", "tensorflow", "opencv-contrib-python", "facenet-pytorch", "torch")
threads = {"OpenCV threads": str(cv2.getNumThreads()), "PyTorch threads": str(torch.get_num_threads())}
serve(
    {name: version(name) for name in packages} | threads,
    lambda: lambda image: [face["box"] for face in detector.detect_emotions(image)],
)
