"""Train; see the package."""

import sys

from agent.understand.learn.knowledge import main

sys.exit(main())
