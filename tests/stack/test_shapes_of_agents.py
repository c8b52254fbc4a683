"""The shapes of `tests/live/shapes.yaml` as a caller on LiveKit's SDK sees them: they are what they say."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from livekit import rtc

from harness.stack.embedded import EmbeddedStack
from tests.stack.watching import FRAME_MS, Watcher, session, watching

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

SHAPES = Path(__file__).parents[1] / "live" / "shapes.yaml"
AGENT, STANDARD, SIP, EGRESS = (
    rtc.ParticipantKind.PARTICIPANT_KIND_AGENT,
    rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
    rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
    rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS,
)
VOICE = "agent-voice"


@pytest.fixture(scope="module")
def truth_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shapes") / "truth.jsonl"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(truth_file: Path) -> AsyncIterator[EmbeddedStack]:
    async with await EmbeddedStack.start(
        say=print, agents_file=SHAPES, truth_log=truth_file, warm=["plain"]
    ) as running:
        yield running


def truth(path: Path, watcher: Watcher) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if line["room"] == watcher.session["room_name"]]


@pytest.mark.parametrize(
    ("agent", "kind", "first"),
    [
        ("agent_first", AGENT, True),
        ("standard_first", STANDARD, True),
        ("standard_sdk_first", STANDARD, True),
        ("standard_second", STANDARD, False),
        ("standard_sdk_second", STANDARD, False),
        ("sip", SIP, None),
    ],
)
async def test_an_agent_is_of_its_kind_and_comes_when_it_should(
    stack: EmbeddedStack, truth_file: Path, agent: str, kind: int, first: bool | None
) -> None:
    async with watching(stack, agent) as watcher:
        identity = f"agent-{agent}"
        await watcher.until_spoken()
        assert watcher.kinds == {identity: kind}
        if first is not None:
            assert (watcher.at_first == [identity]) is first
        [spoken] = await watcher.spoken_turn()
        assert (spoken.identity, spoken.name) == (identity, VOICE)
    pushed = [line for line in truth(truth_file, watcher) if line["event"] == "push_start"]
    assert [line["what"] for line in pushed] == ["greeting", "reply"]


@pytest.mark.parametrize(("agent", "before"), [("background_before", True), ("background_after", False)])
async def test_a_background_track_comes_before_the_voice_or_after(
    stack: EmbeddedStack, truth_file: Path, agent: str, before: bool
) -> None:
    async with watching(stack, agent) as watcher:
        await watcher.until_spoken()
        [spoken] = await watcher.spoken_turn()
        assert spoken.name == VOICE
        participant = watcher.room.remote_participants[spoken.identity]
        sources = {one.name: one.source for one in participant.track_publications.values()}
        assert sources == {
            "background_audio": rtc.TrackSource.SOURCE_UNKNOWN,
            VOICE: rtc.TrackSource.SOURCE_MICROPHONE,
        }
    # The server does not tell a caller in which order they came.
    published = [line["track"] for line in truth(truth_file, watcher) if line["event"] == "published"]
    assert published == (["background_audio", VOICE] if before else [VOICE, "background_audio"])


@pytest.mark.parametrize("how", ["overlap", "gap"])
async def test_the_voice_moves_to_a_new_track(stack: EmbeddedStack, truth_file: Path, how: str) -> None:
    async with watching(stack, f"republish_{how}") as watcher:
        await watcher.until_spoken()
        [first] = await watcher.spoken_turn()
        await watcher.until(lambda: f"-track {VOICE}" in watcher.seen and f"+track {VOICE}-2" in watcher.seen)
        [second] = await watcher.spoken_turn()
        assert (first.name, second.name) == (VOICE, f"{VOICE}-2")
        came, gone = watcher.seen.index(f"+track {VOICE}-2"), watcher.seen.index(f"-track {VOICE}")
        assert (came < gone) is (how == "overlap")
    replies = [line for line in truth(truth_file, watcher) if line["event"] == "push_start"][1:]
    decided = [line for line in truth(truth_file, watcher) if line["event"] == "decided"]
    for reply, due in zip(replies, decided, strict=True):
        assert reply["at_ns"] >= due["due_ns"]


async def test_a_muted_track_is_heard_again_when_the_agent_speaks(stack: EmbeddedStack) -> None:
    async with watching(stack, "muted") as watcher:
        await watcher.until_spoken()
        await watcher.until(lambda: f"muted {VOICE}" in watcher.seen)
        await watcher.spoken_turn()
        await watcher.until(lambda: watcher.seen.count(f"muted {VOICE}") == 2)
        assert f"unmuted {VOICE}" in watcher.seen


async def test_a_late_track_comes_after_the_agent(stack: EmbeddedStack) -> None:
    async with watching(stack, "late_track") as watcher:
        assert watcher.at_first == ["agent-late_track"]
        assert not watcher.tracks
        await watcher.until_spoken()


@pytest.mark.parametrize(
    ("agent", "at_first"),
    [("avatar_first", ["avatar", "agent"]), ("avatar_second", ["agent", "avatar"]), ("avatar_joins", [])],
)
async def test_an_avatar_speaks_for_its_agent(stack: EmbeddedStack, agent: str, at_first: list[str]) -> None:
    async with watching(stack, agent) as watcher:
        await watcher.until_spoken()
        [spoken] = await watcher.spoken_turn()
        assert spoken.identity == f"avatar-{agent}"
        assert watcher.attributes[spoken.identity] == {"lk.publish_on_behalf": f"agent-{agent}"}
        # Texts have no sender until the SDK has told of their sender, which may be after the last of them.
        assert {sender for sender, _ in watcher.texts} <= {"", f"agent-{agent}"}
        assert {track.identity for track in watcher.tracks.values()} == {spoken.identity}
        assert sorted(watcher.at_first) == sorted(f"{role}-{agent}" for role in at_first)
        assert set(watcher.kinds.values()) == {AGENT}


async def test_who_is_beside_the_agent(stack: EmbeddedStack) -> None:
    async with watching(stack, "observer_sends") as watcher:
        assert watcher.kinds["beside-observer"] == AGENT
        await watcher.until_spoken()
        await watcher.spoken_turn()
        assert ("beside-observer", "Noted.") in watcher.texts
    async with watching(stack, "recorder") as watcher:
        assert watcher.kinds["beside-recorder"] == EGRESS
        await watcher.until_spoken()


@pytest.mark.parametrize("then", ["leaves", "goes_silent"])
async def test_hold_music_ends_when_the_agent_comes(stack: EmbeddedStack, then: str) -> None:
    async with watching(stack, f"music_{then}") as watcher:
        assert watcher.at_first == ["beside-music"]
        assert watcher.kinds["beside-music"] == STANDARD
        if then == "leaves":
            await watcher.until(lambda: "-beside-music" in watcher.seen)
        await watcher.until(lambda: any(track.name == VOICE and track.voiced_ns for track in watcher.tracks.values()))
        await watcher.until_spoken(watcher.clock.now_ns())  # the greeting's rest
        assert [track.name for track in await watcher.spoken_turn()] == [VOICE]


@pytest.mark.parametrize("overlap", [True, False])
async def test_a_second_agent_answers_after_the_hand_over(
    stack: EmbeddedStack, truth_file: Path, overlap: bool
) -> None:
    agent = "hands_over_overlap" if overlap else "hands_over"
    first, second = f"agent-{agent}", f"agent-{agent}-2"
    async with watching(stack, agent) as watcher:
        await watcher.until_spoken()
        [spoken] = await watcher.spoken_turn()
        assert spoken.identity == first
        await watcher.until(lambda: f"-{first}" in watcher.seen and f"+{second}" in watcher.seen)
        assert (watcher.seen.index(f"+{second}") < watcher.seen.index(f"-{first}")) is overlap
        await watcher.until(lambda: any(track.identity == second for track in watcher.tracks.values()))
        [spoken] = await watcher.answered_turn()
        assert spoken.identity == second
        assert [sender for sender, _ in watcher.texts if sender == second]
    assert len([line for line in truth(truth_file, watcher) if line["event"] == "push_start"]) >= 3


async def test_an_agent_hangs_up_once_it_has_said_its_reply(stack: EmbeddedStack) -> None:
    async with watching(stack, "hangs_up_early") as watcher:
        await watcher.until_spoken()
        [spoken] = await watcher.spoken_turn()
        await watcher.until(lambda: "-agent-hangs_up_early" in watcher.seen)
        assert len(spoken.voiced_ns) * FRAME_MS > 2 * 1000  # the greeting and the reply, 1.1 s each
    async with watching(stack, "hangs_up_room") as watcher:
        await watcher.until_spoken()
        for _ in range(2):
            await watcher.spoken_turn()
        await watcher.until(lambda: "disconnected ROOM_DELETED" in watcher.seen)


@pytest.mark.parametrize("agent", ["crash_vanishes"])
async def test_a_killed_agent_is_told_of_late(stack: EmbeddedStack, truth_file: Path, agent: str) -> None:
    async with watching(stack, agent) as watcher:
        await watcher.until_spoken()
        await watcher.spoken_turn()
        at_ns = await watcher.type()
        gone = f"-agent-{agent}"
        assert gone not in watcher.seen
        await watcher.until(lambda: gone in watcher.seen, patience_s=40)
        assert watcher.clock.now_ns() - at_ns > 5e9
    assert truth(truth_file, watcher)[-1]["event"] == "crashed"


@pytest.mark.parametrize(
    ("agent", "missing"),
    [("no_publish", "can_publish"), ("no_subscribe", "can_subscribe"), ("no_data", "can_publish_data")],
)
async def test_a_right_is_left_out_of_the_callers_token(stack: EmbeddedStack, agent: str, missing: str) -> None:
    rights = ("can_publish", "can_subscribe", "can_publish_data")
    async with watching(stack, agent) as watcher:
        assert {name: watcher.permission(name) for name in rights} == {name: name != missing for name in rights}


async def test_callers_that_share_a_token_throw_each_other_out(stack: EmbeddedStack) -> None:
    async with watching(stack, "shared_token") as one:
        await one.until_spoken()
        async with watching(stack, "shared_token") as other:
            await one.until(lambda: "disconnected DUPLICATE_IDENTITY" in one.seen)
            assert one.session["room_name"] == other.session["room_name"]
            [spoken] = await other.spoken_turn()
            assert spoken.identity == "agent-shared_token"


async def test_signalling_is_cut_and_comes_back(stack: EmbeddedStack) -> None:
    async with watching(stack, "line_cut") as watcher:
        assert watcher.session["livekit_url"] != stack.address.livekit_url
        await watcher.until_spoken()
        await watcher.spoken_turn()
        await watcher.until(lambda: "reconnected" in watcher.seen)
        await watcher.spoken_turn()


async def test_a_line_that_is_lost_for_ever_has_no_media_either(stack: EmbeddedStack) -> None:
    async with watching(stack, "line_lost") as watcher:
        await watcher.until_spoken()
        await watcher.spoken_turn()
        await watcher.until(lambda: "reconnecting" in watcher.seen)
        await session(stack, "plain")  # the server itself is as it was
