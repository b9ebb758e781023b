"""`python -m fer_live` is `fer-live`."""

import sys

from fer_live.cli import main

sys.exit(main())
