"""`python -m outage_notify` is the same as `outage-notify`."""

import sys

from outage_notify.cli import main

if __name__ == "__main__":
    sys.exit(main())
