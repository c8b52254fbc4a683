"""The stack's own page in real Chromium: two calls of a run, one of which is watched and listened to."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from harness.build_pages import CALL_PAGE
from harness.secret import Secret
from tests.browser.call_page import PATIENCE_MS, Stack, soon, violations, width_beyond, written
from tests.browser.chromium import LISTENER, chromium, write_microphone
from tests.browser.conftest import KEY, ROOT
from tests.stack.web.opened import opened

SCENARIO = """
name: listened
greeting: {within: 20s}
timeouts: {call: 10m}
turns:
  - type: Is anybody there?
  - say: when-do-you-open
  - wait: 8m # until the test has seen everything
"""
AGENT = "overheard"
FIXED = "We are open from nine to six."
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 860}
PASSWORD = Secret("the-password-of-this-test")


@asynccontextmanager
async def a_page(folder: Path) -> AsyncIterator[Page]:
    async with chromium(write_microphone(folder / "silence.wav", [1.0])) as browser:
        page = await (await browser.new_context(viewport=DESK)).new_page()
        page.set_default_timeout(PATIENCE_MS)
        await page.add_init_script(LISTENER)
        yield page


@asynccontextmanager
async def two_calls(stack: Stack, folder: Path) -> AsyncIterator[Path]:
    """Starts a run of two calls at once, and ends it by Ctrl-C once both have made their turns; its folder."""
    (folder / "listened.yaml").write_text(SCENARIO)
    run = stack.runs / "listened"
    command = [sys.executable, "-m", "harness", "run", str(folder / "listened.yaml"), "--engine", "light", "-q"]
    command += ["--target", stack.session_url, "--agent", AGENT, "--calls", "2", "--out", str(run)]
    env = {**os.environ, "VOICE_HARNESS_API_KEY": KEY}
    with (folder / "run.log").open("wb") as log:
        calling = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=env, stdout=log, stderr=log)
        yield run
        # Both have answered all turns then.
        for timeline in (run / "timelines").iterdir():
            await written(timeline, '"wait.started"')
        calling.send_signal(signal.SIGINT)
        await asyncio.wait_for(calling.wait(), PATIENCE_MS / 1000)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def room_of(timeline: list[dict[str, Any]]) -> str:
    return str(next(event["room"] for event in timeline if event["event"] == "session.created"))


@pytest.mark.live
async def test_a_call_is_watched_and_heard_and_is_as_if_nobody_listened(stack: Stack, tmp_path: Path) -> None:
    received: list[str] = []
    async with a_page(tmp_path) as page:
        page.on("websocket", lambda one: one.on("framereceived", lambda frame: received.append(str(frame))))
        page.on("pageerror", lambda error: received.append(f"uncaught: {error}"))
        await page.goto(stack.web_url)
        # The other tests' calls are listed too.
        rows = page.locator("a.sp-row").filter(has_text=AGENT)
        await expect(page.get_by_text("Connected", exact=True)).to_be_visible()
        assert await rows.count() == 0
        assert await violations(page) == []
        async with two_calls(stack, tmp_path) as run:
            await expect(rows).to_have_count(2)
            # By keyboard alone.
            await rows.first.focus()
            await page.keyboard.press("Enter")
            await page.get_by_role("button", name="Listen in").focus()
            await page.keyboard.press("Space")
            await expect(page.get_by_text("You are listening.")).to_be_visible()
            await expect(page.get_by_role("button", name="Stop listening")).to_be_focused()
            await expect(page.get_by_text(f"agent-{AGENT}", exact=True)).to_be_visible()
            await soon(page, "() => window.voices.length > 0 || null")
            await expect(page.locator("li[data-kind=agent]").filter(has_text=FIXED).first).to_be_visible()
            await expect(page.locator("li[data-kind=user]").filter(has_text="Is anybody there?")).to_be_visible()
            room = str(await page.locator("dd").filter(has_text="call-").text_content())
            for scheme in ("dark", "light"):
                await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                assert await violations(page) == []
            await page.set_viewport_size(PHONE)
            assert (await width_beyond(page), await violations(page)) == (0, [])
            await page.set_viewport_size(DESK)

            await page.get_by_text("listened", exact=True).click()
            await page.get_by_role("link", name="0001-listened").click()
            await expect(page.get_by_text("Turn 1, types: Is anybody there?")).to_be_visible()
            # Listening in has ended with the call's view; it begins anew.
            await page.go_back()
            await page.go_back()
            await page.get_by_role("button", name="Listen in").click()
            await expect(page.get_by_text("You are listening.")).to_be_visible()
        await expect(page.get_by_text("Listening has ended.")).to_be_visible()
        await expect(page.locator("audio")).to_have_count(0)
        await page.get_by_role("link", name="0001-listened").or_(page.get_by_text("listened", exact=True)).first.click()
        await page.get_by_role("link", name="0001-listened").click()
        await expect(page.get_by_text("Call ended")).to_be_visible()
        await page.set_viewport_size(PHONE)
        assert (await width_beyond(page), await violations(page)) == (0, [])
        kept = await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
        assert KEY not in kept + await page.content() + "".join(received)
        assert not [line for line in received if line.startswith("uncaught")]

    results = {result["room"]: result for result in lines(run / "calls.jsonl")}
    assert len(results) == 2
    assert room in results
    seen = [
        (
            result["ok"],
            result["failures"],
            result["agents"],
            [turn["reply"] for turn in result["turns"]],
            [result[count] for count in ("junk_frames", "other_texts", "stray_texts", "handovers")],
        )
        for result in results.values()
    ]
    assert seen[0] == seen[1]
    assert seen[0][:3] == (None, [], 1)
    assert [FIXED in reply for reply in seen[0][3]] == [True, True]
    for timeline in map(lines, (run / "timelines").iterdir()):
        assert {event["identity"] for event in timeline if event["event"] == "participant"} == {f"agent-{AGENT}"}
        of_agent = [line["event"] for line in stack.truth(room_of(timeline))]
        assert (of_agent.count("caller_joined"), of_agent[-1]) == (1, "left")


async def test_the_password_opens_the_page_in_a_browser(tmp_path: Path) -> None:
    async with opened(CALL_PAGE.built, password=PASSWORD) as served, a_page(tmp_path) as page:
        await page.goto(f"{served.url}/stack")
        assert await violations(page) == []
        await page.get_by_label("Password").fill("a guess")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("That is not the password.")).to_be_visible()
        await page.set_viewport_size(PHONE)
        await page.emulate_media(color_scheme="dark")
        assert (await width_beyond(page), await violations(page)) == (0, [])
        await page.get_by_label("Password").fill(PASSWORD.reveal())
        await page.get_by_role("button", name="Open the page").click()
        await expect(page.get_by_text("Connected", exact=True)).to_be_visible()
        await expect(page.get_by_text("No call yet.")).to_be_visible()
        assert await page.evaluate("document.cookie") == ""
