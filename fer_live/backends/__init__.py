"""Runtimes that turn a batch of crops into probabilities."""
