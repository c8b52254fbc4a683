"""The reference agents as a caller meets them: a real LiveKit server, their real process, real speech."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio
from livekit import api

from harness.clock import NS_PER_S
from harness.stack.agents.faults import GARBAGE
from harness.stack.agents.hold import WRONG
from harness.stack.agents.trimmed_speech import TrimmedSpeech
from harness.stack.speech.phrases import unknown
from harness.stack.tokens import LiveKitKeys
from harness.utterances.find import load_speech

from .calling import Caller, Process, agents_process, calling

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

GREETING = "Blue Cafe, how can I help?"
AGENTS = """
agents:
  slow:
    {prompt: &said We are open until six., greeting: &hello Hello., brain: fixed, ear: none, reply_delay: 1200ms}
  quiet: {prompt: *said, greeting: "", brain: fixed, ear: none}
  story: {prompt: prompts.md, greeting: *hello, brain: fixed, ear: none}
  never_joins: {prompt: *said, greeting: *hello, brain: fixed, ear: none, faults: [never_joins]}
  joins_late: {prompt: *said, greeting: *hello, brain: fixed, ear: none, faults: [joins_late], joins_late_by: 1.5s}
  mute: {prompt: *said, greeting: *hello, brain: fixed, ear: none, faults: [mute]}
  text_only: {prompt: *said, greeting: *hello, brain: fixed, ear: none, faults: [text_only]}
  voice_only: {prompt: *said, greeting: *hello, brain: fixed, ear: none, faults: [voice_only]}
  no_echo: {prompt: *said, greeting: *hello, brain: fixed, ear: none, faults: [no_echo]}
  garbage_frames: {prompt: *said, greeting: *hello, brain: fixed, ear: none, faults: [garbage_frames]}
  crashes: {prompt: *said, greeting: *hello, brain: fixed, ear: none, faults: [crashes]}
  talks_for_ever: {prompt: *said, greeting: *hello, brain: fixed, ear: none, faults: [talks_for_ever]}
  joins_twice: {prompt: *said, greeting: *hello, brain: fixed, ear: none, faults: [joins_twice]}
  slow_past_one: &one {prompt: *said, greeting: *hello, brain: fixed, ear: none, reply_delay: 400ms, holds: 1}
  wrong_past_one: {<<: *one, past_hold: wrong}
  informed: {prompt: *said, greeting: *hello, ear: none, engine: light, documents: [berths.md]}
"""
SAID = "We are open until six."
SOON_MS = 2000  # an encoder, a packet and a jitter buffer, which grows on a busy machine
STORY = "It began as a bakery by the harbour, long ago. " * 6


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process(livekit_keys: LiveKitKeys, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Process]:
    folder = tmp_path_factory.mktemp("agents")
    (folder / "agents.yaml").write_text(AGENTS)
    (folder / "prompts.md").write_text(STORY)
    (folder / "berths.md").write_text("# Berths\n\nA berth costs 30 euros a night. It must be booked by telephone.\n")
    async with agents_process(
        livekit_keys, folder, agents_file=folder / "agents.yaml", warm=("demo", "light", "truth", "story", "slow")
    ) as running:
        yield running


def fixture(name: str) -> TrimmedSpeech:
    found = load_speech(name, base_dir=Path.cwd())
    return TrimmedSpeech(found.pcm, found.voiced_start, found.voiced_end)


async def greeted(caller: Caller) -> int:
    """Waits until the greeting is over; the time then (ns)."""
    await caller.until_spoken(0, silence_s=0.4)
    return caller.clock.now_ns()


async def test_greeting_spoken_turn_and_typed_turn(process: Process) -> None:
    async with calling(process, "demo") as caller:
        await greeted(caller)
        assert caller.texts("agent_text") == [GREETING]
        ended_ns = await caller.say(fixture("when-do-you-open"))
        onset_ns = await caller.until_spoken(ended_ns)
        typed_ns = await caller.type("  Do you have parking?  ")
        typed_onset_ns = await caller.until_spoken(typed_ns)
    assert (onset_ns - ended_ns) / NS_PER_S > 0.5  # how slowly a busy machine understands speech is its own matter
    assert typed_ns < typed_onset_ns
    transcript, echo = caller.texts("user_text")
    assert "open" in transcript.lower()
    assert echo == "Do you have parking?"
    _, hours, parking = caller.texts("agent_text")
    assert "nine" in hours
    assert "arking" in parking
    assert not caller.junk

    await process.logged(caller.room_name, "left")
    log = process.truth(caller.room_name)
    events = [line["event"] for line in log]
    assert events[:3] == ["published", "joined", "caller_joined"]
    assert events[-1] == "left"
    greeting, spoken, typed = (line for line in log if line["event"] == "push_start")
    assert (greeting["what"], greeting["text"], spoken["what"]) == ("greeting", GREETING, "reply")
    [end] = [line for line in log if line["event"] == "caller_voiced_end"]
    way_up_ms = (end["at_ns"] - ended_ns) / 1e6
    way_down_ms = (onset_ns - spoken["at_ns"]) / 1e6
    assert abs(way_up_ms) < SOON_MS  # below zero where we were late to note that we had sent it
    assert 0 < way_down_ms < SOON_MS
    assert 0 < (typed_onset_ns - typed["at_ns"]) / 1e6 < SOON_MS
    [heard] = [line for line in log if line["event"] == "heard"]
    assert heard["text"] == transcript


async def test_overrides_of_the_session(process: Process) -> None:
    prompt = "You are a ferry office. The ferry to the island leaves at a quarter past eight."
    async with calling(process, "demo", greeting="Ferry office, hello.", system_prompt=prompt) as caller:
        await greeted(caller)
        at_ns = await caller.type("When does the ferry leave?")
        await caller.until_spoken(at_ns)
        assert caller.texts("agent_text")[0] == "Ferry office, hello."
        assert "quarter past eight" in caller.texts("agent_text")[1]


async def test_an_empty_greeting_is_none_and_a_new_text_replaces_what_is_said(process: Process) -> None:
    async with calling(process, "quiet") as caller:
        await caller.until(lambda: caller.heard_to_ns)
        await caller.type_until_voiced("First?")  # with no greeting to wait for, the agent may not be able to read yet
        second_ns = await caller.type("Second?")
        await caller.until_spoken(second_ns)
        assert set(caller.texts("agent_text")) == {SAID}
        assert caller.texts("user_text")[-2:] == ["First?", "Second?"]
        stopped = (await process.logged(caller.room_name, "stopped"))[-1]
        starts = [line["at_ns"] for line in process.truth(caller.room_name) if line["event"] == "push_start"]
        assert starts[-2] < stopped["at_ns"] <= starts[-1]
        assert stopped["why"] == "new_turn"


async def test_never_sooner_than_its_delay(process: Process) -> None:
    async with calling(process, "slow") as caller:
        await greeted(caller)
        ended_ns = await caller.say(fixture("do-you-have-parking"))
        onset_ns = await caller.until_spoken(ended_ns)
        assert (onset_ns - ended_ns) / NS_PER_S > 1.2
        log = process.truth(caller.room_name)
        [due] = [line["due_ns"] for line in log if line["event"] == "decided"]
        [end] = [line["at_ns"] for line in log if line["event"] == "caller_voiced_end"]
        start = [line["at_ns"] for line in log if line["event"] == "push_start"][-1]
        assert due == end + 1_200_000_000
        assert start >= due


@pytest.mark.parametrize("kind", ["spoken", "typed"])
async def test_truth_answers_exactly(process: Process, kind: str) -> None:
    async with calling(process, "truth") as caller:
        await greeted(caller)
        ways_up, ways_down = [], []
        for name in ("when-do-you-open", "hello", "mm-hmm"):
            sent_ns = await (caller.say(fixture(name)) if kind == "spoken" else caller.type(name))
            onset_ns = await caller.until_spoken(sent_ns, silence_s=0.3)
            log = process.truth(caller.room_name)
            start = [line["at_ns"] for line in log if line["event"] == "push_start"][-1]
            decided = [line for line in log if line["event"] == "decided"][-1]
            assert decided["delay_ms"] in (300, 800, 1500)
            assert 0 <= start - decided["due_ns"] < 25_000, "to the sample"
            ways_down.append((onset_ns - start) / 1e6)
            if kind == "spoken":
                end = [line for line in log if line["event"] == "caller_voiced_end"][-1]
                assert decided["due_ns"] == end["at_ns"] + decided["delay_ms"] * 1_000_000
                ways_up.append((end["at_ns"] - sent_ns) / 1e6)
        assert all(0 < way < SOON_MS for way in ways_down), ways_down
        assert all(abs(way) < SOON_MS for way in ways_up), ways_up


async def test_a_sentence_stops_it_and_is_answered(process: Process) -> None:
    async with calling(process, "story") as caller:
        await greeted(caller)
        at_ns = await caller.type("Tell me.")
        await caller.until_heard(await caller.until(lambda: caller.voiced_after(at_ns)) + NS_PER_S)
        line = fixture("one-more-thing")
        speaking = asyncio.create_task(caller.say(line))
        [stopped] = await process.logged(caller.room_name, "stopped")
        await speaking
        onset_ns = next(one["at_ns"] for one in caller.pushed if one["event"] == "push_start")
        assert stopped["why"] == "barge_in"
        assert 0.4 < (stopped["at_ns"] - onset_ns) / NS_PER_S < 0.95
        await process.logged(caller.room_name, "push_start", count=3)


@pytest.mark.parametrize("name", ["mm-hmm", "cough"])
async def test_a_short_sound_does_not_stop_it(process: Process, name: str) -> None:
    async with calling(process, "story") as caller:
        await greeted(caller)
        at_ns = await caller.type("Tell me.")
        await caller.until_heard(await caller.until(lambda: caller.voiced_after(at_ns)) + NS_PER_S)
        ended_ns = await caller.say(fixture(name))
        await caller.until_heard(ended_ns + round(2.5 * NS_PER_S))
        assert caller.silent_for_s() < 1
        log = process.truth(caller.room_name)
        assert not [line for line in log if line["event"] == "stopped"]
        assert len([line for line in log if line["event"] == "decided"]) == 1


async def test_never_joins(process: Process) -> None:
    async with calling(process, "never_joins") as caller:
        await process.over(caller.room_name)
        assert not caller.agents
    assert [line["event"] for line in process.truth(caller.room_name)] == ["fault"]


async def test_joins_late(process: Process) -> None:
    began_ns = Caller(process, "").clock.now_ns()
    async with calling(process, "joins_late") as caller:
        await greeted(caller)
        [joined] = await process.logged(caller.room_name, "joined")
        assert 1.5 < (joined["t"] - began_ns) / NS_PER_S < 4


@pytest.mark.parametrize(
    ("fault", "voice", "texts", "junk"),
    [
        ("mute", False, ([], []), 0),
        ("text_only", False, (["Hello.", SAID], ["Open?"]), 0),
        ("voice_only", True, ([], []), 0),
        ("no_echo", True, (["Hello.", SAID], []), 0),
        ("garbage_frames", True, (["Hello.", SAID], ["Open?"]), 3 * len(GARBAGE)),
    ],
)
async def test_what_is_missing_or_broken_is_so(
    process: Process, fault: str, voice: bool, texts: tuple[list[str], list[str]], junk: int
) -> None:
    agent_texts, user_texts = texts
    async with calling(process, fault) as caller:
        if voice:
            await greeted(caller)
        else:
            await caller.until(lambda: caller.heard_to_ns and (not agent_texts or caller.texts("agent_text")))
        at_ns = await caller.type("Open?")
        if voice:
            await caller.until_spoken(at_ns, silence_s=0.4)
        else:
            [decided] = await process.logged(caller.room_name, "decided")
            await caller.until_heard(decided["due_ns"] + NS_PER_S)
            assert caller.voiced_after(0) is None
        assert caller.texts("agent_text") == agent_texts
        assert caller.texts("user_text") == user_texts
        assert len(caller.junk) == junk
        [logged] = await process.logged(caller.room_name, "fault")
        assert logged["name"] == fault


async def test_crashes_in_its_second_reply(process: Process) -> None:
    async with calling(process, "crashes") as caller:
        await greeted(caller)
        await caller.until_spoken(await caller.type("Open?"))
        at_ns = await caller.type("And on Sunday?")
        await caller.until(lambda: caller.voiced_after(at_ns))
        async with asyncio.timeout(5):
            await caller.agent_left.wait()
        events = [line["event"] for line in process.truth(caller.room_name)]
        assert events.count("push_start") == 3
        assert events.count("push_end") == 2


async def test_talks_for_ever_and_nothing_stops_it(process: Process) -> None:
    async with calling(process, "talks_for_ever") as caller:
        await greeted(caller)
        at_ns = await caller.type("Open?")
        onset_ns = await caller.until(lambda: caller.voiced_after(at_ns))
        await caller.until_heard(onset_ns + 2 * NS_PER_S)
        ended_ns = await caller.say(fixture("please-stop"))
        await caller.until_heard(ended_ns + 3 * NS_PER_S)
        voiced = [at for at in caller.voiced_ns if at >= onset_ns]
        gaps = [later - sooner for sooner, later in itertools.pairwise(voiced)]
        assert max(gaps) / NS_PER_S < 0.6
        assert caller.silent_for_s() < 0.6


async def test_joins_twice(process: Process) -> None:
    async with calling(process, "joins_twice") as caller:
        await greeted(caller)
        await caller.until(lambda: len(caller.agents) == 2)
        assert len(set(caller.agents)) == 2


@pytest.mark.parametrize(
    ("agent", "delays_ms", "replies"),
    [
        ("slow_past_one", [400, 1200, 400], [SAID] * 3),
        ("wrong_past_one", [400, 400, 400], [SAID, WRONG, SAID]),
    ],
)
async def test_past_what_it_holds(process: Process, agent: str, delays_ms: list[int], replies: list[str]) -> None:
    """One call, a second beside it, and the first alone again."""
    async with calling(process, agent) as first:
        await greeted(first)
        await first.until_spoken(await first.type("Open?"), silence_s=0.4)
        async with calling(process, agent) as second:
            await greeted(second)
            await first.until_spoken(await first.type("Open?"), silence_s=0.4)
        await process.logged(second.room_name, "left")
        await first.until_spoken(await first.type("Open?"), silence_s=0.4)
        assert first.texts("agent_text") == ["Hello.", *replies]
        decided = await process.logged(first.room_name, "decided", count=3)
    assert [line["delay_ms"] for line in decided] == delays_ms
    assert ["past_hold" in line for line in decided] == [False, True, False]


async def test_it_leaves_with_the_caller_and_nothing_stays(process: Process) -> None:
    async with calling(process, "light") as caller:
        await greeted(caller)
        room = caller.room_name
    [left] = await process.logged(room, "left")
    assert (caller.clock.now_ns() - left["t"]) / NS_PER_S < 5
    async with api.LiveKitAPI(
        process.keys.url.replace("ws", "http", 1), process.keys.api_key, process.keys.api_secret.reveal()
    ) as service:
        rooms = await service.room.list_rooms(api.ListRoomsRequest(names=[room]))
        people: list[Any] = []
        if rooms.rooms:
            people = list((await service.room.list_participants(api.ListParticipantsRequest(room=room))).participants)
    assert not people


async def test_a_room_that_fails_ends_no_other(process: Process) -> None:
    async with calling(process, "light") as caller:
        await process.join("light", "a-room-that-nobody-made")
        await process.join("nobody", caller.room_name)
        await greeted(caller)
        await caller.until_spoken(await caller.type("Still there?"))
    assert process.child.pid
    assert process.keys.api_secret.reveal() not in process.log_tail.last()


async def test_ten_calls_at_once(process: Process) -> None:
    # By the agents' own log: so many callers in one process may be too slow to hear a whole greeting.
    async def one() -> list[dict[str, Any]]:
        async with calling(process, "truth") as caller:
            await process.logged(caller.room_name, "push_end")
            await caller.type("Now?")
            await process.logged(caller.room_name, "push_end", count=2)
            return process.truth(caller.room_name)

    for log in await asyncio.gather(*(one() for _ in range(10))):
        greeting, reply = (line for line in log if line["event"] == "push_start")
        [decided] = [line for line in log if line["event"] == "decided"]
        assert greeting["at_ns"] < decided["due_ns"] <= reply["at_ns"]


async def test_interrupt_is_left_to_the_parent_and_the_end_of_input_ends_it(
    livekit_keys: LiveKitKeys, tmp_path: Path
) -> None:
    async with agents_process(livekit_keys, tmp_path) as process, calling(process, "truth") as caller:
        os.kill(process.child.pid, signal.SIGINT)
        await greeted(caller)
        began_ns = caller.clock.now_ns()
        await process.child.stop(grace_s=10)
        assert await process.child.wait() == 0
        assert (caller.clock.now_ns() - began_ns) / NS_PER_S < 5
        async with asyncio.timeout(5):
            await caller.agent_left.wait()
        assert process.truth(caller.room_name)[-1]["event"] == "left"


async def test_when_the_speech_worker_falls_the_process_ends_and_says_why(
    livekit_keys: LiveKitKeys, tmp_path: Path
) -> None:
    async with agents_process(livekit_keys, tmp_path, warm=("demo",)) as process, calling(process, "demo") as caller:
        await greeted(caller)
        [worker] = [
            child
            for child in psutil.Process(process.child.pid).children()
            if "harness.stack.speech.worker" in child.cmdline()
        ]
        worker.kill()
        await caller.type("Where can I leave a bicycle?")  # no set phrase, which may have been spoken and kept before
        async with asyncio.timeout(15):
            assert await process.child.wait() == 3
        assert "speech worker ended unexpectedly" in process.log_tail.last()


async def test_a_mistake_in_the_file_is_answered(livekit_keys: LiveKitKeys, tmp_path: Path) -> None:
    path = tmp_path / "agents.yaml"
    path.write_text("agents: {x: {promt: a, greeting: b}}\n")
    with pytest.raises(AssertionError, match="did you mean 'prompt'"):
        async with agents_process(livekit_keys, tmp_path, agents_file=path):
            pass


async def test_a_typed_question_is_answered_from_a_document_or_not_known(process: Process) -> None:
    async with calling(process, "informed") as caller:
        await greeted(caller)
        from_document_ns = await caller.type("How much is a berth for one night?")
        await caller.until_spoken(from_document_ns)
        unknown_ns = await caller.type("Do you sell bicycles?")
        await caller.until_spoken(unknown_ns)
        _, berth, bicycles = caller.texts("agent_text")
    assert berth == "A berth costs 30 euros a night."
    assert bicycles == unknown("en")
    await process.logged(caller.room_name, "left")
    log = process.truth(caller.room_name)
    [knowledge] = [line for line in log if line["event"] == "knowledge"]
    assert (knowledge["document"], knowledge["place"]) == ("berths.md", "line 3, Berths")
    assert 0.5 < knowledge["score"] < 1.5
    events = [line["event"] for line in log if line["event"] in ("data_in", "knowledge", "decided")]
    assert events == ["data_in", "knowledge", "decided", "data_in", "decided"]
