"""Finds what a text holds in another form: a key that an answer has percent-encoded, escaped, in hex or in base64."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterator

from harness.secret import TOKEN_LIKE

_ESCAPE = r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|%[0-9a-fA-F]{2}|&#x?[0-9a-fA-F]{1,6};"
_ESCAPED = re.compile(rf"(?:[\w.~-]|{_ESCAPE}){{12,}}")
_ONE = re.compile(_ESCAPE)
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){12,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")


def encoded_in(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a text that can be read in another way: each as written, and as read.

    An access token is none of them: what it holds are its claims, which are looked at on their own.
    """
    text = TOKEN_LIKE.sub(" ", text)
    for found in _ESCAPED.finditer(text):
        read = _ONE.sub(_character, found[0])
        if read != found[0]:
            yield found[0], read
    for found in _HEX.finditer(text):
        yield found[0], bytes.fromhex(found[0]).decode("utf-8", errors="replace")
    for found in _BASE64.finditer(text):
        yield found[0], _from_base64(found[0])


def _character(escape: re.Match[str]) -> str:
    written = escape[0]
    if written.startswith("&#"):
        is_hex = written[2] == "x"
        digits = written[3:-1] if is_hex else written[2:-1]
        if not is_hex and not digits.isdecimal():
            return written
    else:
        is_hex, digits = True, written[1:] if written.startswith("%") else written[2:]
    code = int(digits or "0", 16 if is_hex else 10)
    return chr(code) if code <= sys.maxunicode else written


def _from_base64(written: str) -> str:
    plain = written.replace("-", "+").replace("_", "/")
    whole = plain[: len(plain) - (len(plain) % 4 == 1)]  # one character alone is no byte
    return base64.b64decode(whole + "=" * (-len(whole) % 4)).decode("utf-8", errors="replace")
