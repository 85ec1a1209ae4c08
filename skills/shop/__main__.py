"""`python -m skills.shop`: as `glasses-shop`."""

import sys

from skills.shop.importing import main

if __name__ == "__main__":
    sys.exit(main())
