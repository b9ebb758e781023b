"""Sources of frames: video, picture, folder, demo."""

import os

import cv2

# What cannot be opened is said by a SourceError; OpenCV and FFmpeg would print their own lines before it.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
