"""Texts of others in GitHub's Markdown: always in code, where nothing is markup, a mention, a reference or a link.

GitHub resolves `@name` and `#123` after Markdown, so escaping by a backslash does not stop them; in `<code>` it leaves
them alone. Code spans are specified in CommonMark 0.31, section 6.1, tables in the GFM specification, section 4.10.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from urllib.parse import quote

from harness.text.plain_text import clipped, one_line

TEXT_LIMIT = 300
_ENTITIES = {ord(char): f"&#{ord(char)};" for char in string.punctuation}
# What a URL may have (RFC 3986) and % for what is escaped already; not `;`, which could end an entity.
_OF_URLS = ":/?#[]@!$&'*+,=%-._~"


def code(text: str, limit: int = TEXT_LIMIT) -> str:
    """The text on one line, clipped, as a code span; empty if there is nothing to see."""
    shown = clipped(one_line(text), limit)
    if not shown:
        return ""
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    # One space at both ends is stripped; it keeps the fence apart from a backtick of the text.
    pad = " " if "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def cell(text: str, limit: int = TEXT_LIMIT) -> str:
    """The text as `code` has it, for a cell of a table. A pipe would end the cell, also in a code span."""
    if "|" not in text:
        return code(text, limit)
    return f"<code>{clipped(one_line(text), limit).translate(_ENTITIES)}</code>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table; cells are Markdown. Named columns but the first are aligned to the right."""
    return [_row(head), _row([":--", *("--:" if name else ":--" for name in head[1:])]), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def link(words: str, url: str) -> str:
    """A link; `words` are ours, the URL's characters are encoded as far as they could end the link."""
    return f"[{words}](<{quote(url, safe=_OF_URLS)}>)"
