"""One embedded stack with its pages for all tests in Chromium, and a Chromium for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

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


@pytest.fixture
def open_page(stack: Stack, tmp_path: Path) -> OpenPage:
    """Opens the page for an agent. Without a WAV the caller is silent; `allow=False` refuses the microphone."""

    @asynccontextmanager
    async def opened(
        agent: str, *, microphone: Path | None = None, allow: bool = True, options: tuple[str, ...] = (), **context: Any
    ) -> AsyncIterator[CallPage]:
        wav = microphone or write_microphone(tmp_path / "silence.wav", [1.0])
        async with chromium(wav, *options) as browser:
            place = await browser.new_context(permissions=["microphone"] if allow else [], **context)
            await place.add_init_script(LISTENER)
            yield await CallPage.opened(await place.new_page(), stack, agent)

    return opened
