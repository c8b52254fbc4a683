"""The indexes of the agents' documents, shared by all agents that have the same ones."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from harness.stack.knowledge.index import Embedder, Index, Preparer
from harness.stack.knowledge.passages import Document, Found
from harness.stack.knowledge.reading import read_file

KEPT_INDEXES = 32

_Version = tuple[int, int, int]  # inode, size in bytes, time of the last change in ns


class Library:
    """Reads and indexes documents when they are first asked for, and again once their files have changed.

    A content is prepared once, however many agents have it and under whatever path.

    Args:
        embedder: The embeddings of sentences.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._preparer = Preparer(embedder)
        self._documents: dict[Path, tuple[_Version, Document]] = {}
        self._indexes: OrderedDict[tuple[tuple[str, str], ...], Index] = OrderedDict()

    def index(self, paths: Sequence[Path]) -> Index:
        """The index of the documents at `paths`.

        Raises:
            KnowledgeError: One of them cannot be read; names it.
            ConfigError: The extra `stack` is missing.
            StackError: The process that reads documents could not be started.
        """
        documents = [self._document(path) for path in paths]
        key = tuple((document.name, document.sha256) for document in documents)
        if key not in self._indexes:
            self._indexes[key] = Index.of(documents, self._preparer)
            if len(self._indexes) > KEPT_INDEXES:
                self._indexes.popitem(last=False)
        self._indexes.move_to_end(key)
        return self._indexes[key]

    def search(self, said: str, paths: Sequence[Path]) -> Found | None:
        """The passage of the documents that answers what a caller said; None if there is none. Raises as `index`."""
        return self.index(paths).search(said)

    def _document(self, path: Path) -> Document:
        version = _version(path)
        known = self._documents.get(path)
        if known is not None and version is not None and known[0] == version:
            return known[1]
        document = read_file(path)
        if version is not None:
            self._documents[path] = version, document
        return document


def _version(path: Path) -> _Version | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
