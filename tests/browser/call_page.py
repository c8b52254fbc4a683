"""The call page as its user sees it, and the stack that serves it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from playwright.async_api import Locator, Page, Request, expect

T = TypeVar("T")
PATIENCE_MS = 60_000
ROUTE = "/api/voice-agent/session"
AXE = Path(__file__).parents[2] / "harness/stack/page/node_modules/axe-core/axe.min.js"
expect.set_options(timeout=PATIENCE_MS)


async def until(look: Callable[[], T | None]) -> T:
    """Waits until `look` finds something in a file that another process writes."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        # Another process's file has no event to wait for.
        while (found := look()) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found


async def written(path: Path, text: str) -> None:
    """Waits until another process has written that text to the file."""
    await until(lambda: text in path.read_text(encoding="utf-8") or None)


@dataclass(frozen=True)
class Stack:
    """A running `stack up --backend --web --runs`."""

    session_url: str
    page_url: str
    web_url: str
    truth_file: Path
    runs: Path

    def truth(self, room: str) -> list[dict[str, Any]]:
        """What the agent of this room wrote down."""
        lines = [json.loads(line) for line in self.truth_file.read_text().splitlines()]
        return [line for line in lines if line["room"] == room]

    async def logged(self, room: str, event: str) -> dict[str, Any]:
        """The first such event of the room, once the agent has written it."""
        return await until(lambda: next((line for line in self.truth(room) if line["event"] == event), None))


@dataclass
class CallPage:
    """An open page.

    Attributes:
        page: The browser's page.
        requests: Requests to the backend route so far.
        said: What the page wrote to its console, and errors that nothing caught.
    """

    page: Page
    requests: list[Request] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @classmethod
    async def opened(cls, page: Page, stack: Stack, agent: str) -> CallPage:
        here = cls(page)
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", lambda request: here.requests.append(request) if ROUTE in request.url else None)
        page.on("console", lambda message: here.said.append(message.text))
        page.on("pageerror", lambda error: here.said.append(f"uncaught: {error}"))
        await page.goto(f"{stack.page_url}?agent={agent}")
        return here

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    @property
    def state(self) -> Locator:
        return self.page.get_by_role("status")

    async def start(self) -> str:
        """Starts a call and waits until it is live; returns the room's name."""
        async with self.page.expect_response(f"**{ROUTE}") as answering:
            await self.button("Start call").click()
        answer = await answering.value
        data = (await answer.json())["data"]
        await expect(self.state).to_have_text("Live")
        return str(data["room_name"])

    async def send(self, text: str) -> None:
        await self.box.fill(text)
        await self.box.press("Enter")

    def message(self, role: str, text: str) -> Locator:
        """The messages of that role and exactly that text."""
        words = self.page.get_by_text(text, exact=True)
        return self.page.locator(f"li[data-role={role}]").filter(has=words)

    async def messages(self) -> list[tuple[str, str]]:
        """Role and text of each message, in order."""
        found: list[list[str]] = await self.page.locator("li[data-role]").evaluate_all(
            "items => items.map(item => [item.dataset.role, item.querySelector('.va-text').textContent])"
        )
        return [(role, text) for role, text in found]

    async def until_heard(self) -> None:
        """Waits until the agent's voice comes out of the page's audio element."""
        await soon(self.page, "() => window.voices.some((voice) => voice.who === 'agent') || null")

    async def until_answered(self, asked_ms: float) -> float:
        """Waits until the agent answers the caller's first words, `asked_ms` long; returns its delay in ms."""
        found = await soon(
            self.page,
            """(asked) => {
              const caller = window.voices.find((voice) => voice.who === 'caller');
              const end = caller === undefined ? Infinity : caller.at_ms + asked;
              const answer = window.voices.find((voice) => voice.who === 'agent' && voice.at_ms > end);
              return answer === undefined ? null : answer.at_ms - end;
            }""",
            asked_ms,
        )
        return float(found)

    async def violations(self) -> list[str]:
        """What axe finds wrong with the page as it is."""
        return await violations(self.page)


async def soon(page: Page, look: str, given: Any = None) -> Any:
    """Waits until `look` gives a value (`wait_for_function` evaluates texts, which the CSP may refuse)."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        return await page.evaluate(
            f"""(given) => new Promise((resolve) => {{
              const look = {look};
              const again = () => {{
                const found = look(given);
                if (found === null) requestAnimationFrame(again); else resolve(found);
              }};
              again();
            }})""",
            given,
        )


async def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page as it is."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = await page.evaluate(
        "axe.run().then(({violations}) => violations.flatMap("
        "(one) => one.nodes.map((node) => `${one.id}: ${node.html}`)))"
    )
    return found


async def width_beyond(page: Page) -> int:
    """Pixels of a page that are beyond the window's width."""
    found: int = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return max(0, found)
