"""References that the owner of the stack names, in the agents file or by a command: a URL, or also a file."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from harness.errors import ConfigError, Place

_FILE = "file:"


def is_file(url: str) -> bool:
    """Whether a reference is a file of this machine."""
    return url.lower().startswith(_FILE)


def file_path(url: str) -> Path:
    """The path of a `file:` URL."""
    return Path(unquote(urlsplit(url).path))


def reference_of_owner(named: str, folder: Path, where: Place | str) -> str:
    """The reference as a URL: an `https:` or `http:` URL as it is, a path or `file:` URL as the `file:` URL of a file.

    Args:
        named: What the owner wrote.
        folder: The folder to which a path is relative.
        where: The place of it, for the error.

    Raises:
        ConfigError: There is no such file, or the URL has another scheme.
    """
    scheme, colon, _ = named.partition("://")
    if colon and scheme.lower() in ("http", "https"):
        return named
    if colon and not is_file(named):
        raise ConfigError(
            f"reference_audio_url has the scheme {scheme!r}",
            where=where,
            hint="use an https URL, or the path of a file",
        )
    path = file_path(named) if is_file(named) else folder / named
    if not path.is_file():
        raise ConfigError(
            f"there is no reference audio {str(path)!r}",
            where=where,
            hint="use the path of a sound file, or an https URL",
        )
    return path.absolute().as_uri()
