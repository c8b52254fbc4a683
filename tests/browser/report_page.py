"""A report as its reader sees it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

AXE = Path(__file__).parents[2] / "harness/report/page/node_modules/axe-core/axe.min.js"
PATIENCE_MS = 20_000


@dataclass
class ReportPage:
    """An open report.

    Attributes:
        page: The browser's page.
        said: What it wrote to its console (violations of its policy too), errors that nothing caught, and dialogs.
    """

    page: Page
    said: list[str] = field(default_factory=list)

    @classmethod
    def opened(cls, page: Page, file: Path, fragment: str = "") -> ReportPage:
        here = cls(page)
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda message: here.said.append(message.text))
        page.on("pageerror", lambda error: here.said.append(f"uncaught: {error}"))
        page.on("dialog", lambda dialog: (here.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(f"{file.as_uri()}{fragment}")
        page.locator("main:not([hidden])").wait_for()
        return here

    @property
    def slider(self) -> Locator:
        return self.page.get_by_role("slider")

    @property
    def rows(self) -> Locator:
        """The drawn rows of the list of calls, without its head."""
        return self.page.locator(".rows [role=row]")

    @property
    def position_s(self) -> float:
        return float(self.slider.get_attribute("aria-valuenow") or "nan")

    def until(self, holds: Callable[[float], bool]) -> None:
        """Waits until this holds for the position in seconds."""
        # Only the page's own scripts may watch it from within: its policy refuses any other.
        deadline_s = time.monotonic() + PATIENCE_MS / 1000
        while not holds(self.position_s):
            assert time.monotonic() < deadline_s, f"the position stays at {self.position_s} s"
            self.page.evaluate("new Promise(requestAnimationFrame)")

    def until_at(self, seconds: float) -> None:
        """Waits until the position is there."""
        self.until(lambda at: abs(at - seconds) < 0.06)

    @property
    def zoomed(self) -> float:
        """How many times wider than its place the time line is."""
        return float(self.page.locator(".lanes").evaluate("lanes => lanes.scrollWidth / lanes.clientWidth"))

    def ids(self) -> list[str]:
        """The calls of the drawn rows, from top to bottom."""
        found: list[list[Any]] = self.rows.evaluate_all(
            "rows => rows.map(row => [Number(row.ariaRowIndex), row.querySelector('a').textContent])"
        )
        return [call for _, call in sorted(found)]

    def violations(self) -> list[str]:
        """What axe finds wrong with the page as it is."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[str] = self.page.evaluate(
            "axe.run().then(({violations}) => violations.flatMap("
            "(one) => one.nodes.map((node) => `${one.id}: ${node.html}`)))"
        )
        return found
