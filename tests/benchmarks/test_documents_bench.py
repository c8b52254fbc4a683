"""Documents of 200 pages: how long until they can be asked, and how long a question takes, in CPU time, which is that
on a core of its own.

Limits: 10 s for reading and indexing, 20 ms for a question (median). Figures go to `reports/bench/latest.json` under
"documents".
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from latest import record
from rich.console import Console
from rich.table import Table

from harness.cache import CACHE_ENV
from harness.stack.knowledge import read_document
from harness.stack.knowledge.index import Index, Preparer
from harness.stack.speech.meaning import Meaning
from tests.stack.knowledge.asked import HELD_OUT_ASKED, TUNED_ASKED
from tests.stack.knowledge.pdf import pdf_of
from tests.stack.knowledge.shelf import HELD_OUT, TUNED_ON, documents

PAGES = 200
LINES = 38  # of a page, about 420 words
INDEX_LIMIT_S, ASK_LIMIT_MS = 10.0, 20.0


def cpu_s() -> float:
    """The CPU time of this process and the children that it has waited for: what it takes on a core of its own."""
    told = os.times()
    return told.user + told.system + told.children_user + told.children_system


def pages(seed: int) -> list[list[str]]:
    """Pages of sentences whose words come from the documents of the tests, and of words that are made up."""
    random = Random(seed)
    texts = " ".join(
        passage.text for folder in (TUNED_ON, HELD_OUT) for one in documents(folder) for passage in one.passages
    )
    known = [word for word in texts.split() if word.isascii() and word.isalpha()]
    made_up = ["".join(random.choice(("ka", "to", "mir", "el", "dun", "sa")) for _ in range(3)) for _ in range(3000)]

    def line() -> str:
        words = [random.choice(known if random.random() < 0.8 else made_up) for _ in range(11)]
        return " ".join(words).capitalize() + random.choice((".", ".", ""))

    return [[f"Chapter {number + 1}", "", *(line() for _ in range(LINES))] for number in range(PAGES)]


def as_pdf(content: list[list[str]]) -> tuple[str, bytes]:
    return "long.pdf", pdf_of(content)


def as_markdown(content: list[list[str]]) -> tuple[str, bytes]:
    return "long.md", "\n\n".join("\n".join([f"## {page[0]}", *page[1:]]) for page in content).encode()


@pytest.mark.parametrize("make", [as_pdf, as_markdown])
def test_two_hundred_pages(
    make: Callable[[list[list[str]]], tuple[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_ENV, str(tmp_path))
    name, data = make(pages(seed=7))
    preparer = Preparer(Meaning())
    Index.of(documents(HELD_OUT), preparer)  # the libraries are loaded
    began = cpu_s()
    document = read_document(name, data)
    read_s = cpu_s() - began
    index = Index.of([document], preparer)
    indexed_s = cpu_s() - began
    asked_ms = []
    for question, *_ in [*TUNED_ASKED, *HELD_OUT_ASKED]:
        began_ns = time.thread_time_ns()
        index.search(question)
        asked_ms.append((time.thread_time_ns() - began_ns) / 1e6)
    figures = {
        "passages": len(document.passages),
        "read_s": round(read_s, 2),
        "read_and_indexed_s": round(indexed_s, 2),
        "asked_median_ms": round(statistics.median(asked_ms), 1),
        "asked_p95_ms": round(sorted(asked_ms)[len(asked_ms) * 95 // 100], 1),
    }
    table = Table(title=f"{PAGES} pages, {name}")
    for column in figures:
        table.add_column(column, justify="right")
    table.add_row(*map(str, figures.values()))
    Console(width=110).print(table)
    record("documents", {name: figures})
    assert indexed_s < INDEX_LIMIT_S
    assert statistics.median(asked_ms) < ASK_LIMIT_MS
