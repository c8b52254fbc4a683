"""`python -m harness.stack.agents`: see `harness.stack.agents.process`."""

from harness.stack.agents.process import main

if __name__ == "__main__":
    raise SystemExit(main())
