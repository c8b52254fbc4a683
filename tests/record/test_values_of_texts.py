"""Values that files hold as sentences: each is read back as it was written."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from harness.errors import Place
from harness.record.ran_out import RanOut, RanOutKind
from harness.record.reason import (
    CallsFailed,
    Cause,
    InWords,
    Lost,
    LostByOurselves,
    PassMissed,
    PassOpen,
    StackFell,
    ThresholdOpen,
    UnfitTurns,
)
from harness.record.result import CallResult
from harness.record.self_fault import SelfFaultSeen
from harness.record.settings import ThresholdSettings
from harness.record.summary import Reason
from harness.record.unfit import Unfit

CPU = "the machine's CPU"
LATE = "do not trust this run: 2 of 4 turns were measured late"
KINDS: dict[RanOutKind, tuple[RanOut, str]] = {
    "stolen": (RanOut("stolen", figure=12), "the machine's CPU time"),
    "throttled": (RanOut("throttled", figure=80), "the container's CPU quota"),
    "collection": (
        RanOut("collection", figure=104),
        "our own garbage collection stopped the process",
    ),
    "computing": (
        RanOut("computing", figure=88, detail="3 calls joined"),
        "our own event loop computed for long at a stretch",
    ),
    "measuring": (RanOut("measuring", figure=80), "a finished call was being measured"),
    "saving": (RanOut("saving", figure=90), "a finished call's recording was being saved"),
    "threads": (RanOut("threads", figure=66), "other threads of our own process computed"),
    "disk": (RanOut("disk", figure=97), "a write to disk took long"),
    "memory": (RanOut("memory", figure=1), "the machine's memory"),
    "python": (RanOut("python", figure=97), "our own process"),
    "udp": (RanOut("udp"), "the kernel's receive queue"),
    "busy": (RanOut("busy", figure=100, cores=0.4), CPU),
    "waited": (RanOut("waited", figure=90), CPU),
    "stopped": (RanOut("stopped", figure=110), "nothing that was seen"),
    "unseen": (RanOut("unseen"), "nothing that was seen"),
    "other": (RanOut("other", name="the disk", detail="it was full: 100 %"), "the disk"),
}


@pytest.mark.parametrize("kind", get_args(RanOutKind))
def test_what_ran_out_is_read_as_it_was_written(kind: RanOutKind) -> None:
    value, in_short = KINDS[kind]
    assert RanOut.read(str(value)) == value
    assert value.in_short == in_short


def test_a_sentence_of_another_version_stays_as_it_is() -> None:
    text = "a resource without a second half"
    assert (str(RanOut.read(text)), RanOut.read(text).in_short) == (text, text)


def test_a_call_holds_values_and_its_line_sentences() -> None:
    fault = SelfFaultSeen("heard against time", "96,000 samples a second were heard, of 48,000")
    given = {"call": "0001-x", "scenario": "x", "started": "2030-01-01T00:00:00Z", "ok": True}
    turn = {"turn": 1, "kind": "say", "text": "", "ran_out": RanOut("disk", figure=97)}
    call = CallResult.model_validate({**given, "turns": [turn], "self_faults": [fault]})
    line = call.model_dump_json()
    assert '"ran_out":"a write to disk took 97 ms"' in line
    assert '"self_faults":["heard against time: 96,000 samples a second were heard, of 48,000"]' in line
    assert CallResult.model_validate_json(line) == call


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (StackFell("it ended"), "the embedded stack fell: it ended"),
        (CallsFailed("agent.no_reply"), "agent.no_reply"),
        (
            LostByOurselves((Lost("agent.no_reply", late=True), Lost("harness.bug", late=False))),
            "calls lost by ourselves: agent.no_reply while the harness was late, harness.bug",
        ),
        (
            UnfitTurns(2, 4, doubtful=False, mostly=Unfit(kind="packet_late", figure=120), ran_out=RanOut("udp")),
            f"{LATE} (mostly: a packet left late; what ran out: the kernel's receive queue)",
        ),
        (ThresholdOpen("turn.ttfa", "max<2s", "none came", ours=True), "turn.ttfa max<2s: none came"),
        (ThresholdOpen("turn.ttfa", "max<2s", "none came"), "threshold turn.ttfa max<2s: none came"),
        (PassMissed("x turn 1", "9/10", 7, 10, None), "pass rate of x turn 1: 7 of 10 calls passed; needed: 9/10"),
        (PassOpen("x", "9/10", "only 7 were decided"), "pass rate of x: only 7 were decided; needed: 9/10"),
    ],
)
def test_a_file_holds_the_sentence_of_a_reason_and_it_is_read_as_that(cause: Cause, said: str) -> None:
    reason = Reason(code=4, what=cause, count=2)
    assert reason.model_dump_json() == f'{{"code":4,"what":"{said}","count":2,"pattern":null}}'
    assert Reason.model_validate_json(reason.model_dump_json()).what == InWords(said)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("s.yaml:7:3", Place("s.yaml", 7, 3)),
        ("C:\\scenarios\\s.yaml:7", Place("C:\\scenarios\\s.yaml", 7)),
        ("s.yaml", Place("s.yaml")),
        ("--threshold", "--threshold"),
    ],
)
def test_where_a_threshold_is_from_is_a_place_or_an_option(text: str, where: Place | str) -> None:
    entry = ThresholdSettings.model_validate({"metric": "turn.ttfa", "limit": "max<2s", "where": text})
    assert entry.where == where
    if isinstance(entry.where, Place) and isinstance(where, Place):
        assert (entry.where.path, entry.where.line, entry.where.column) == (where.path, where.line, where.column)
    assert ThresholdSettings.model_validate_json(entry.model_dump_json()) == entry
    assert f'"where":{json.dumps(text)}' in entry.model_dump_json()
