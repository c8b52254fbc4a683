"""The second copy of a run's JUnit report, where `--junit` wants it."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ConfigError, OwnFailure


def check_junit_copy(junit: Path | None) -> None:
    """Return where the copy can be written, so that nobody is called in vain; a file that is there stays as it is.

    Raises:
        ConfigError: It cannot be written there.
    """
    if junit is None:
        return
    try:
        junit.parent.mkdir(parents=True, exist_ok=True)
        is_new = not junit.exists()
        with junit.open("ab"):
            pass
        if is_new:
            junit.unlink()
    except OSError as problem:
        raise ConfigError(
            f"{junit} cannot be written: {problem.strerror}", where="--junit", hint="name a file that can be written"
        ) from None


def write_junit_copy(folder: Path, junit: Path | None) -> None:
    """Write the run's junit.xml to `junit` as well.

    Raises:
        OwnFailure: The disk refused it.
    """
    if junit is None or not (folder / "junit.xml").exists():  # the summary says why there is none
        return
    try:
        junit.write_text((folder / "junit.xml").read_text(encoding="utf-8"), encoding="utf-8")
    except OSError as problem:
        raise OwnFailure("harness.disk", f"{junit} cannot be written: {problem.strerror}") from None
