"""What people script against in Python: no more and no less, and importing it patches nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import harness
import harness.testing

SURFACE = {
    "METRICS",
    "CallResult",
    "HarnessError",
    "RecordedRun",
    "Summary",
    "TurnResult",
    "__version__",
    "make_run",
    "read_run",
    "read_timeline",
    "rebuild",
}
RUN = Path(__file__).parent / "recorded" / "talk-light"


def test_the_public_names_are_these() -> None:
    assert set(harness.__all__) == SURFACE
    assert all(getattr(harness, name) is not None for name in SURFACE)
    with pytest.raises(AttributeError, match="has no attribute 'Call'"):
        _ = harness.Call


def test_what_is_for_tests_is_these() -> None:
    doubles = {"FakeClock", "FakeSessionService", "ReceivedRequest", "ScriptedAnswer"}
    answers = {"cut_short", "dripping", "endless", "fake_token", "good_session", "hanging", "redirect", "refusal"}
    calls = {"Scenario", "VoiceCall", "VoiceExpectation", "VoiceFailure", "VoiceGreeting", "VoiceResult", "VoiceTurn"}
    outcomes = {"CallOutcome", "FellShort", "Unfit", "Unreachable"}
    assert set(harness.testing.__all__) == doubles | answers | calls | outcomes
    assert all(hasattr(harness.testing, name) for name in harness.testing.__all__)


def test_what_tests_assert_on_keeps_its_names() -> None:
    def names(of: type) -> set[str]:
        return {name for name in dir(of) if not name.startswith("_")}

    about = {"agent", "call", "folder", "passed", "reasons", "recording", "report", "scenario", "verdict"}
    assert names(harness.testing.VoiceResult) == about | {"expectations", "failures", "greeting", "turns"}
    numbers = {"dead_air_ms", "echo_ms", "reply_text_ms", "stop_ms", "talk_over_ms", "transcript_ms", "ttfa_ms", "wer"}
    texts = {"fit", "interrupted", "kind", "number", "reply", "text", "transcript"}
    assert names(harness.testing.VoiceTurn) == numbers | texts
    assert names(harness.testing.VoiceGreeting) == {"fit", "reply", "ttfa_ms"}
    assert names(harness.testing.VoiceFailure) == {"hint", "kind", "turn", "what"}
    assert names(harness.testing.VoiceExpectation) == {"expect", "limit", "outcome", "place", "turn", "value", "why"}


def test_a_run_is_read_by_its_path_as_a_text() -> None:
    run = harness.read_run(str(RUN))
    assert [call.ok for call in run.calls] == [True, True]
    assert run.settings.engine == "light"
    events = harness.read_timeline(RUN / "timelines" / f"{run.calls[0].call}.jsonl")
    assert events[0].event == "call.started"


@pytest.mark.parametrize(
    ("code", "patched"), [("import harness; harness.read_run", False), ("import harness.locust", True)]
)
def test_only_the_locust_module_patches_the_process(code: str, patched: bool) -> None:
    asked = f"{code}\nimport sys\nprint('gevent' in sys.modules, 'livekit' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    assert told[0] == str(patched)
    assert told[1] == "False"


def test_the_old_name_of_the_locust_user_is_the_same_class() -> None:
    code = (
        "from harness.locust import VoiceCallUser as new\nfrom harness.load.locust_user import VoiceCallUser as old\n"
        "assert new is old"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
