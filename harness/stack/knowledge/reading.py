"""A document from a file or from bytes: its kind is detected by content, and a child process reads it; cached."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

from harness.cache import user_cache_dir
from harness.errors import KnowledgeError, StackError
from harness.process.lines import error_in, line_of, message_in
from harness.secret import without_keys
from harness.stack.knowledge.kinds import kind_of
from harness.stack.knowledge.passages import SUFFIX, Document, Kind, load_passages, store_passages

MAX_BYTES = 20_000_000
READ_TIMEOUT_S = 60.0
KEPT_DOCUMENTS = 200  # in the cache, the last ones that were used
FORM = 1  # raise it when documents are split into passages in another way
_NAME_CHARS = 200
_SMALLER = "give a smaller document, or split it"


def read_document(name: str, data: bytes) -> Document:
    """Reads a document; blocks for up to `READ_TIMEOUT_S`, so call it in a thread.

    It leaves nothing on the disk; `store_passages` does.

    Args:
        name: Its file name; only its suffix has a meaning. A path is shortened to its last part.
        data: Its content.

    Raises:
        KnowledgeError: It is empty, too large, not what its name says, encrypted, broken, or has no text.
        ConfigError: The extra `stack` is missing.
        StackError: The process that reads could not be started.
    """
    name = _file_name(name)
    if not data.strip():
        raise KnowledgeError("it is empty", where=name, hint="give a document with text")
    if len(data) > MAX_BYTES:
        raise KnowledgeError(
            f"it has {len(data) / 1e6:.1f} MB, more than {MAX_BYTES // 1_000_000} MB", where=name, hint=_SMALLER
        )
    return _read(name, kind_of(name, data), data)


def read_file(path: Path) -> Document:
    """Reads the document at `path`: one of any kind, or one that `store_passages` wrote. Blocks as `read_document`.

    The passages of a document that was read before come from the user's cache, by its content.

    Raises:
        KnowledgeError: As `read_document`, or the file cannot be read; `where` is the path.
        ConfigError: As `read_document`.
        StackError: As `read_document`.
    """
    if path.name.endswith(SUFFIX):
        return load_passages(path)
    try:
        if not path.is_file():
            what = "it is no file" if path.exists() else "there is no such file"
            raise KnowledgeError(what, where=str(path), hint="give the path of a document")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as problem:
        raise KnowledgeError(
            f"it cannot be read: {problem.strerror}", where=str(path), hint="allow reading it, or give another path"
        ) from None
    if len(data) > MAX_BYTES:
        raise KnowledgeError(f"it is larger than {MAX_BYTES // 1_000_000} MB", where=str(path), hint=_SMALLER)
    try:
        return _kept_or_read(path.name, data)
    except KnowledgeError as problem:
        raise KnowledgeError(problem.what, where=str(path), hint=problem.hint) from None


def _kept_or_read(name: str, data: bytes) -> Document:
    folder = user_cache_dir() / "knowledge"
    # The suffix counts too: it decides what a text is, and whether it is refused
    kept = folder / f"{hashlib.sha256(data).hexdigest()}{Path(name).suffix.lower()}-{FORM}{SUFFIX}"
    with contextlib.suppress(KnowledgeError, OSError):  # there is none, or it is damaged: read the document
        document = load_passages(kept)
        os.utime(kept)
        return document.model_copy(update={"name": _file_name(name)})
    document = read_document(name, data)
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        store_passages(document, kept)
        newest = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for old in newest[KEPT_DOCUMENTS:]:
            old.unlink(missing_ok=True)
    return document


def _read(name: str, kind: Kind, data: bytes) -> Document:
    order = line_of({"name": name, "kind": kind}).encode()
    command = [sys.executable, "-m", "harness.stack.knowledge.reader"]
    try:
        done = subprocess.run(
            command,
            input=order + data,
            capture_output=True,
            timeout=READ_TIMEOUT_S,
            env=without_keys(os.environ),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise KnowledgeError(
            f"reading it takes longer than {READ_TIMEOUT_S:.0f} s", where=name, hint=_SMALLER
        ) from None
    except OSError as problem:
        raise StackError(f"the process that reads documents did not start: {problem}") from None
    message = message_in(done.stdout)
    if message is None:
        ended = "needs more time or memory than a document may" if done.returncode < 0 else "failed"
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise KnowledgeError(f"reading it {ended}" + (f": {last}" if last else ""), where=name, hint=_SMALLER)
    if "error" in message:
        raise error_in(message)
    return Document.model_validate_json(
        json.dumps({"name": name, "kind": kind, "sha256": hashlib.sha256(data).hexdigest(), **message})
    )


def _file_name(name: str) -> str:
    """The last part of a path, without control characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(character for character in last if unicodedata.category(character)[0] != "C").strip()
    return plain[-_NAME_CHARS:] or "document"
