"""HTML as lines of Markdown: headings, paragraphs, lists and tables, without scripts, styles and what is hidden."""

from __future__ import annotations

from html.parser import HTMLParser

from harness.stack.knowledge.lines import Line

_LEFT_OUT = frozenset(
    {"script", "style", "noscript", "template", "svg", "math", "object", "iframe", "select", "textarea", "nav"}
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCK_NAMES = """
    address article aside blockquote body br caption center dd details div dl dt fieldset figcaption figure footer form
    head header hr html legend li main menu ol option p pre section summary table tbody td tfoot th thead title tr ul
"""
_BLOCKS = frozenset(_BLOCK_NAMES.split()) | frozenset(_HEADINGS)
_VOID_NAMES = "area base br col embed hr img input link meta source track wbr"
_VOID = frozenset(_VOID_NAMES.split())
_PARAGRAPHS = _BLOCKS - {"br", "li", "tr", "td", "th", "dt", "dd"}


def html_lines(text: str) -> list[Line]:
    """The lines of an HTML document; its title is a heading above all others."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.finished()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[Line] = []
        self._words: list[str] = []
        self._at = 1
        self._hidden: list[str] = []  # open elements, from the first that is left out
        self._level = 0
        self._row: list[str] | None = None
        self._row_at = 1
        self._header_row = False
        self._marker = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._hidden:
            if tag not in _VOID:
                self._hidden.append(tag)
            return
        told = dict(attrs)
        if tag not in _VOID and (tag in _LEFT_OUT or "hidden" in told or told.get("aria-hidden") == "true"):
            self._hidden.append(tag)
            return
        if tag in _BLOCKS:
            self._break(tag in _PARAGRAPHS)
        if tag in _HEADINGS or tag == "title":
            self._level = _HEADINGS.get(tag, 1)
        elif tag == "li":
            self._marker = "- "
        elif tag == "tr":
            self._row, self._row_at, self._header_row = [], self.getpos()[0], True
        elif tag == "td":
            self._header_row = False

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID or not self._hidden:
            self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            if tag in self._hidden:  # what was left open inside ends with it
                del self._hidden[len(self._hidden) - 1 - self._hidden[::-1].index(tag) :]
            return
        if tag in ("td", "th") and self._row is not None:
            self._row.append(self._taken())
        elif tag == "tr" and self._row is not None:
            self._end_row()
        elif tag == "dt":
            self._words.append(":")
            self._marker = "- "
        elif tag in _BLOCKS:
            self._break(tag in _PARAGRAPHS)
        if tag in _HEADINGS or tag == "title":
            self._level = 0

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if not self._words and data.strip():
            lead = len(data) - len(data.lstrip())
            self._at = self.getpos()[0] + data[:lead].count("\n")
        if data.strip() or self._words:
            self._words.append(data)

    def finished(self) -> list[Line]:
        """All lines, once everything has been read."""
        self._end_row()
        self._break(paragraph=True)
        return self._lines

    def _taken(self) -> str:
        text = " ".join("".join(self._words).split())
        self._words.clear()
        return text

    def _break(self, paragraph: bool) -> None:
        if self._row is not None:  # a block inside a table's cell
            self._words.append(" ")
            return
        text = self._taken()
        if text:
            marker, self._marker = self._marker, ""
            self._lines.append(Line(text if self._level else marker + text, self._at, level=self._level))
        if paragraph and self._lines and self._lines[-1].text:
            self._lines.append(Line("", self._at))

    def _end_row(self) -> None:
        row, self._row = self._row, None
        if row is None:
            return
        rest = self._taken()
        cells = [*row, rest] if rest else row
        if any(cells):
            self._lines.append(Line(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |", self._row_at))
            if self._header_row:
                self._lines.append(Line("|---|", self._row_at))
