"""Weights with their model cards, and the face finder's models; installed as `fer_live.weights`."""
