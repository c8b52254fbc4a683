"""`voice-harness`, and `python -m harness`."""

import sys


def command() -> None:
    """Runs the command; an interrupt while its modules are imported ends it as one later does."""
    try:
        from harness.cli.main import command as run
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    command()
