"""Live outlets: results and markers to other programs, markers from them (docs/outlets.md)."""
