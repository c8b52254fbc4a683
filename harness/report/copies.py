"""Copies of a run's reports where `--junit` and `--markdown` want them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from harness.errors import ConfigError, OwnFailure


def check_copy(file: Path | None, option: str) -> None:
    """Returns if a copy can be written, so that no calls are made in vain. It creates no folder and leaves no file.

    Args:
        file: Where the copy goes, in a folder that need not exist yet; None if none is wanted.
        option: The option that named it, for the error.

    Raises:
        ConfigError: The copy cannot be written.
    """
    if file is None:
        return
    nearest = next(folder for folder in file.absolute().parents if folder.exists())
    try:
        if not nearest.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if nearest != file.absolute().parent:
            if not os.access(nearest, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        is_new = not file.exists()
        with file.open("ab"):
            pass
        if is_new:
            file.unlink()
    except OSError as problem:
        raise ConfigError(
            f"{file} cannot be written: {problem.strerror}", where=option, hint="name a file that can be written"
        ) from None


def write_copy(file: Path | None, text: str) -> None:
    """Writes a report to `file`, and creates its folder; does nothing if that is None.

    Raises:
        OwnFailure: The disk refused it.
    """
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise OwnFailure("harness.disk", f"{file} cannot be written: {problem.strerror}") from None


def write_junit_copy(folder: Path, junit: Path | None) -> None:
    """Writes the run's junit.xml to `junit` as well.

    Raises:
        OwnFailure: The disk refused it.
    """
    if junit is not None and (folder / "junit.xml").exists():  # the summary says why there is none
        write_copy(junit, (folder / "junit.xml").read_text(encoding="utf-8"))
