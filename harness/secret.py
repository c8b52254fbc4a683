"""Secrets that cannot be shown by accident: not printed, logged, pickled or compared away in a traceback."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import NoReturn

MASK = "***"
KEY_PREFIX = "sk_"
# A key by the contract's prefix; not the end of a word such as task_1.
KEY_LIKE = re.compile(r"(?<![A-Za-z0-9])sk_[A-Za-z0-9_\-]+")
# Access tokens are JWTs, whose first part starts with the base64 of `{"`.
TOKEN_LIKE = re.compile(r"eyJ[A-Za-z0-9_\-]{6,}(?:\.[A-Za-z0-9_\-]*)*")


class Secret:
    """An API key or an access token. `reveal()` is the only way to its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself; hand it straight to what needs it and keep it in no variable."""
        return self._text

    def scrub(self, text: str) -> str:
        """`text` with every occurrence of the secret masked."""
        return text.replace(self._text, MASK) if self._text else text

    def __str__(self) -> str:
        return MASK

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")


def masked(text: str) -> str:
    """`text` without anything that looks like a key or an access token, whoever wrote it there."""
    return TOKEN_LIKE.sub(MASK, KEY_LIKE.sub(MASK, text))


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process, which needs no key: what looks like one is left out, whatever its name."""
    return {name: value for name, value in environment.items() if KEY_LIKE.search(value) is None}
