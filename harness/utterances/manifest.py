"""The manifest of audio fixtures: `manifest.yaml` beside the WAVs.

fixtures:
  when-do-you-open:
    file: when-do-you-open.wav
    text: When do you open on weekdays?
    language: en
    speaker: piper en_US-joe-medium
    voiced_start_ms: 100
    voiced_end_ms: 1632
    level_dbfs: -23.0
    licence: CC0-1.0
    sha256: 9f86d081…
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from harness.errors import FixtureError, Place
from harness.parsing.fitting import validate_model
from harness.parsing.yaml_places import place_of, read_yaml

MANIFEST_NAME = "manifest.yaml"
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_HEADER = (
    "What is said in each WAV of this folder. Made by `voice-harness fixtures say`, checked by `fixtures check`.\n"
)


def _file_name(value: str) -> str:
    if Path(value).name != value or not value.endswith(".wav"):
        raise ValueError(f"{value!r} must be the name of a .wav file in the manifest's folder, without a path")
    return value


def _language(value: str) -> str:
    if re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]+)*", value) is None:
        raise ValueError(f"{value!r} is not a valid language tag; write for example en or pt-BR")
    return value


def _sha256(value: str) -> str:
    if re.fullmatch(r"[0-9a-f]{64}", value) is None:
        raise ValueError("must be a SHA-256: the 64 lowercase hexadecimal digits that `sha256sum` prints")
    return value


class FixtureEntry(BaseModel):
    """The manifest's entry for one WAV."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    file: Annotated[str, AfterValidator(_file_name)]
    text: str = Field(description="What is said; empty for a sound such as a cough.")
    language: Annotated[str, AfterValidator(_language)]
    speaker: Annotated[str, Field(min_length=1)]
    voiced_start_ms: Annotated[float, Field(ge=0)]
    voiced_end_ms: Annotated[float, Field(gt=0)]
    level_dbfs: Annotated[float, Field(ge=-60, le=0, description="Active level: RMS over the voiced frames.")]
    licence: Annotated[str, Field(min_length=1)]
    sha256: Annotated[str, AfterValidator(_sha256)]

    @model_validator(mode="after")
    def _end_after_start(self) -> FixtureEntry:
        if self.voiced_end_ms <= self.voiced_start_ms:
            raise ValueError("voiced_end_ms must be after voiced_start_ms")
        return self


class _ManifestModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    fixtures: dict[str, FixtureEntry]


@dataclass(frozen=True, slots=True)
class Manifest:
    """A directory's fixtures by name, and the place of each in the file."""

    path: Path
    entries: dict[str, FixtureEntry]
    places: dict[str, Place]

    @property
    def folder(self) -> Path:
        """The directory of its WAVs."""
        return self.path.parent


def is_fixture_name(name: str) -> bool:
    """Whether a name is in kebab-case, such as `one-more-thing`."""
    return _NAME.fullmatch(name) is not None


def load_manifest(folder: Path) -> Manifest:
    """Loads a directory's manifest.

    Raises:
        FixtureError: There is none, or it is invalid; the place names file, line and column.
    """
    path = folder / MANIFEST_NAME
    try:
        content = path.read_bytes()
    except OSError:
        return _read(path)  # which raises with the reason
    return _read_once(path, content)


@functools.lru_cache(maxsize=8)
def _read_once(path: Path, content: bytes) -> Manifest:
    """Caches the manifest by content: every `say` of a scenario needs it, and parsing takes 70 ms."""
    return _read(path)


def _read(path: Path) -> Manifest:
    data = read_yaml(path, error=FixtureError)
    if data is None:
        raise FixtureError("the manifest is empty", where=Place(path), hint="start it with the line `fixtures: {}`")
    model = validate_model(_ManifestModel, data, path=path, error=FixtureError)
    places = {name: place_of(path, data, ("fixtures", name)) for name in model.fixtures}
    for name, place in places.items():
        if not is_fixture_name(name):
            raise FixtureError(
                f"{name!r} is not a valid fixture name", where=place, hint="use lowercase letters, digits and -"
            )
    return Manifest(path, model.fixtures, places)


def put_entry(folder: Path, name: str, entry: FixtureEntry) -> None:
    """Adds or replaces an entry; the rest of the file stays as it is.

    Raises:
        FixtureError: The manifest is invalid, or cannot be written.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    path = folder / MANIFEST_NAME
    try:
        with _alone_in(folder):
            if path.exists():
                load_manifest(folder)
                data: Any = read_yaml(path, error=FixtureError)
            else:
                data = CommentedMap({"fixtures": CommentedMap()})
                data.yaml_set_start_comment(_HEADER)
            data["fixtures"][name] = CommentedMap(entry.model_dump())
            yaml = YAML()
            yaml.width = 4096
            with written_whole(path) as temporary, temporary.open("w", encoding="utf-8") as file:
                yaml.dump(data, file)
    except OSError as problem:
        raise cannot_write(path, problem) from None


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary file that replaces `path` if the block succeeds, and is removed if it does not."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def cannot_write(path: Path, problem: OSError) -> FixtureError:
    """The error for a full disk or a read-only directory."""
    return FixtureError(
        f"cannot be written: {problem.strerror or problem}",
        where=Place(path),
        hint="use another folder with --dir, or free space on the disk",
    )


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Locks the directory, so that two commands add to its manifest one after the other."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
