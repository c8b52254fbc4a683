"""What is in a report: its document, its recordings, its elements."""

from __future__ import annotations

import base64
import gzip
import re
from html.parser import HTMLParser
from pathlib import Path

from harness.report.shown.document import Document

# What the built page has, as far as Python puts something into it.
TEMPLATE = """<!doctype html>
<html lang="en"><head><meta http-equiv="Content-Security-Policy" content="%harness-policy%">
<title>%harness-title%</title>
<script type="module">start("100%");</script><style rel="stylesheet">body { margin: 0 }</style></head>
<body><div id="app">%harness-static%</div>
%harness-data%
</body></html>
"""


def template(folder: Path) -> Path:
    """A page to render reports with where no built one is needed."""
    path = folder / "page.html"
    path.write_text(TEMPLATE, encoding="utf-8")
    return path


def document_in(html: str) -> Document:
    """The document of a report, as the page reads it."""
    (packed,) = re.findall(r'<script type="application/json" id="document"[^>]*>([^<]*)</script>', html)
    return Document.model_validate_json(gzip.decompress(base64.b64decode(packed)))


def sounds_in(html: str) -> dict[str, bytes]:
    """The recordings that are embedded, by the name of their call."""
    found = re.findall(r'<script type="audio/ogg" data-encoding="base64" data-call="([^"]*)">([^<]*)</script>', html)
    return {call: base64.b64decode(opus) for call, opus in found}


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text outside of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._apart = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))
        self._apart = tag if tag in {"script", "style"} else ""

    def handle_endtag(self, tag: str) -> None:
        self._apart = ""

    def handle_data(self, data: str) -> None:
        if not self._apart:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.all if name == tag]
