"""Reads one document in a process of its own with bounded memory and time: `python -m harness.stack.knowledge.reader`.

Input: one JSON line `{"name", "kind"}`, then the document. Output: one JSON line, `{"passages": […], "characters": …}`
or `{"error": …}` (`process/lines.py`).
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import resource
import sys
from typing import Any

from harness.errors import ConfigError, HarnessError, KnowledgeError
from harness.installed_from import with_extra_stack
from harness.process.lines import error_message, line_of
from harness.stack.knowledge.html_lines import html_lines
from harness.stack.knowledge.kinds import text_of
from harness.stack.knowledge.lines import Line, markdown_lines, passages_of, pdf_lines, plain_lines
from harness.stack.knowledge.passages import Kind

MAX_PAGES = 1000
MAX_CHARACTERS = 3_000_000
MEMORY_BYTES = 1 << 30
CPU_S = 30
_SPLIT = "split it, and keep the parts that are needed"
_LINES = {"text": plain_lines, "markdown": markdown_lines, "html": html_lines}


def read(name: str, kind: Kind, data: bytes) -> dict[str, Any]:
    """The document's passages as a message.

    Raises:
        KnowledgeError: It cannot be read or is refused.
        ConfigError: `pypdf` is missing.
    """
    lines = _pdf(name, data) if kind == "pdf" else _LINES[kind](_checked(name, text_of(name, data, kind)))
    passages = passages_of(lines)
    if not any(character.isalnum() for passage in passages for character in passage.text):
        raise KnowledgeError(
            "it contains no text",
            where=name,
            hint="a scanned document holds only images: run a text recognition (OCR) first" if kind == "pdf" else None,
        )
    told = [passage.model_dump(mode="json") for passage in passages]
    return {"passages": told, "characters": sum(len(passage.text) for passage in passages)}


def _checked(name: str, text: str) -> str:
    if len(text) > MAX_CHARACTERS:
        raise _too_long(name)
    return text


def _too_long(name: str) -> KnowledgeError:
    return KnowledgeError(f"it has more than {MAX_CHARACTERS:,} characters of text", where=name, hint=_SPLIT)


def _pdf(name: str, data: bytes) -> list[Line]:
    try:
        from pypdf.errors import LimitReachedError
    except ImportError:
        raise ConfigError("PDF documents cannot be read: pypdf is not installed", hint=with_extra_stack()) from None
    try:
        return pdf_lines(_pages(name, data))
    except (KnowledgeError, MemoryError):
        raise
    except LimitReachedError:
        raise KnowledgeError(
            "the PDF expands to far more than its size", where=name, hint="save it again with another program"
        ) from None
    except Exception as problem:  # noqa: BLE001 - a broken PDF makes pypdf raise anything
        told = " ".join(str(problem).split())[:200]
        raise KnowledgeError(
            f"the PDF is broken: {type(problem).__name__}" + (f": {told}" if told else ""),
            where=name,
            hint="open it in a PDF program and save it again",
        ) from None


def _pages(name: str, data: bytes) -> list[str]:
    """The text of each page of a PDF."""
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted:
        hint = "save it without a password, for example with qpdf --decrypt IN OUT"
        raise KnowledgeError("the PDF is encrypted", where=name, hint=hint)
    if len(reader.pages) > MAX_PAGES:
        raise KnowledgeError(f"it has {len(reader.pages)} pages, more than {MAX_PAGES}", where=name, hint=_SPLIT)
    pages: list[str] = []
    characters = 0
    for page in reader.pages:
        pages.append(page.extract_text())
        characters += len(pages[-1])
        if characters > MAX_CHARACTERS:
            raise _too_long(name)
    return pages


def main() -> None:
    """Reads the document on standard input."""
    for what, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_CORE, 0)):
        # It fails where the limit is lower already, and on macOS for memory; the parent limits the time
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))
    logging.disable()  # pypdf tells of each flaw of a PDF
    header = json.loads(sys.stdin.buffer.readline())
    name = header["name"]
    try:
        message = read(name, header["kind"], sys.stdin.buffer.read())
    except HarnessError as problem:
        message = error_message(problem)
    except (MemoryError, RecursionError):
        message = error_message(
            KnowledgeError("it needs more memory than a document may", where=name, hint="save it again, or split it")
        )
    sys.stdout.write(line_of(message))


if __name__ == "__main__":
    main()
