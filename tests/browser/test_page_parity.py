"""The call page and the harness call the same agent: both see the same messages, and hear its voice at its time."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.call_page import Stack, until
from tests.browser.chromium import write_microphone
from tests.browser.conftest import KEY, ROOT, OpenPage

pytestmark = pytest.mark.live

QUESTION = ROOT / "audio_fixtures" / "when-do-you-open.wav"
# Of the WAV, as its manifest says.
VOICED_MS = 1440.0
TYPED = "Is parking free?"
SCENARIO = f"""
name: parity
greeting: {{within: 20s}}
turns:
  - say: when-do-you-open
  - type: {TYPED}
"""
log = logging.getLogger(__name__)
WITHIN_S = 240


@dataclass(frozen=True)
class Seen:
    """One side's call: its messages, those by the agent's log, its TTFA of the spoken turn, and the agent's own."""

    messages: list[tuple[str, str]]
    true_messages: list[tuple[str, str]]
    ttfa_ms: float
    true_ms: float

    @property
    def beyond_ms(self) -> float:
        """How much later than it left the agent the voice was heard, measured from the end of the caller's voice."""
        return self.ttfa_ms - self.true_ms


def true_messages(truth: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Role and text of what a person should see, by what the agent received and sent."""
    shown, unechoed = [], []
    for line in truth:
        if line["event"] == "data_in":
            unechoed.append(line["text"])
            shown.append(("user", line["text"]))
        elif line["event"] == "data_out" and line["type"] == "user_text" and line["text"] in unechoed:
            unechoed.remove(line["text"])
        elif line["event"] == "data_out":
            shown.append(("user" if line["type"] == "user_text" else "agent", line["text"]))
    return shown


def true_ttfa_ms(truth: list[dict[str, Any]]) -> float:
    """From the voiced end of the caller as the agent heard it to the agent's first voiced sample."""
    [heard] = [line for line in truth if line["event"] == "caller_voiced_end"]
    replies = [line for line in truth if line["event"] == "push_start" and line["what"] == "reply"]
    return float(replies[0]["at_ns"] - heard["at_ns"]) / 1e6


async def by_the_page(open_page: OpenPage, stack: Stack, agent: str, folder: Path) -> Seen:
    spoken = write_microphone(folder / "caller.wav", [12.0, QUESTION, 1.0])
    async with open_page(agent, microphone=spoken) as here:
        room = await here.start()
        said = here.page.locator("li[data-role=agent]")
        await expect(said).to_have_count(2)
        ttfa_ms = await here.until_answered(VOICED_MS)
        await here.send(TYPED)
        await expect(said).to_have_count(3)
        messages = await here.messages()
        # What the agent has sent may be on the page before it is in the agent's log.
        await until(lambda: len(true_messages(stack.truth(room))) >= len(messages) or None)
        truth = stack.truth(room)
        return Seen(messages, true_messages(truth), ttfa_ms, true_ttfa_ms(truth))


async def by_the_harness(stack: Stack, agent: str, folder: Path) -> Seen:
    script = folder / "parity.yaml"
    script.write_text(SCENARIO)
    words = ["run", str(script), "--target", stack.session_url, "--agent", agent, "--out", str(folder / "run")]
    words += ["--engine", "light", "--retry-unfit", "2"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "harness",
        *words,
        cwd=ROOT,
        env={**os.environ, "VOICE_HARNESS_API_KEY": KEY},
    )
    async with asyncio.timeout(WITHIN_S):
        await process.wait()
    call = [json.loads(line) for line in (folder / "run" / "calls.jsonl").read_text().splitlines()][-1]
    assert call["ok"], call["failure"]
    timeline = (folder / "run" / "timelines" / f"{call['call']}.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in timeline]
    messages = [shown for shown in map(as_shown, events) if shown is not None]
    truth = stack.truth(call["room"])
    return Seen(messages, true_messages(truth), call["turns"][0]["ttfa_ms"], true_ttfa_ms(truth))


def as_shown(event: dict[str, Any]) -> tuple[str, str] | None:
    """Role and text of what a person would see of this event."""
    if event["event"] == "caller.typed":
        return "user", event["text"]
    if event["event"] != "text" or event["role"] == "echo":
        return None
    return "user" if event["role"] == "transcript" else "agent", event["text"]


# `cafe` recognises words and answers from its prompt; `steady` writes down no words, but knows exactly when the
# caller's voice ended. Both have the greeting and a reply to each question.
@pytest.mark.parametrize(
    ("agent", "roles"), [("cafe", "agent user agent user agent"), ("steady", "agent agent user agent")]
)
async def test_the_page_and_the_harness_see_the_same_call(
    open_page: OpenPage, stack: Stack, tmp_path: Path, agent: str, roles: str
) -> None:
    page, harness = await asyncio.gather(
        by_the_page(open_page, stack, agent, tmp_path), by_the_harness(stack, agent, tmp_path)
    )
    for side, seen in (("page", page), ("harness", harness)):
        log.info("%s: TTFA %.0f ms, by the agent %.0f ms: %+.0f", side, seen.ttfa_ms, seen.true_ms, seen.beyond_ms)
        assert seen.messages == seen.true_messages, side
        assert [role for role, _ in seen.messages] == roles.split(), side
    # The recogniser may hear the spoken question otherwise in the other call; what was typed and answered is the same.
    spoken = 1 if agent == "cafe" else None
    assert without(page.messages, spoken) == without(harness.messages, spoken)
    # The page plays the voice after its jitter buffer, the harness counts from the packet. Nobody hears it before it
    # was spoken.
    assert page.beyond_ms > 0


def without(messages: list[tuple[str, str]], left_out: int | None) -> list[tuple[str, str]]:
    return [message for number, message in enumerate(messages) if number != left_out]
