"""Makes third-party text fit to be shown: short, on one line, without control characters, keys or tokens."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from urllib.parse import urlsplit

from harness.secret import KEY_LIKE, Secret, masked

# Cc control, Cf format (including text direction), Co private use, Cs surrogate, Zl and Zp line and paragraph
# separators.
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


def shown_text(text: str, *, limit: int, secrets: Iterable[Secret | None] = ()) -> str:
    """`text` on one line, masked and then truncated to `limit` characters."""
    # Invisible characters go first: one inside a key would hide it from the masks.
    seen = "".join(" " if unicodedata.category(char) in _UNSEEN_CATEGORIES else char for char in text)
    line = " ".join(seen.split())
    for secret in secrets:
        line = secret.scrub(line) if secret is not None else line
    line = masked(line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def shown_url(url: str, *, secrets: Iterable[Secret | None] = ()) -> str:
    """The URL without user, password, query and fragment, which may contain secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    host = parts.netloc.rpartition("@")[2]
    prefix = f"{parts.scheme}://" if parts.scheme else ""
    return shown_text(f"{prefix}{host}{parts.path}", limit=200, secrets=secrets)


def holds_key(text: str) -> bool:
    """Whether `text` contains an API key (by its prefix `sk_`)."""
    return KEY_LIKE.search(text) is not None
