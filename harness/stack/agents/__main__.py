"""`python -m harness.stack.agents`: see `harness.stack.agents.process`."""

import os
import sys

from harness.stack.agents.process import main

if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # All rooms are left. The SDK's native runtime sometimes aborts while the interpreter takes it down.
    os._exit(code)
