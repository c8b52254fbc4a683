"""A document as passages, and the file that keeps them: JSON with a version, suffix `.passages.json`."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from harness.errors import KnowledgeError
from harness.formats import Recorded, why_unread

SUFFIX = ".passages.json"
MAX_FILE_BYTES = 20_000_000

Kind = Literal["text", "markdown", "html", "pdf"]


class Passage(Recorded):
    """Some paragraphs of a document.

    Attributes:
        text: Its lines, as they are in the document; Markdown keeps its marks, HTML becomes Markdown.
        heading: The headings above it, outermost first; empty if there are none.
        page: Its page in a PDF, from 1.
        line: Its first line in the file, from 1; None in a PDF.
    """

    model_config = ConfigDict(frozen=True)

    text: str
    heading: tuple[str, ...] = ()
    page: int | None = None
    line: int | None = None

    @property
    def place(self) -> str:
        """Where it is, as people say it: `page 3`, or `line 12, Rooms`."""
        at = f"page {self.page}" if self.page is not None else f"line {self.line}"
        return ", ".join([at, *self.heading[-1:]])


class Document(Recorded):
    """A document that was read.

    Attributes:
        name: Its file name.
        kind: What its content is.
        sha256: The hash of its bytes, in hex digits.
        characters: The length of its text.
        passages: Its text in order.
    """

    model_config = ConfigDict(frozen=True)

    version: Literal[1] = 1
    name: str
    kind: Kind
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    characters: int = Field(ge=0)
    passages: tuple[Passage, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Found:
    """The passage that answers a question.

    Attributes:
        document: The document's name.
        place: Where the passage is in it, see `Passage.place`.
        score: How well it fits, about 0…1.5; comparable between questions.
        passage: Its text.
        answer: The sentence or two of it that answer.
    """

    document: str
    place: str
    score: float
    passage: str
    answer: str

    def to_message(self) -> dict[str, Any]:
        """It as a message for another process."""
        return {name: getattr(self, name) for name in self.__slots__}


def store_passages(document: Document, path: Path) -> None:
    """Writes a document's passages; the file is replaced as a whole.

    Raises:
        OSError: The file cannot be written.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(document.model_dump_json())
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def load_passages(path: Path) -> Document:
    """Reads a file that `store_passages` wrote.

    Raises:
        KnowledgeError: It cannot be read, is damaged or of an unknown version.
    """
    again = "add the document again, from its original"
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES + 1)
    except OSError as problem:
        raise KnowledgeError(f"it cannot be read: {problem.strerror}", where=str(path), hint=again) from None
    if len(text) > MAX_FILE_BYTES:
        raise KnowledgeError(f"it is larger than {MAX_FILE_BYTES // 1_000_000} MB", where=str(path), hint=again)
    try:
        return Document.model_validate_json(text)
    except ValidationError as problem:
        raise KnowledgeError(why_unread(Document, problem), where=str(path), hint=again) from None
