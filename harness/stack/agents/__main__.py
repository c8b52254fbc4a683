"""`python -m harness.stack.agents`: see `harness.stack.agents.process`."""

import os
import sys

from harness.stack.agents.process import main

if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # All rooms have been left. The SDK's native runtime sometimes aborts during interpreter shutdown; skip that.
    os._exit(code)
