"""Pull models while the rest is being installed: `agent.models` without the packages it will have.

`import agent` needs what pip is still fetching, so a bare package of that name stands in for it;
what lies below needs the standard library alone.
"""

import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    agent = ModuleType("agent")
    agent.__path__ = [str(ROOT / "agent")]
    sys.modules["agent"] = agent

    from agent.models.pull import main

    sys.exit(main())
