from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import KnowledgeError
from harness.stack.knowledge.index import Preparer
from harness.stack.knowledge.library import Library

pytestmark = pytest.mark.usefixtures("cache")


def test_agents_with_the_same_documents_share_an_index_and_a_changed_file_gets_another(
    tmp_path: Path, preparer: Preparer
) -> None:
    library = Library(preparer.embedder)
    path, copy = tmp_path / "hours.txt", tmp_path / "more" / "hours.txt"
    copy.parent.mkdir()
    for each in (path, copy):
        each.write_text("The office opens at nine.")
    first = library.index([path])
    assert library.index([path]) is first
    assert library.index([copy]) is first
    path.write_text("The office opens at half past ten.")
    found = library.search("When does the office open?", [path])
    assert found is not None
    assert found.answer == "The office opens at half past ten."
    assert library.index([copy]) is first
    path.unlink()
    with pytest.raises(KnowledgeError, match="there is no such file"):
        library.index([path])
