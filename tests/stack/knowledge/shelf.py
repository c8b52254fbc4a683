"""The documents of the tests; those with the suffix `.pages` become PDFs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.stack.knowledge import Document, read_document
from tests.stack.knowledge.pdf import pdf_of

TUNED_ON = Path(__file__).parent / "documents"
HELD_OUT = TUNED_ON / "held-out"


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each document."""
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        if path.suffix == ".pages":
            pages = path.read_text(encoding="utf-8").split("\f")
            yield f"{path.stem}.pdf", pdf_of([page.split("\n") for page in pages])
        else:
            yield path.name, path.read_bytes()


def documents(folder: Path) -> list[Document]:
    return [read_document(name, data) for name, data in contents(folder)]
