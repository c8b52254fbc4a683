"""Real rooms with agents that break section 4, each in one way: the rule that each breaks is named."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.call.engines.make import make_engine
from harness.clock import SystemClock
from harness.contract.check import judge
from harness.contract.evidence import Evidence, credentials
from harness.contract.stay import stay
from harness.contract.wire import Wire, as_json
from harness.stack.embedded import EmbeddedStack

pytestmark = pytest.mark.live

TIMEOUTS = {"connect": 10.0, "agent_join": 8.0, "greeting": 4.0, "reply": 5.0}
WRONG = {
    "never_joins": "room.agent",
    "mute": "room.greeting room.echo room.reply",
    "text_only": "room.greeting",
    "voice_only": "room.echo room.reply",
    "no_echo": "room.echo",
    "garbage_frames": "room.reply.form",
    "no_greeting": "room.greeting",
    "expired_token": "token.expires room.joined",
    "wrong_room": "token.room_name room.joined",
}


async def test_the_rule_that_a_wrong_agent_breaks_is_named() -> None:
    clock = SystemClock()
    engine = await make_engine("light", clock)

    async def broken(agent: str) -> str:
        exchange = await wire.send(stack.address.session_url, as_json({"agent": agent}), key=stack.address.api_key)
        evidence = Evidence(agent, clock.utc().timestamp(), {"session": stack.address.session_url})
        evidence.exchanges["session.plain"] = exchange
        granted = credentials("session.plain", exchange)
        assert granted is not None, exchange.came
        evidence.room = await stay(engine, granted, clock, timeouts=TIMEOUTS)
        return " ".join(finding.id for finding in judge(evidence).findings if finding.outcome == "broken")

    async with (
        asyncio.timeout(120),
        await EmbeddedStack.start(
            say=print, agents_file=Path(__file__).parent / "wrong_rooms.yaml", warm=list(WRONG)
        ) as stack,
        Wire(clock, timeout_s=10) as wire,
    ):
        found = dict(zip(WRONG, await asyncio.gather(*map(broken, WRONG)), strict=True))
    assert found == WRONG
