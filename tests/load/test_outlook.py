"""What a load may come to is told before anybody is called: sessions, and the longest time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.caller.prepare import Prepared, prepare
from harness.load.order import LoadPlan
from harness.load.outlook import Outlook, outlook
from harness.load.plan import LoadOptions, plan_load
from harness.scenario.load import load_scenario
from harness.target.target import Target

SCENARIO = """\
name: {name}
timeouts: {{session: 1s, connect: 1s, agent_join: 1s, greeting: 1s, reply: 4s, end_silence: 1s, call: 2m}}
turns:
  - type: Hello.
  - wait: 2s
  - type: And?
"""
LONGEST_S, SHORTEST_S = 4 + 2 + 2 * 5, 2 + 2 * 1.0


async def _scenarios(folder: Path, count: int = 1) -> list[Prepared]:
    loaded = []
    for number in range(count):
        path = folder / f"{number}.yaml"
        path.write_text(SCENARIO.format(name=f"s{number}"))
        loaded.append(load_scenario(path))
    return await prepare(loaded, Target("t", "embedded"), agent="a", say=print, speak=False)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"calls": 3, "repeat": 2}, Outlook(6, 6, 2 * LONGEST_S)),
        ({"rate_per_min": 120, "duration_s": 60}, Outlook(120, 120, 60 + 30)),
        ({"burst": "5,10"}, Outlook(15, 15, 2 * LONGEST_S)),
        ({"calls": 3, "repeat": 2, "session_rate_per_min": 12}, Outlook(6, 6, 2 * LONGEST_S + 30)),
        # 10 calls for 64 s are 640 seconds of calls, of 16 s each at the longest and 4 s at the shortest
        ({"calls": 10, "duration_s": 64, "stop_timeout_s": 5}, Outlook(40, 170, 69)),
        # a ramp to 10 and one back are half of that
        ({"stages": "32s:10,32s:0", "stop_timeout_s": 5}, Outlook(20, 90, 69)),
        ({"calls": 10, "duration_s": 64, "session_rate_per_min": 60}, Outlook(40, 64, 94)),
        # looped for a minute, a call can end neither before nor much later
        ({"calls": 10, "duration_s": 600, "call_duration_s": 60}, Outlook(49, 110, 630)),
    ],
)
async def test_sessions_and_longest_time(tmp_path: Path, options: dict[str, Any], expected: Outlook) -> None:
    options = dict(options)
    rest = {name: options.pop(name, None) for name in ("call_duration_s", "session_rate_per_min")}
    plan: LoadPlan = plan_load(LoadOptions(**options), engine="light")
    assert LONGEST_S == 16
    assert SHORTEST_S == 4
    seen = outlook(
        plan,
        await _scenarios(tmp_path),
        **rest,
    )
    assert seen == expected


async def test_each_slot_follows_every_scenario(tmp_path: Path) -> None:
    plan = plan_load(LoadOptions(calls=2, repeat=3), engine="light")
    assert outlook(plan, await _scenarios(tmp_path, 2)) == Outlook(12, 12, 3 * 2 * LONGEST_S)
