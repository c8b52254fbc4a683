"""A recorded run with something of everything: what the reports must be able to show."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from harness.record.reason import InWords
from harness.record.recorded_run import RecordedRun
from harness.record.result import (
    CallResult,
    ExpectationResult,
    FailureSeen,
    GreetingResult,
    OwnLateness,
    ToolCallSeen,
    TurnResult,
    WaitResult,
)
from harness.record.settings import RunSettings
from harness.record.summary import (
    CallCounts,
    ExpectationCounts,
    MetricSummary,
    PassRateResult,
    RateSummary,
    Reason,
    Summary,
    ThresholdResult,
)
from harness.record.unfit import Unfit

HOSTILE = (
    "<script>alert('agent')</script></script><img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} "
    '\u202egnp.exe\u202c \x1b[31mred\x00 & "quoted" ]]> \ud800'
)
RATE_HZ = 48_000


def sample_run(folder: Path) -> RecordedRun:
    """Eight calls of three scenarios, most of them with something wrong; two recordings are written to `folder`."""
    calls = [
        good_call("0001"),
        hostile_call("0002"),
        no_reply_call("0003"),
        no_session_call("0004"),
        lost_call("0005"),
        barge_in_call("0006"),
        cut_call("0007"),
        bug_call("0008"),
    ]
    write_recording(folder, calls[0])
    write_recording(folder, calls[1])
    made = summary(calls)
    made.pass_rates = pass_rates()
    return RecordedRun(folder=folder, settings=settings(), calls=calls, summary=made)


def many_calls(folder: Path, count: int) -> RecordedRun:
    """`count` calls, a third of them failed, none recorded."""
    makers = (good_call, good_call, no_reply_call)
    calls = []
    for number in range(1, count + 1):
        call = makers[number % 3](f"{number:05d}")
        call.recording = None
        calls.append(call)
    return RecordedRun(folder=folder, settings=settings(), calls=calls, summary=summary(calls))


def settings(**changes: Any) -> RunSettings:
    told = {
        "run": "2026-11-24-101500-opening-hours",
        "started": "2026-11-24T10:15:00.120Z",
        "command": ["voice-harness", "run", "scenarios/opening-hours.yaml", "--threshold", "turn.ttfa: p(95)<1500ms"],
        "target": "staging",
        "agent": "cafe",
        "engine": "sdk",
        "seed": 4711,
        "calls": 4,
        "repeat": 2,
        "rate_per_min": None,
        "total": 8,
        "record": "all",
        "thresholds": [{"metric": "turn.ttfa", "limit": "p(95)<1500ms", "where": "--threshold"}],
        "scenarios": {"opening-hours": {}, "smoke": {}, "barge-in": {}},
        "harness_version": "0.1.0",
        "python": "3.11.9",
        "platform": "Linux-6.1-x86_64",
        "packages": {"livekit": "1.2.1", "numpy": "2.4.6"},
        "machine": {"cpu": "Example CPU", "cores": 2, "memory_gb": 24.1},
    }
    return RunSettings.model_validate(told | changes)


def bare_settings(**changes: Any) -> RunSettings:
    return RunSettings.model_validate(
        {"run": "", "started": "", "target": "", "thresholds": [], "scenarios": {}} | changes
    )


def summary(calls: list[CallResult]) -> Summary:
    failures = Counter(seen.kind for call in calls for seen in call.failures)
    failed = sum(call.ok is False for call in calls)
    cut = sum(call.cut for call in calls)
    total = len(calls) - cut
    return Summary(
        verdict="infrastructure",
        exit_code=3,
        reasons=[
            Reason(code=3, what=InWords("session.unauthorized"), count=1),
            Reason(code=3, what=InWords("room.lost"), count=1),
            Reason(code=1, what=InWords("turn.ttfa was p(95) 2140 ms, the limit is <1500ms")),
            Reason(code=1, what=InWords("an expectation failed: reply contains_any"), count=3, pattern="flicker"),
        ],
        target="staging (https://voice.example/api/agents/agent-session/)",
        calls=CallCounts(total=total, ok=total - failed, failed=failed, dropped=2, cut=cut),
        metrics={
            "session.create": MetricSummary(
                count=7, min=81.2, mean=99.7, p50=95.1, p90=140.0, p95=None, p99=None, max=171.4
            ),
            "turn.ttfa": MetricSummary(
                count=124, min=612.0, mean=1180.0, p50=1103.4, p90=1702.0, p95=2140.0, p99=2893.0, max=3120.5
            ),
            "turn.ttfa{kind:barge_in}": MetricSummary(
                count=2, min=800.0, mean=900.0, p50=900.0, p90=None, p95=None, p99=None, max=1000.0
            ),
            "turn.wer": MetricSummary(count=20, min=0.0, mean=0.041, p50=0.0, p90=0.125, p95=0.2, p99=None, max=0.4286),
            "harness.lag": MetricSummary(count=300, min=0.1, mean=0.6, p50=0.4, p90=1.1, p95=2.2, p99=6.15, max=9.0),
            "calls.failed": RateSummary(count=total, failed=failed, rate=failed / total),
            "turns.unfit": RateSummary(count=124, failed=1, rate=1 / 124),
        },
        thresholds=[
            ThresholdResult(
                metric="turn.ttfa", limit="p(95)<1500ms", value=2140.0, samples=124, ok=False, why="2,140 ms is over"
            ),
            ThresholdResult(metric="turn.wer", limit="med<=0.1", value=0.0, samples=20, ok=True),
            ThresholdResult(
                metric="bargein.stop", limit="max<1s", value=None, samples=0, ok=None, why="no fit sample was left"
            ),
        ],
        expectations={
            "ttfa": ExpectationCounts(held=9, failed=1, undecided=1),
            "contains_any": ExpectationCounts(held=3, failed=1),
        },
        failures=dict(failures),
    )


def pass_rates() -> list[PassRateResult]:
    """One that was missed, one that held, one undecided, and one that the scenario says nothing of."""
    return [
        PassRateResult(
            scenario="opening-hours",
            limit="rate 0.9 with confidence 0.95",
            passed=29,
            decided=30,
            needed=29,
            low=0.8333,
            high=0.9941,
            bound=0.8514,
            ok=False,
            pattern="flicker",
            place="opening-hours.yaml:2:1",
        ),
        PassRateResult(
            scenario="opening-hours",
            step=0,
            expect="ttfa",
            of="turn 1 ttfa",
            limit="9/10",
            passed=9,
            decided=10,
            needed=10,
            low=0.5958,
            high=0.9821,
            ok=True,
            pattern="flicker",
            place="opening-hours.yaml:8:40",
        ),
        PassRateResult(
            scenario="smoke",
            step=1,
            of="turn 2",
            limit="9/10",
            passed=7,
            decided=7,
            undecided=3,
            needed=10,
            low=0.6457,
            high=1.0,
            why="only 7 of the 10 calls that it needs were decided",
        ),
        PassRateResult(
            scenario="barge-in",
            step=2,
            expect="stops_within",
            of="turn 3 stops_within",
            passed=0,
            decided=2,
            low=0.0,
            high=0.6576,
            pattern="failure",
        ),
    ]


def good_call(call: str) -> CallResult:
    return CallResult(
        call=call,
        scenario="opening-hours",
        tags=["smoke", "cafe"],
        target="staging",
        agent="cafe",
        room=f"room-{call}",
        started="2026-11-24T10:15:00.500Z",
        duration_ms=29_840.0,
        ok=True,
        session_create_ms=95.1,
        room_connect_ms=141.9,
        agent_join_ms=322.6,
        agents=1,
        stray_speech=1,
        greeting=GreetingResult(
            ttfa_ms=911.2,
            onset_ms=873.4,
            end_ms=2870.0,
            reply="Blue Cafe, how can I help?",
            expectations=[held("within", "<5s", 911.2, "opening-hours.yaml:5:12")],
        ),
        turns=[
            TurnResult(
                turn=1,
                kind="say",
                text="When do you open on Saturday?",
                fixture="when-do-you-open",
                started_ms=4370.0,
                ended_ms=10_900.0,
                caller_start_ms=4412.0,
                caller_end_ms=6188.0,
                agent_onset_ms=7291.4,
                agent_stop_ms=9400.0,
                ttfa_ms=1103.4,
                ttfa_ear_ms=1171.0,
                transcript_ms=640.2,
                transcript="When do you open on Saturday?",
                reply_text_ms=902.0,
                reply="We open at nine on Saturdays.",
                wer=0.0,
                wer_pair=("when do you open on saturday", "when do you open on saturday"),
                expectations=[
                    held("ttfa", "<2s", 1103.4, "opening-hours.yaml:8:40"),
                    held("contains_any", 'nine, "9"', None, "opening-hours.yaml:8:22"),
                    held("wer", "<=0.3", 0.0, "opening-hours.yaml:8:52"),
                ],
            ),
            TurnResult(
                turn=2,
                kind="type",
                text="Do you have parking?",
                started_ms=10_900.0,
                ended_ms=14_600.0,
                caller_start_ms=10_902.0,
                caller_end_ms=10_902.0,
                agent_onset_ms=11_714.0,
                agent_stop_ms=16_200.0,
                ttfa_ms=812.0,
                ttfa_ear_ms=866.0,
                echo_ms=9.4,
                reply_text_ms=205.0,
                reply="There is parking behind the cafe, in Mill Lane.",
                tool_calls=[
                    ToolCallSeen(
                        name="find_parking",
                        arguments={"near": "Mill Lane", "spaces": 1},
                        result={"free": 3},
                        ms=84.2,
                        at_ms=11_105.0,
                    )
                ],
                expectations=[
                    held("echo", "<500ms", 9.4, "opening-hours.yaml:10:50"),
                    held("calls_tool", "find_parking", None, "opening-hours.yaml:10:66"),
                ],
            ),
            TurnResult(
                turn=3,
                kind="barge_in",
                text="One more thing: are dogs allowed?",
                started_ms=11_714.0,
                ended_ms=22_400.0,
                caller_start_ms=12_514.0,
                caller_end_ms=14_900.0,
                agent_onset_ms=16_050.0,
                agent_stop_ms=18_900.0,
                ttfa_ms=1150.0,
                transcript_ms=702.0,
                transcript="One more thing, are dogs aloud?",
                reply_text_ms=900.0,
                reply="Dogs are welcome on the terrace.",
                wer=1 / 6,
                wer_pair=("one more thing are dogs allowed", "one more thing are dogs aloud"),
                exercised=True,
                stop_ms=412.0,
                expectations=[held("stops_within", "<1s", 412.0, "opening-hours.yaml:13:20")],
            ),
        ],
        waits=[
            WaitResult(
                after_turn=3,
                started_ms=22_400.0,
                ended_ms=24_400.0,
                expectations=[held("agent_silent", "true", None, "opening-hours.yaml:14:30")],
            )
        ],
        caller_voice=[(4412.0, 5300.0), (5480.0, 6188.0), (12_514.0, 14_900.0)],
        agent_voice=[
            (911.2, 2870.0),
            (7291.4, 8100.0),
            (8300.0, 9400.0),
            (11_714.0, 12_926.0),
            (16_050.0, 18_900.0),
        ],
        own=OwnLateness(lag_ms=[0.3, 1.2], send_late_ms=[0.9, 2.4]),
        notes=["the fixture one-more-thing was resampled from 8 kHz"],
        recording=f"audio/{call}.wav",
    )


def hostile_call(call: str) -> CallResult:
    made = good_call(call)
    made.ok = False
    made.room = f"room-{HOSTILE}"
    made.agents = 2
    made.junk_frames = 3
    made.notes = [HOSTILE]
    turn = made.turns[0]
    turn.transcript = "=cmd|' /C calc'!A0"
    turn.reply = HOSTILE
    turn.wer, turn.wer_pair = 1.0, (HOSTILE, "<b>heard</b>")
    turn.fit = False
    turn.unfit_why = [Unfit(kind="packet_late", figure=132)]
    turn.expectations = [
        ExpectationResult(
            expect="ttfa", limit="<1s", value=1103.4, outcome="undecided", why="the turn is unfit", place="a.yaml:8:40"
        ),
        ExpectationResult(
            expect="contains", limit="<b>nine</b>", outcome="failed", why=f"the reply was {HOSTILE!s}", place="a.yaml:9"
        ),
    ]
    made.turns[1].tool_calls = [
        ToolCallSeen(name=HOSTILE, arguments={HOSTILE: [HOSTILE]}, result=HOSTILE, ok=False, shortened=True)
    ]
    made.turns[1].expectations = [
        ExpectationResult(
            expect="echo",
            limit="<5ms",
            value=9.4,
            outcome="failed",
            why="the echo came after 9.4 ms",
            place="a.yaml:10",
        )
    ]
    return made


def no_reply_call(call: str) -> CallResult:
    made = good_call(call)
    made.ok = False
    made.failure = "agent.no_reply"
    made.failures = [
        FailureSeen(kind="agent.no_reply", what="no voice within 15 s of turn 1", at_ms=21_188.0, turn=1, ended=False)
    ]
    made.turns = made.turns[:1]
    silent = made.turns[0]
    silent.ended_ms = 21_188.0
    silent.agent_onset_ms = silent.agent_stop_ms = silent.ttfa_ms = silent.ttfa_ear_ms = silent.reply_text_ms = None
    silent.reply = ""
    silent.expectations = [
        ExpectationResult(expect="ttfa", limit="<2s", outcome="failed", why="there was no reply", place="a.yaml:8:40")
    ]
    made.waits = []
    made.caller_voice = made.caller_voice[:2]
    made.agent_voice = made.agent_voice[:1]
    made.notes = []
    return made


def no_session_call(call: str) -> CallResult:
    return CallResult(
        call=call,
        scenario="smoke",
        target="staging",
        started="2026-11-24T10:15:01Z",
        duration_ms=88.0,
        ok=False,
        failure="session.unauthorized",
        failures=[FailureSeen(kind="session.unauthorized", what="the service answered 401", ended=True)],
        session_create_ms=None,
    )


def lost_call(call: str) -> CallResult:
    made = no_reply_call(call)
    made.scenario = "smoke"
    made.failure = "room.lost"
    made.failures.append(FailureSeen(kind="room.lost", what="the connection was lost", at_ms=21_500.0, ended=True))
    return made


def barge_in_call(call: str) -> CallResult:
    made = good_call(call)
    made.scenario = "barge-in"
    made.ok = False
    late = made.turns[2]
    late.exercised, late.stop_ms = False, None
    late.expectations = [
        ExpectationResult(
            expect="stops_within",
            limit="<1s",
            outcome="failed",
            why="not exercised: the agent was silent",
            place="b.yaml:7",
        )
    ]
    made.turns[0].interrupted, made.turns[0].ttfa_ms = True, None
    made.turns[0].advice = "set a longer end_silence: the old reply went on"
    made.recording = None
    return made


def cut_call(call: str) -> CallResult:
    made = good_call(call)
    made.scenario = "smoke"
    made.ok, made.cut = None, True
    made.turns = made.turns[:2]
    made.turns[1].cut = True
    made.turns[1].expectations = []
    made.waits = []
    made.recording = None
    return made


def bug_call(call: str) -> CallResult:
    made = no_session_call(call)
    made.failure = "harness.bug"
    made.failures = [FailureSeen(kind="harness.bug", what="KeyError in the script", at_ms=50.0, ended=True)]
    return made


def held(expect: str, limit: str, value: float | None, place: str) -> ExpectationResult:
    return ExpectationResult(expect=expect, limit=limit, value=value, outcome="held", place=place)


def write_recording(folder: Path, call: CallResult) -> Path:
    """The call's WAV: stereo at 48 kHz, a low tone where the caller is voiced, a higher one where the agent is."""
    pcm = np.zeros((int(25.0 * RATE_HZ), 2), np.int16)
    for channel, pitch_hz, voice in ((0, 220.0, call.caller_voice), (1, 440.0, call.agent_voice)):
        for start_ms, end_ms in voice:
            first, last = int(start_ms * RATE_HZ / 1000), int(end_ms * RATE_HZ / 1000)
            times_s = np.arange(last - first) / RATE_HZ
            pcm[first:last, channel] = (6000 * np.sin(2 * np.pi * pitch_hz * times_s)).astype(np.int16)
    path = folder / str(call.recording)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, pcm, RATE_HZ, subtype="PCM_16")
    return path
