"""The chain put together: from frames to results."""
