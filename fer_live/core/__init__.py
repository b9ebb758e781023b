"""Pure functions and frozen records: no threads, no Qt, no I/O but the model card."""
