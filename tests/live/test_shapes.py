"""Every shape that an agent, its room and its line can have, on both engines: the right times, blame and exit.

All calls of one engine with the same right exit are made by one `voice-harness run`; they should have the machine to
themselves. To try one shape alone:

    pytest tests/live/test_shapes.py -k 'standard_first-light'
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from harness.calibrate.truth import TurnCheck, check_call
from harness.errors import EXIT_AGENT, EXIT_INFRASTRUCTURE, EXIT_OK, EXIT_UNFIT, EXIT_USAGE
from harness.hearing.onset import SAMPLE_RATE
from harness.hearing.voice_finder import VoiceFinder
from harness.judge.verdict import judge_run
from harness.measure.fitness import STEAL_SHARE
from harness.record.result import CallResult
from harness.record.summary import Ending
from tests.events import typed
from tests.live.conftest import RUN_LIMIT_S, LiveStack, Ran, stack_up, start, until_fit

pytestmark = pytest.mark.live

ENGINES = ("sdk", "light")
RIGHT_WITHIN_MS = 30.0
RECORDED_WITHIN_MS = 10.0
FLOOR_KNOWN_MS = 500.0  # a recording begins with the call: a voice before the noise floor is known is placed by less
QUIET_MACHINE = bool(os.environ.get("VOICE_HARNESS_QUIET_MACHINE"))
"""Set on a machine of its own: then no shape may be unfit. On any other, times are judged of what could be measured."""
SHAPE_ATTEMPTS = 3
BUSY_AGAIN = 1
"""How often what was unfit is called again, as what is wrong is: a busy moment of the machine is no shape's fault."""
MOST_UNFIT = 30
"""With more than these the machine is busy all the time: to call them again would be no better."""
ENOUGH_ONSETS = 10
"""Of fewer than these a busy machine can have moved the half."""
CALLS_PER_MINUTE = {"sdk": 28.0, "light": 45.0}
"""Of one engine alone: two cores carry no more, the agents' side among it."""
RATE_FACTOR = float(os.environ.get("VOICE_HARNESS_TEST_RATE_FACTOR", "1"))
"""Of these rates, for a larger machine."""

TYPED = "- type: Do you have parking?"
SPOKEN = "- say: thank-you"
AGAIN = "- type: And on Sunday?"
SCRIPT = """
name: {name}
agent: {agent}
timeouts: {{session: 25s, connect: 10s, agent_join: 6s, greeting: 4s, reply: 6s, end_silence: {silence_ms}ms}}
turns:
  {turns}
"""


@dataclass(frozen=True)
class Shape:
    """What is right for a shape.

    Attributes:
        failure: The call's kind of failure; None: none.
        measured: So many turns have a right time; more may have one.
        turns: The script.
        cuts: The line is cut: turns may be unfit, and are no reason to make the call again.
        agent: The agent, where it is not named as the shape is.
        beside: Its call runs beside that shape's, begun after it.
        silence_ms: The silence that ends a reply.
    """

    failure: str | None = None
    measured: int = 2
    turns: tuple[str, ...] = (TYPED, AGAIN)
    cuts: bool = False
    agent: str | None = None
    beside: str | None = None
    silence_ms: int = 500

    @property
    def exit_code(self) -> int:
        """Of a run with this shape alone."""
        if self.failure is None:
            return EXIT_OK
        return EXIT_INFRASTRUCTURE if self.failure.startswith("room.") else EXIT_AGENT


ALOUD = Shape(turns=(TYPED, SPOKEN))
HANDED_OVER = Shape(turns=(TYPED, "- wait: 1s", SPOKEN))
LONG_MS = 1500  # an agent is missed if it sent packets well into a silence before (`call/signs_of_life.py`)
GOODBYE = Shape(turns=(TYPED, f"{AGAIN}\n    expect: {{ends_call: true}}"))
SHAPES = {
    "plain": ALOUD,
    "plain_sdk": ALOUD,
    "agent_first": Shape(),
    "agent_second": Shape(),
    "standard_first": ALOUD,
    "standard_second": ALOUD,
    "standard_sdk_first": ALOUD,
    "standard_sdk_second": ALOUD,
    "sip": Shape(),
    "sdk_defaults": ALOUD,
    "says_nothing_in_silence": Shape(),
    "background_before": ALOUD,
    "background_after": Shape(),
    "background_noise": Shape(),
    "republish_overlap": ALOUD,
    "republish_gap": ALOUD,
    "late_track": Shape(),
    "late_standard": Shape(),
    "muted": ALOUD,
    "stereo": Shape(),
    "avatar_first": ALOUD,
    "avatar_second": Shape(),
    "avatar_joins": Shape(),
    "observer": Shape(),
    "observer_sends": Shape(),
    "music_leaves": ALOUD,
    "music_goes_silent": Shape(),
    "music_stays": Shape(),
    "recorder": Shape(),
    "crowd": ALOUD,
    "joins_twice": Shape(),
    "hands_over": HANDED_OVER,
    "hands_over_overlap": HANDED_OVER,
    "hands_over_early": Shape(turns=("- wait: 1s", TYPED, AGAIN)),
    "hangs_up": GOODBYE,
    "hangs_up_room": GOODBYE,
    "hangs_up_early": Shape("agent.left", measured=1),
    "crash_leaves": Shape("agent.left", measured=1),
    "crash_vanishes": Shape("agent.gone_silent", measured=1, silence_ms=LONG_MS),
    "crash_vanishes_sdk": Shape("agent.gone_silent", measured=1, silence_ms=LONG_MS),
    "crash_of_a_silent_one": Shape("agent.no_reply", measured=1),
    "crash_in_last_reply": Shape("agent.gone_silent", measured=1, silence_ms=LONG_MS),
    "no_publish": Shape("room.refused", measured=0),
    "no_subscribe": Shape("room.refused", measured=0),
    "no_data": Shape("room.refused", measured=0),
    "no_data_wanted": Shape(agent="no_data", turns=(SPOKEN,), measured=1),
    "shared_token": Shape("room.lost", measured=0),
    "shared_token_again": Shape(agent="shared_token", beside="shared_token", measured=1),
    "line_cut": Shape(cuts=True, measured=0),
    "line_lost": Shape("room.lost", cuts=True, measured=0),
}


@dataclass
class Row:
    """One call, as the table shows it.

    Attributes:
        exit_code: Of a run with it alone.
        out: What its run printed.
        busy: Why this machine was too busy to measure it, the agent's side of it or ours.
        wrong: What is not as it must be, however busy the machine was.
    """

    shape: str
    engine: str
    call: CallResult
    turns: list[TurnCheck]
    exit_code: int
    out: str
    busy: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    apart_ms: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        figures = [f"{turn.true_ms:7.1f} {turn.measured_ms:7.1f} {_off_ms(turn):+6.1f}" for turn in self.turns]
        verdict = "; ".join([*self.wrong, *self.busy]) or "right"
        lines = figures or [f"{'-':>7} {'-':>7} {'-':>6}"]
        head = f"{self.shape:24} {self.engine:6}"
        told = [f"{head} {line}" for line in lines]
        told[-1] += f"  {self.call.failure or '-':18} exit {self.exit_code}  {verdict}"
        return "\n".join(told)


Table = dict[tuple[str, str], Row]


@pytest.fixture(scope="module")
def shapes_truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shapes") / "truth.jsonl"


@pytest.fixture(scope="module")
def shapes_stack(shapes_truth: Path) -> Iterator[LiveStack]:
    with stack_up("shapes.yaml", shapes_truth) as up:
        yield up


@pytest.fixture(scope="module")
def table(
    request: pytest.FixtureRequest,
    shapes_stack: LiveStack,
    shapes_truth: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Table]:
    """The calls of all shapes that were asked for, of both engines side by side."""
    asked = [
        (item.callspec.params["shape"], item.callspec.params["engine"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == test_a_shape_is_heard_and_blamed_right.__name__
    ]
    rows = _best_calls(asked, shapes_stack, shapes_truth, tmp_path_factory) if asked else {}
    yield rows
    head = f"\n{'shape':24} {'engine':6} {'true':>7} {'measured':>7} {'off':>5} ms"
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext():
        sys.stdout.write("\n".join((head, *map(str, rows.values()))) + "\n")


def _best_calls(
    asked: list[tuple[str, str]], stack: LiveStack, truth_file: Path, folders: pytest.TempPathFactory
) -> Table:
    """The calls of these shapes; of those that were made again the best ones. The tests judge what stays wrong."""
    rows: Table = {}
    left = asked

    def make(attempt: int) -> list[tuple[str, str]]:
        """Makes the calls that are left; gives those to make again."""
        nonlocal left
        for key, row in _calls(left, stack, truth_file, folders.mktemp("shapes")).items():
            rows[key] = min(rows.get(key, row), row, key=lambda row: (len(row.wrong), len(row.busy)))
        again = {key for key in left if rows[key].wrong}
        busy = {key for key in left if rows[key].busy}
        again |= busy if len(busy) <= MOST_UNFIT and (attempt < BUSY_AGAIN or QUIET_MACHINE) else set()
        left = [
            (name, engine)
            for name, engine in left
            if again & {(other, engine) for other in (name, SHAPES[name].beside, *_besides(name))}
        ]
        return left

    until_fit(make, lambda again: not again, None, attempts=SHAPE_ATTEMPTS)
    return rows


def _besides(name: str) -> list[str]:
    """Those whose calls run beside that one's."""
    return [other for other, shape in SHAPES.items() if shape.beside == name]


def _calls(asked: list[tuple[str, str]], stack: LiveStack, truth_file: Path, folder: Path) -> Table:
    """A run for each engine and each exit that is right, side by side; what belongs together is in one."""
    groups: defaultdict[tuple[str, int, str | None], list[str]] = defaultdict(list)
    for name, engine in asked:
        lead = SHAPES[name].beside or name
        groups[engine, SHAPES[lead].exit_code, lead if _besides(lead) else None].append(name)
    running = []
    whole_min = sum(1 / RATE_FACTOR / CALLS_PER_MINUTE[engine] for _, engine in asked)
    for number, ((engine, _, together), group) in enumerate(groups.items()):
        scripts = []
        for name in group:
            shape = SHAPES[name]
            scripts.append(folder / f"{name}-{engine}.yaml")
            turns = "\n  ".join(shape.turns)
            text = SCRIPT.format(name=name, agent=shape.agent or name, turns=turns, silence_ms=shape.silence_ms)
            scripts[-1].write_text(text)
        # Calls that are to meet come as soon as may be; the others of each run are spread over all of the time.
        rate = CALLS_PER_MINUTE[engine] if together is not None else len(group) / whole_min
        options = ("--engine", engine, "--record", "all", *(("--rate", f"{rate:g}") if len(group) > 1 else ()))
        running.append((group, engine, start(stack, folder / f"run-{number}", scripts, *options)))
    rows: Table = {}
    for group, engine, one in running:
        ran = one.ran(whole_min * 60 + RUN_LIMIT_S)
        assert ran.code != EXIT_USAGE, ran.out
        assert {call["scenario"] for call in ran.lines} == set(group), ran.out
        truth = [json.loads(line) for line in truth_file.read_text().splitlines()]
        found = {(name, engine): _row(name, engine, ran, truth) for name in group}
        right = {max(SHAPES[name].exit_code for name in group)}
        if any(row.busy or SHAPES[row.shape].cuts for row in found.values()):
            right.add(EXIT_UNFIT)
        if all(row.call.failure == SHAPES[row.shape].failure for row in found.values()):
            assert ran.code in right, ran.out
        rows |= found
    return rows


def _off_ms(turn: TurnCheck) -> float:
    """How far off a turn's time is, without what the agent's own event loop was late: its log has the time due."""
    return turn.error_ms - turn.agent_late_ms


def _row(name: str, engine: str, ran: Ran, truth: list[dict[str, object]]) -> Row:
    call = CallResult.model_validate(ran.calls[name])
    check = check_call(call, typed(ran.timeline(call.call)), truth)
    alone = judge_run([call], [], target="", ending=Ending())
    row = Row(name, engine, call, list(check.turns), alone.exit_code, ran.out)
    right = SHAPES[name]
    unfit = [str(why) for turn in call.turns if not turn.fit for why in turn.unfit_why or ["unfit"]]
    if call.greeting is not None and not call.greeting.fit:
        unfit += map(str, call.greeting.unfit_why)
    if not right.cuts:
        late = [*map(_agent_was_late, row.turns), _machine_was_taken(ran.timeline(call.call))]
        row.busy = [*dict.fromkeys(unfit), *filter(None, late)]
    for_us = any(failure.kind == call.failure and not failure.fit for failure in call.failures)
    if call.failure != right.failure and not (row.busy and for_us):
        row.wrong.append(f"not {right.failure or 'without failure'}")
    if not row.busy and any(abs(_off_ms(turn)) > RIGHT_WITHIN_MS for turn in row.turns):
        row.wrong.append(f"more than {RIGHT_WITHIN_MS:.0f} ms off")
    if len(row.turns) < right.measured and not row.busy:
        row.wrong.append(f"{len(row.turns)} turns of {right.measured} measured")
    if row.exit_code not in ({right.exit_code, EXIT_UNFIT} if right.cuts or row.busy else {right.exit_code}):
        row.wrong.append(f"exit {row.exit_code}, not {right.exit_code}")
    row.apart_ms = _recorded_apart_ms(call, ran.folder)
    return row


def _machine_was_taken(events: Sequence[dict[str, Any]]) -> str | None:
    """How much of the CPU this machine's host gave to others, at the worst: the agents then lacked it as we did."""
    steal = max((event.get("steal") or 0.0 for event in events if event["event"] == "second"), default=0.0)
    return f"the host gave {100 * steal:.0f} % of the CPU to others" if steal >= STEAL_SHARE else None


def _agent_was_late(turn: TurnCheck) -> str | None:
    """What the agent's process was too busy for: to take in a text in time."""
    late = turn.kind == "typed" and turn.sending_ms > RIGHT_WITHIN_MS
    return f"its agent got the text {turn.sending_ms:.0f} ms after it left" if late else None


def _recorded_apart_ms(call: CallResult, folder: Path) -> list[float]:
    """How far each onset of the agent's voice, as the timeline tells it, lies from the nearest one in the recording."""
    onsets_ms = [onset_ms for onset_ms, _ in call.agent_voice if onset_ms > FLOOR_KNOWN_MS]
    if call.recording is None or not onsets_ms:
        return []
    pcm, rate = soundfile.read(folder / call.recording, dtype="int16")
    assert rate == SAMPLE_RATE
    edges = VoiceFinder().feed(np.ascontiguousarray(pcm[:, 1]))
    found_ms = [edge.edge.position / SAMPLE_RATE * 1000 for edge in edges if edge.quality is None]
    return [min((abs(found - onset_ms) for found in found_ms), default=math.inf) for onset_ms in onsets_ms]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_heard_and_blamed_right(table: Table, shape: str, engine: str) -> None:
    row = table[shape, engine]
    if QUIET_MACHINE:
        row.wrong += row.busy
    assert not row.wrong, f"\n{row}\n{row.call.failures}\n{row.out}"


@pytest.mark.parametrize("engine", ENGINES)
def test_the_recordings_hold_the_onsets_where_the_timelines_say(table: Table, engine: str) -> None:
    # A stream is recorded unbroken, so where a busy agent's packets came unevenly an onset may lie elsewhere.
    fit = [row for (shape, on), row in table.items() if on == engine and not row.busy and not SHAPES[shape].cuts]
    apart_ms = [apart for row in fit for apart in row.apart_ms]
    assert len(apart_ms) < ENOUGH_ONSETS or statistics.median(apart_ms) <= RECORDED_WITHIN_MS, sorted(apart_ms)
