"""The view model of a call in the HTML report: formatted numbers, printable texts, steps in chronological order."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.record.result import (
    CallResult,
    ExpectationResult,
    GreetingResult,
    MediaHealth,
    ToolCallSeen,
    TurnResult,
    WaitResult,
)
from harness.report.charts import TimeLine, said_ms, time_line
from harness.report.hints import hint_of
from harness.report.numbers import expectation_value, level, percent, ratio, seconds, time_of_day, with_ms
from harness.report.recording import Playable
from harness.text.counted import counted
from harness.text.plain_text import clipped, one_line, printable

TEXT_LIMIT = 2000
_OUTCOME_SIGNS = {"held": "✓", "failed": "✗", "undecided": "?"}
_KIND_WORDS = {"say": "says", "type": "types", "barge_in": "talks over"}
FIRST_SOUND_APART_MS = 100.0
MOST_TOOLS = 50  # shown of one step


@dataclass(frozen=True)
class State:
    """An outcome as a sign and words, so that colour is never the only cue. `css` is ok, bad, warn or quiet."""

    sign: str
    words: str
    css: str


@dataclass(frozen=True)
class ExpectationView:
    """An expectation, as a table row."""

    state: State
    expect: str
    limit: str
    value: str
    why: str
    place: str


@dataclass(frozen=True)
class Fact:
    """A named value."""

    name: str
    value: str
    title: str = ""
    hint: str = ""


@dataclass(frozen=True)
class WordChange:
    """A part of the diff between what was said and what was heard; `tag` is same, said or heard."""

    tag: str
    words: str


@dataclass(frozen=True)
class ToolView:
    """A tool call; `when` says how long it took and when its frame was received."""

    name: str
    arguments: str
    result: str
    when: str
    state: State


@dataclass
class Step:
    """A greeting, a turn or a wait."""

    heading: str
    turn: int | None = None
    verb: str = ""
    at: str = ""
    seek_s: float | None = None
    language: str = ""
    said: str = ""
    said_label: str = ""
    heard: str = ""
    reply: str = ""
    tools: list[ToolView] = field(default_factory=list)
    more_tools: int = 0
    changes: list[WordChange] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    remarks: list[tuple[State, str]] = field(default_factory=list)
    expectations: list[ExpectationView] = field(default_factory=list)


@dataclass(frozen=True)
class CallRow:
    """A call in one line, for the list of calls and the heading of its details."""

    anchor: str
    call: str
    scenario: str
    state: State
    turns: int
    slowest: str
    slowest_ms: float
    duration: str
    room: str
    detailed: bool


@dataclass
class CallView:
    """A call in full."""

    row: CallRow
    open: bool
    failures: list[Fact]
    notes: list[str]
    facts: list[Fact]
    steps: list[Step]
    line: TimeLine | None
    recording: Playable | None


def text_of(text: str) -> str:
    """A text of the scenario or the agent, printable and clipped to `TEXT_LIMIT` characters."""
    return clipped(printable(text), TEXT_LIMIT)


def call_state(call: CallResult) -> State:
    """The outcome of a call."""
    failed = sum(expectation.outcome == "failed" for _turn, expectation in call.expectations())
    if call.ok is None:
        return State("■", "cut short", "quiet")
    if call.ok:
        return State("✓", "ok", "ok")
    kind = call.failure or (call.failures[0].kind if call.failures else None)
    missed = f"{counted(failed, 'expectation')} failed" if failed else ""
    return State("✗", ", ".join(part for part in (kind, missed) if part) or "failed", "bad")


def call_row(call: CallResult, number: int, *, detailed: bool) -> CallRow:
    """The call in one line; its anchor is made from `number`."""
    slowest_ms = max((turn.ttfa_ms for turn in call.turns if turn.ttfa_ms is not None), default=None)
    return CallRow(
        anchor=f"call-{number}",
        call=one_line(call.call),
        scenario=one_line(call.scenario),
        state=call_state(call),
        turns=len(call.turns),
        slowest=with_ms(slowest_ms),
        slowest_ms=slowest_ms or 0.0,
        duration=seconds(call.duration_ms),
        room=clipped(one_line(call.room or ""), 60),
        detailed=detailed,
    )


def call_view(call: CallResult, row: CallRow, recording: Playable | None, *, is_open: bool) -> CallView:
    """The call in full."""
    return CallView(
        row=row,
        open=is_open,
        failures=_failures(call),
        notes=[
            *([f"repeats call {one_line(call.retry_of)}, which could not be measured"] if call.retry_of else []),
            *(text_of(note) for note in call.notes),
        ],
        facts=_facts(call),
        steps=_steps(call),
        line=time_line(call),
        recording=recording,
    )


def _failures(call: CallResult) -> list[Fact]:
    found = []
    for seen in call.failures:
        where = [f"turn {seen.turn}"] if seen.turn is not None else []
        where += [f"at {seconds(seen.at_ms)}"] if seen.at_ms is not None else []
        where += ["ended the call"] if seen.ended else []
        found.append(Fact(seen.kind, text_of(seen.what), ", ".join(where), text_of(hint_of(seen))))
    return found


def _facts(call: CallResult) -> list[Fact]:
    facts = [
        Fact("started", time_of_day(call.started)),
        Fact("room", one_line(call.room or "")),
        Fact("target", one_line(call.target)),
        Fact("agent", one_line(call.agent)),
        Fact("tags", one_line(", ".join(call.tags))),
        Fact("session created in", with_ms(call.session_create_ms) if call.session_create_ms is not None else ""),
        Fact("room connected in", with_ms(call.room_connect_ms) if call.room_connect_ms is not None else ""),
        Fact(
            "held back",
            with_ms(call.held_back_ms) if call.held_back_ms else "",
            "by the harness; not part of any other number",
        ),
        Fact("agent joined after", with_ms(call.agent_join_ms) if call.agent_join_ms is not None else ""),
        Fact("agents in the room", str(call.agents) if call.agents > 1 else ""),
        Fact("junk frames", str(call.junk_frames or "")),
        Fact("texts outside turns", str(call.stray_texts or "")),
        Fact("speech outside turns", str(call.stray_speech or "")),
        *_media_facts(call.media),
        Fact("longest own lag", with_ms(max(call.own.lag_ms)) if call.own.lag_ms else "", "the event loop's delay"),
        Fact("latest own packet", with_ms(max(call.own.send_late_ms)) if call.own.send_late_ms else ""),
    ]
    return [fact for fact in facts if fact.value]


def _media_facts(media: MediaHealth) -> list[Fact]:
    return [
        Fact(name, value, title)
        for name, value, present, title in (
            ("packets lost", percent(media.loss), media.loss, "of the agent's audio"),
            ("concealed", percent(media.concealed), media.concealed, "samples synthesised for lost or late packets"),
            ("jitter", with_ms(media.jitter_ms), media.jitter_ms, "mean, from RTCP"),
            ("round trip", with_ms(media.rtt_ms), media.rtt_ms, "mean, to the server, in whole milliseconds"),
            ("jitter buffer", with_ms(media.jitter_buffer_ms), media.jitter_buffer_ms, "mean wait of a sample"),
            ("voice level", level(media.level_dbfs), media.level_dbfs, "of the agent's active speech"),
            ("clipped", percent(media.clipped), media.clipped, "of the agent's voice"),
        )
        if present is not None
    ]


def _steps(call: CallResult) -> list[Step]:
    steps = [_greeting(call.greeting)] if call.greeting is not None else []
    waits = list(call.waits)
    steps += [_wait(wait) for wait in waits if wait.after_turn < 1]
    for turn in call.turns:
        steps.append(_turn(turn))
        steps += [_wait(wait) for wait in waits if wait.after_turn == turn.turn]
    numbers = {turn.turn for turn in call.turns}
    steps += [_wait(wait) for wait in waits if wait.after_turn >= 1 and wait.after_turn not in numbers]
    return steps


def _greeting(greeting: GreetingResult) -> Step:
    late = "; ".join(text_of(str(reason)) for reason in greeting.unfit_why)
    return Step(
        heading="Greeting",
        at=seconds(greeting.onset_ms) if greeting.onset_ms is not None else "",
        seek_s=_seek_s(greeting.onset_ms),
        reply=text_of(greeting.reply),
        tools=_tools(greeting.tool_calls),
        more_tools=max(0, len(greeting.tool_calls) - MOST_TOOLS),
        facts=[Fact("TTFA", with_ms(greeting.ttfa_ms), "from our join request to the onset of the agent's voice")],
        remarks=[] if greeting.fit else [(State("!", "unfit", "warn"), f"{late}; left out of the percentiles")],
        expectations=_expectations(greeting.expectations),
    )


def _wait(wait: WaitResult) -> Step:
    step = Step(
        heading="Wait",
        at=seconds(wait.started_ms) if wait.started_ms is not None else "",
        seek_s=_seek_s(wait.started_ms),
        expectations=_expectations(wait.expectations),
    )
    if wait.agent_spoke_ms is not None:
        step.facts.append(Fact("agent spoke after", with_ms(wait.agent_spoke_ms)))
    if not wait.fit:
        step.remarks.append((State("!", "unfit", "warn"), "the harness was late here"))
    return step


def _turn(turn: TurnResult) -> Step:
    begun_ms = turn.caller_start_ms if turn.caller_start_ms is not None else turn.started_ms
    begun_ms = said_ms(turn) if begun_ms is None else begun_ms
    return Step(
        heading=f"Turn {turn.turn}",
        turn=turn.turn,
        verb=_KIND_WORDS[turn.kind],
        at=seconds(begun_ms) if begun_ms is not None else "",
        seek_s=_seek_s(begun_ms),
        language=one_line(turn.language),
        said=text_of(turn.text),
        said_label="typed" if turn.kind == "type" else "said",
        heard=text_of(turn.transcript),
        reply=text_of(turn.reply),
        tools=_tools(turn.tool_calls),
        more_tools=max(0, len(turn.tool_calls) - MOST_TOOLS),
        changes=_changes(turn),
        facts=_turn_facts(turn),
        remarks=list(_remarks(turn)),
        expectations=_expectations(turn.expectations),
    )


def _tools(calls: Sequence[ToolCallSeen]) -> list[ToolView]:
    return [
        ToolView(
            name=one_line(call.name),
            arguments=_json(call.arguments),
            result=_json(call.result),
            when=", ".join(
                [
                    *([f"took {with_ms(call.ms)}"] if call.ms is not None else []),
                    *([f"at {seconds(call.at_ms)}"] if call.at_ms is not None else []),
                ]
            ),
            state=State("✓", "ok", "ok") if call.ok else State("✗", "failed", "bad"),
        )
        for call in calls[:MOST_TOOLS]
    ]


def _json(value: object) -> str:
    """A tool's arguments or result: a text as it is, anything else as JSON."""
    return text_of(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _turn_facts(turn: TurnResult) -> list[Fact]:
    times = (
        ("TTFA", turn.ttfa_ms, "from the caller's voiced end, or the text sent, to the onset of the agent's voice"),
        ("TTFA at the ear", turn.ttfa_ear_ms, "including the harness's own sending and jitter buffer"),
        ("transcript", turn.transcript_ms, "from the caller's voiced end to its transcript"),
        ("echo", turn.echo_ms, "from the text sent to its echo"),
        ("reply text", turn.reply_text_ms, "to the first text of the reply"),
        ("both spoke", turn.talk_over_ms or None, "how long the agent and the caller spoke at the same time"),
        (
            "first sound",
            turn.first_sound_ms if _sounds_apart(turn) else None,
            "from the caller's end to the first sound of the agent, which is not its voice",
        ),
        (
            "dead air",
            turn.dead_air_ms,
            "the longest time both were silent, from the caller's end to the agent's last voice",
        ),
        ("stopped after", turn.stop_ms, "from the caller's onset over the agent to the agent's silence"),
    )
    facts = [Fact(name, with_ms(value), title) for name, value, title in times if value is not None or name == "TTFA"]
    if turn.wer is not None:
        facts.append(Fact("WER", ratio("turn.wer", turn.wer), "word error rate of the transcript"))
    return facts


def _sounds_apart(turn: TurnResult) -> bool:
    """Whether the agent's first sound came well before its voice, or without one."""
    if turn.first_sound_ms is None:
        return False
    return turn.ttfa_ms is None or turn.ttfa_ms - turn.first_sound_ms > FIRST_SOUND_APART_MS


def _remarks(turn: TurnResult) -> list[tuple[State, str]]:
    remarks = []
    if turn.interrupted:
        remarks.append(
            (State("!", "interrupted", "warn"), "the agent started before the caller's end, so there is no TTFA")
        )
    if turn.exercised is False:
        remarks.append((State("!", "not exercised", "warn"), "the agent was already silent"))
    if not turn.fit:
        why = "; ".join(text_of(str(reason)) for reason in turn.unfit_why) or "the harness was late"
        why += f"; what ran out: {text_of(str(turn.ran_out))}" if turn.ran_out else ""
        remarks.append((State("!", "unfit", "warn"), f"{why}; left out of the percentiles"))
    if turn.doubtful:
        why = "; ".join(text_of(str(reason)) for reason in turn.doubtful)
        remarks.append((State("?", "doubtful", "warn"), f"{why}; left out of the percentiles"))
    if turn.cut:
        remarks.append((State("■", "cut", "quiet"), "the call was cut short in this turn; the turn is in no metric"))
    if turn.advice:
        remarks.append((State("i", "advice", "quiet"), text_of(turn.advice)))
    return remarks


def _changes(turn: TurnResult) -> list[WordChange]:
    """The diff between what was said and the transcript, both normalised; empty if they are equal."""
    if turn.wer_pair is None or turn.wer_pair[0] == turn.wer_pair[1]:
        return []
    said, heard = (text_of(text).split() for text in turn.wer_pair)
    changes = []
    for tag, from_said, to_said, from_heard, to_heard in difflib.SequenceMatcher(
        None, said, heard, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            changes.append(WordChange("same", " ".join(said[from_said:to_said])))
            continue
        if to_said > from_said:
            changes.append(WordChange("said", " ".join(said[from_said:to_said])))
        if to_heard > from_heard:
            changes.append(WordChange("heard", " ".join(heard[from_heard:to_heard])))
    return changes


def _expectations(expectations: list[ExpectationResult]) -> list[ExpectationView]:
    css = {"held": "ok", "failed": "bad", "undecided": "warn"}
    return [
        ExpectationView(
            state=State(_OUTCOME_SIGNS[result.outcome], result.outcome, css[result.outcome]),
            expect=result.expect,
            limit=text_of(result.limit),
            value=expectation_value(result.expect, result.value) if result.value is not None else "",
            why=text_of(result.why),
            place=one_line(result.place),
        )
        for result in expectations
    ]


def _seek_s(at_ms: float | None) -> float | None:
    """The playback position in seconds: 200 ms earlier, so that the onset is audible."""
    return None if at_ms is None else round(max(0.0, at_ms - 200) / 1000, 2)
