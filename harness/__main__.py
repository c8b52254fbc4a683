"""`python -m harness` is `voice-harness`."""

from harness.cli.main import main

if __name__ == "__main__":
    main()
