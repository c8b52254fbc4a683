"""Tables of the documentation that are made from the code: `pytest tests/docs --update-golden` writes them anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from harness.timeline.codec import fields_of
from harness.timeline.events import EVENTS, Event
from tests.golden import Golden

DOCS = Path(__file__).parents[2] / "docs"


def with_table(page: Path, name: str, table: str) -> str:
    """The page with that table between its two marks."""
    text = page.read_text(encoding="utf-8")
    marked = re.compile(rf"(<!-- table: {name} -->\n).*?(<!-- end of table -->\n)", re.DOTALL)
    assert marked.search(text), f"{page.name} has no place for the table {name}"
    return marked.sub(lambda marks: f"{marks[1]}{table}{marks[2]}", text)


def event_rows() -> Iterator[str]:
    yield "| event | | fields |"
    yield "|---|---|---|"
    for name, kind in EVENTS.items():
        yield f"| `{name}` | {meaning(kind)} | {', '.join(fields(kind))} |"


def meaning(kind: type[Event]) -> str:
    said = (kind.__doc__ or "").partition("\n")[0].rstrip(".")
    return said[:1].lower() + said[1:]


def fields(kind: type[Event]) -> Iterator[str]:
    for field in fields_of(kind):
        yield f"`{field.name}`" + (f" ({field.note})" if field.note else "") + ("*" if field.left_out else "")


def test_the_table_of_events_is_what_is_written_and_read(golden: Golden) -> None:
    page = DOCS / "run-directory.md"
    golden.check(page, with_table(page, "events", "\n".join(event_rows()) + "\n"))
