"""The desktop app: PyQt6."""
