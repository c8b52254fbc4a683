"""Secrets that cannot leak by accident: they are not printed, logged or pickled, and tracebacks do not show them."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, NoReturn

MASK = "***"
KEY_PREFIX = "sk_"
SHORTEST = 12  # characters; anything shorter cannot be told from a word
# A key, by the contract's prefix; not the end of a word such as task_1.
KEY_LIKE = re.compile(r"(?<![A-Za-z0-9])sk_[A-Za-z0-9_\-]+")
# Certainly a key. In ordinary text `sk_` may start a name, as Slovak file names do.
SURE_KEY = re.compile(r"(?<![A-Za-z0-9])sk_(?=[A-Za-z0-9_\-]*[A-Z0-9])[A-Za-z0-9_\-]{12,}")
# Access tokens are JWTs, whose first part starts with the base64 encoding of `{"`.
TOKEN_LIKE = re.compile(r"eyJ[A-Za-z0-9_\-]{6,}(?:\.[A-Za-z0-9_\-]*)*")
# `SURE_KEY` looks ahead from each `sk_` of a text, which takes time by the square of its length. This takes a stretch
# of such characters as a whole, and whether it is a key is then asked once.
_KEY_LONG = re.compile(r"(?<![A-Za-z0-9])sk_[A-Za-z0-9_\-]{12,}")


class Secret:
    """An API key or an access token. `reveal()` is the only access to its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself; pass it directly to where it is needed and keep it in no variable."""
        return self._text

    def scrub(self, text: str) -> str:
        """`text` with every occurrence of the secret masked."""
        return text.replace(self._text, MASK) if self._text else text

    def is_in(self, text: str) -> bool:
        """Whether a text contains the secret; always False if that is as short as a word (`test`, in a mock)."""
        return len(self._text) >= SHORTEST and self._text in text

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


class HiddenText(str):
    """A header's value that an HTTP client can send, but that does not show in dumps of variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK


def masked(text: str) -> str:
    """`text` with everything masked that looks like a key or an access token, wherever it came from."""
    return TOKEN_LIKE.sub(MASK, KEY_LIKE.sub(MASK, text))


def without_secrets(data: Any, secrets: Sequence[Secret | None] = ()) -> Any:
    """`data` made safe for a run's files: `secrets`, keys and access tokens are masked in all its texts.

    Mappings and lists are processed recursively; keys of mappings stay, and so do short names that begin with `sk_`.
    """
    if isinstance(data, str):
        for secret in secrets:
            data = secret.scrub(data) if secret is not None and secret.is_in(data) else data
        return TOKEN_LIKE.sub(MASK, _KEY_LONG.sub(_mask_sure_key, data))
    if isinstance(data, Mapping):
        return {name: without_secrets(value, secrets) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [without_secrets(value, secrets) for value in data]
    return data


def _mask_sure_key(found: re.Match[str]) -> str:
    return MASK if SURE_KEY.match(found[0]) else found[0]


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process, which needs no key: anything that looks like one is left out."""
    return {name: value for name, value in environment.items() if not _holds_key(value)}


def forget_keys(environment: MutableMapping[str, str], key: Secret | None) -> None:
    """Removes `key`, and everything that looks like one, from our own environment.

    Children inherit it, including those that a library starts without asking us.
    """
    for name, value in list(environment.items()):
        if _holds_key(value) or (key and Secret(value.strip()) == key):
            del environment[name]


def _holds_key(value: str) -> bool:
    # A path may contain a directory that begins with `sk_`: without PATH no child process would run.
    return SURE_KEY.search(value) is not None or KEY_LIKE.fullmatch(value.strip()) is not None
