"""From a document's lines to passages; the lines of plain text, Markdown and PDF pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness.stack.knowledge.passages import Passage
from harness.text.sentences import sentences

PASSAGE_CHARS = 600  # paragraphs under one heading are joined up to this length
LONGEST_CHARS = 1200  # longer paragraphs are split at the ends of sentences
HEADING_CHARS, HEADING_WORDS = 70, 9
SAME_ON_PAGES = 0.5  # the first or last line of at least this share of the pages is a header or footer
_ATX = re.compile(r"^ {0,3}(#{1,6})\s+(\S.{0,300}?)\s*#*$")
_SETEXT = re.compile(r"^ {0,3}(=+|-+)\s*$")
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)")
_BULLET = re.compile(r"^\s*(?:[-*+•‣▪◦\u2013]|\d{1,2}[.)])\s+")
_NUMBERED = re.compile(r"^\d{1,2}(?:\.\d{1,2})*\.?\s+[^\W\d]")
_RULE = re.compile(r"^\s*([-*_=~])(?:\s*\1){2,}\s*$")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_INLINE_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]{0,10}(?:\s[^<>]{0,300})?/?>")
_IMAGE = re.compile(r"!\[([^\]]{0,300})\]\([^)]{0,1000}\)")
_HYPHEN = re.compile(r"[^\W\d]-$")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a document.

    Attributes:
        text: Its text; empty between paragraphs.
        line: Its number in the file, from 1.
        page: Its page, from 1.
        level: 1 for a heading of the highest level; 0 for a line of text.
    """

    text: str
    line: int | None = None
    page: int | None = None
    level: int = 0


def plain_lines(text: str) -> list[Line]:
    """The lines of a plain text, with the headings that stand out."""
    return _with_headings(
        [Line(line.strip("\ufeff").rstrip(), number) for number, line in enumerate(text.split("\n"), 1)]
    )


def markdown_lines(text: str) -> list[Line]:
    """The lines of a Markdown text, without comments, HTML tags, front matter and the marks of headings and fences."""
    kept = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text).split("\n")
    lines: list[Line] = []
    fenced = False
    front = _front_matter(kept)
    for number, line in enumerate(kept, 1):
        if number <= front:
            continue
        if _FENCE.match(line):
            fenced = not fenced
            lines.append(Line("", number))
            continue
        if fenced:
            lines.append(Line(line.strip(), number))
            continue
        lines += _markdown_line(line, number, lines)
    return lines


def _markdown_line(line: str, number: int, before: list[Line]) -> Iterator[Line]:
    if match := _ATX.match(line):
        yield Line(match[2].strip(), number, level=len(match[1]))
        return
    last = before[-1] if before else Line("")
    if (match := _SETEXT.match(line)) and last.text and not last.level and not _BULLET.match(last.text):
        before[-1] = replace(last, level=1 if match[1][0] == "=" else 2)
        return
    if _RULE.match(line):
        yield Line("", number)
        return
    plain = _INLINE_TAG.sub("", _IMAGE.sub(r"\1", line)).rstrip()
    yield Line(plain.lstrip(" >") if plain.lstrip().startswith(">") else plain, number)


def _front_matter(lines: Sequence[str]) -> int:
    """How many lines the YAML before the text has, with its marks."""
    if lines and lines[0].strip() == "---":
        for number, line in enumerate(lines[1:100], 2):
            if line.strip() in ("---", "..."):
                return number
    return 0


def pdf_lines(pages: Sequence[str]) -> list[Line]:
    """The lines of a PDF's pages, without headers, footers and hyphens at the ends of lines.

    A sentence that goes on at the top of the next page stays on the page where it began.
    """
    texts = _without_repeated([[line.strip() for line in page.split("\n")] for page in pages])
    for at in range(1, len(texts)):
        before, after = texts[at - 1], texts[at]
        if before and after and not before[-1].endswith((".", "!", "?", ":")) and after[0][:1].islower():
            first, end, rest = _sentence_start(after[0])
            before.append(first)
            after[:1] = [rest] if end and rest else []
    lines: list[Line] = []
    for number, text in enumerate(texts, 1):
        lines += _with_headings([Line(line, page=number) for line in _unhyphenated(text)])
        lines.append(Line("", page=number))
    return lines


def _sentence_start(line: str) -> tuple[str, str, str]:
    """A line's first sentence, the space after it, and the rest."""
    match = re.search(r"(?<=[.!?])\s+", line)
    return (line[: match.start()], match[0], line[match.end() :]) if match else (line, "", "")


def _without_repeated(pages: list[list[str]]) -> list[list[str]]:
    """Without the page numbers, and the first and last lines that most of the pages have; empty ends are removed."""
    trimmed = [_trimmed(page) for page in pages]
    for end in (0, -1):
        for _ in range(2):  # a header may have two lines
            ends = Counter(_shape(page[end]) for page in trimmed if page)
            often = {shape for shape, count in ends.items() if count >= 3 and count >= SAME_ON_PAGES * len(pages)}
            for page in trimmed:
                if page and (_shape(page[end]) in often or page[end].strip("-\u2013\u2014 ").isdigit()):
                    del page[end]
            trimmed = [_trimmed(page) for page in trimmed]
    return trimmed


def _trimmed(page: list[str]) -> list[str]:
    start, stop = 0, len(page)
    while start < stop and not page[start]:
        start += 1
    while stop > start and not page[stop - 1]:
        stop -= 1
    return page[start:stop]


def _shape(line: str) -> str:
    return re.sub(r"\d+", "0", line)


def _unhyphenated(lines: Iterable[str]) -> list[str]:
    joined: list[str] = []
    for line in lines:
        if joined and _HYPHEN.search(joined[-1]) and line[:1].islower():
            first, _, rest = line.partition(" ")
            joined[-1] = joined[-1][:-1] + first
            joined += [rest] if rest else []
        else:
            joined.append(line)
    return joined


def _with_headings(lines: Sequence[Line]) -> list[Line]:
    """Marks the lines of a plain text that are headings: short, without an end mark, above text and below a gap."""
    found: list[Line] = []
    skip = False
    for at, line in enumerate(lines):
        if skip:  # the rule under a heading
            skip = False
            continue
        after = lines[at + 1].text if at + 1 < len(lines) else ""
        if line.text.strip() and _RULE.match(after) and _like_heading(line.text):
            found.append(replace(line, text=line.text.strip(), level=1))
            skip = True
        elif _RULE.match(line.text):
            found.append(replace(line, text=""))
        elif (
            _like_heading(line.text)
            and _begins(found)
            and _has_text_below(lines[at + 1 : at + 7])
            and not after[:1].islower()
        ):
            level = 3 if line.text.rstrip().endswith(":") else 2
            found.append(replace(line, text=line.text.strip().rstrip(":"), level=level))
        else:
            found.append(line)
    return found


def _like_heading(text: str) -> bool:
    text = text.strip()
    if not text or len(text) > HEADING_CHARS or len(text.split()) > HEADING_WORDS or "|" in text:
        return False
    if not (text[0].isupper() or _NUMBERED.match(text)) or (_BULLET.match(text) and not _NUMBERED.match(text)):
        return False
    return text[-1] not in ".!?,;" and ":" not in text[:-1]


def _begins(before: Sequence[Line]) -> bool:
    """Whether what came before is complete."""
    return not before or before[-1].level > 0 or not before[-1].text or before[-1].text.endswith((".", "!", "?"))


def _has_text_below(after: Sequence[Line]) -> bool:
    """Whether the next line that is not empty is text, or a heading with text of its own."""
    below = [line.text for line in after if line.text.strip()][:2]
    return any(not _like_heading(text) for text in below)


def passages_of(lines: Sequence[Line]) -> list[Passage]:
    """The passages: paragraphs under one heading, and on one page, joined up to `PASSAGE_CHARS`."""
    passages: list[Passage] = []
    heading: list[tuple[int, str]] = []
    open_: list[list[Line]] = []

    def close() -> None:
        if open_:
            text = "\n\n".join("\n".join(line.text for line in paragraph) for paragraph in open_)
            first = open_[0][0]
            told = tuple(title for _, title in heading)
            passages.append(Passage(text=text, heading=told, page=first.page, line=first.line))
            open_.clear()

    for paragraph in _paragraphs(lines):
        first = paragraph[0]
        if first.level:
            close()
            while heading and heading[-1][0] >= first.level:
                heading.pop()
            heading.append((first.level, " ".join(first.text.split())))
            continue
        length = sum(len(line.text) for held in open_ for line in held)
        if open_ and (open_[-1][-1].page != first.page or length + _length(paragraph) > PASSAGE_CHARS):
            close()
        for piece in _pieces(paragraph):
            if open_ and sum(map(_length, open_)) + _length(piece) > LONGEST_CHARS:
                close()
            open_.append(piece)
    close()
    return passages


def _length(paragraph: Sequence[Line]) -> int:
    return sum(len(line.text) for line in paragraph)


def _paragraphs(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines without an empty one between them; a heading is a paragraph of its own."""
    held: list[Line] = []
    for line in lines:
        if line.level or not line.text.strip() or (held and held[0].page != line.page):
            if held:
                yield held
            held = []
        if line.level:
            yield [line]
        elif line.text.strip():
            held.append(replace(line, text=_narrow(line.text)))
    if held:
        yield held


def _narrow(text: str) -> str:
    """A line with single spaces; one that is indented keeps two in front."""
    return ("  " if text[:1].isspace() else "") + " ".join(text.split())


def _pieces(paragraph: list[Line]) -> Iterator[list[Line]]:
    """A paragraph in pieces of at most `LONGEST_CHARS`, where it has lines or sentences to split at."""
    held: list[Line] = []
    for line in paragraph:
        for part in _parts(line):
            if held and _length(held) + len(part.text) > LONGEST_CHARS:
                cut = _last_end(held)
                yield held[:cut]
                held = held[cut:]
            held.append(part)
    if held:
        yield held


def _last_end(held: Sequence[Line]) -> int:
    """How many of the lines to take so that the last of them ends a sentence; all if none does."""
    ends = [at for at, line in enumerate(held, 1) if line.text.rstrip().endswith((".", "!", "?", "|"))]
    return ends[-1] if ends else len(held)


def _parts(line: Line) -> Iterator[Line]:
    if len(line.text) <= PASSAGE_CHARS:
        yield line
        return
    for sentence in sentences(line.text):
        for start in range(0, len(sentence), LONGEST_CHARS):
            yield replace(line, text=sentence[start : start + LONGEST_CHARS])
