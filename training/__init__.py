"""Rebuilds the weights of FER Live: `python -m training.fit`."""
