"""The prompt that a scenario gives the agent: a text, or the file that contains it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import Place, ScenarioError

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")
FIRST_WORDS = 60  # characters


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt's text and, if it was read from a file, which one."""

    text: str
    file: Path | None = None

    @property
    def sha256(self) -> str:
        """A hash by which to compare the prompts of two runs."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def first_words(self) -> str:
        """Its beginning, on one line."""
        line = " ".join(self.text.split())
        return line if len(line) <= FIRST_WORDS else f"{line[:FIRST_WORDS].rsplit(' ', 1)[0]} …"

    def __str__(self) -> str:
        file = f"{self.file}, " if self.file is not None else ""
        return f"prompt {file}{self.first_words!r} (sha256 {self.sha256[:8]})"


def looks_like_a_path(text: str) -> bool:
    """Whether a prompt is meant as a path: one line without spaces that has a `/` or a suffix."""
    return len(text.split()) == 1 and ("/" in text or _SUFFIX.search(text.strip()) is not None)


def read_prompt(text: str, folder: Path, place: Place) -> Prompt:
    """Reads the prompt, from a file if it names one: relative to the scenario's directory, else the working one.

    Raises:
        ScenarioError: It looks like a path, but there is no readable text file.
    """
    if not looks_like_a_path(text):
        return Prompt(text)
    name = text.strip()
    tried = list(dict.fromkeys((folder / name, Path(name))))
    for file in tried:
        if file.is_file():
            try:
                return Prompt(file.read_text(encoding="utf-8"), file)
            except (OSError, UnicodeDecodeError):
                raise ScenarioError(
                    f"the prompt file {name!r} cannot be read",
                    where=place,
                    hint=f"check that {file} is a UTF-8 text file",
                ) from None
    raise ScenarioError(
        f"the prompt file {name!r} does not exist",
        where=place,
        hint=f"create {tried[0]} or correct the path; to use a one-word prompt, add a space or a line break",
    )
