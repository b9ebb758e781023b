"""Sources of frames: video, picture, folder, demo."""
