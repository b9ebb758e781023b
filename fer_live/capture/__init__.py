"""Sources of frames: video, picture, folder, demo."""

import os

import cv2

# Must be set before OpenCV opens its first file or stream. What cannot be opened is said by a SourceError; OpenCV
# and FFmpeg would print their own lines before it, FFmpeg also the addresses of streams with their passwords.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
