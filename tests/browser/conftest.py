"""One embedded stack with its pages for all tests in Chromium, and one Chromium for all callers who say nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from harness.build_pages import CALL_PAGE
from tests.browser.call_page import CallPage, Stack
from tests.browser.chromium import LISTENER, chromium, write_microphone

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
KEY = "sk_canary_of_the_browser_tests_0123456789"
OpenPage = Callable[..., AbstractAsyncContextManager[CallPage]]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    assert CALL_PAGE.is_built, "the call page is not built: make page"
    truth = tmp_path_factory.mktemp("truth") / "truth.jsonl"
    runs = tmp_path_factory.mktemp("runs")
    command = [sys.executable, "-m", "harness", "stack", "up", "--backend", "--web", "--runs", str(runs), "--json"]
    command += ["--agents", str(HERE / "agents.yaml"), "--truth", str(truth)]
    env = {**os.environ, "VOICE_HARNESS_API_KEY": KEY}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the stack did not come up; its error is above"
        address = json.loads(line)
        yield Stack(address["session_url"], address["page_url"], address["web_url"], truth, runs)
        process.terminate()
        assert process.wait(timeout=30) == 0


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def silent_browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Callable[[], Awaitable[Browser]]]:
    """Starts the browser of silent callers, once; for tests in the session's event loop."""
    wav = write_microphone(tmp_path_factory.mktemp("microphone") / "silence.wav", [1.0])
    started: list[Browser] = []
    async with AsyncExitStack() as kept:

        async def browser() -> Browser:
            if not started:
                started.append(await kept.enter_async_context(chromium(wav)))
            return started[0]

        yield browser


@pytest.fixture
def open_page(stack: Stack, silent_browser: Callable[[], Awaitable[Browser]], tmp_path: Path) -> OpenPage:
    """Opens the page for an agent. Without a WAV the caller is silent; `allow=False` refuses the microphone.

    With a WAV, what is said is listened to, and the browser is of its own, as it is with options.
    """

    @asynccontextmanager
    async def opened(
        agent: str, *, microphone: Path | None = None, allow: bool = True, options: tuple[str, ...] = (), **context: Any
    ) -> AsyncIterator[CallPage]:
        async with AsyncExitStack() as kept:
            if microphone or options:
                wav = microphone or write_microphone(tmp_path / "silence.wav", [1.0])
                browser = await kept.enter_async_context(chromium(wav, *options))
            else:
                browser = await silent_browser()
            place = await browser.new_context(permissions=["microphone"] if allow else [], **context)
            if microphone:
                await place.add_init_script(LISTENER)
            yield await CallPage.opened(await place.new_page(), stack, agent)
            await place.close()

    return opened
