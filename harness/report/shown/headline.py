"""The verdict of a run in words, and what was run."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from harness.formats import Recorded
from harness.record.capacity import Capacity
from harness.record.recorded_run import RecordedRun
from harness.record.result import DEFINITIONS
from harness.record.settings import RunSettings
from harness.record.summary import Summary, Verdict
from harness.report import numbers
from harness.report.bursts import HELD_BACK, held_back_line
from harness.report.shown.state import State, Tone
from harness.report.verdict_words import NO_VERDICT, VERDICT_SIGNS, in_words
from harness.text.counted import counted
from harness.text.plain_text import one_line

SINCE_JOIN_REQUEST = 2  # agent.join and greeting.ttfa start at the join request since this version of the definitions
_TONES: dict[Verdict, Tone] = {"pass": "ok", "unfit": "warn", "interrupted": "quiet"}  # else bad


class Fact(Recorded):
    """A named value."""

    name: str
    value: str


def headline(summary: Summary | None, capacity: Capacity | None) -> State:
    """The verdict of the run, together with any others that apply."""
    if summary is None:
        return State(sign="?", words=NO_VERDICT, tone="quiet")
    if capacity is not None and capacity.answer.ended == "time" and summary.verdict == "unfit":
        return State(sign="!", words="The time ran out (--max-time) before the answer was known", tone="warn")
    tone = _TONES.get(summary.verdict, "bad")
    return State(sign=VERDICT_SIGNS[summary.verdict], words=in_words(summary), tone=tone)


def excused(summary: Summary | None) -> list[str]:
    """The failures that thresholds and pass rates excused, each with how often it occurred."""
    return [f"{counted(count, 'time')} {what}" for what, count in summary.excused.items()] if summary else []


def about(run: RecordedRun) -> list[Fact]:
    """What was called, and how."""
    settings, summary = run.settings, run.summary
    found = {
        "target": summary.target if summary else settings.target,
        "agent": settings.agent,
        "scenarios": ", ".join(settings.scenarios),
        "prompt": _prompts(settings),
        "calls": _load(settings),
        "started": numbers.time_of_day(settings.started),
        "seed": settings.seed,
        "engine": settings.engine,
        HELD_BACK: held_back_line(run.calls),
        "definitions": _old_definitions(summary),
        "measured again": _lines(numbers.remeasured_lines(summary)) if summary else "",
        "command": shlex.join(settings.command),
        "made with": _versions(settings),
    }
    return [Fact(name=name, value=str(value)) for name, value in found.items() if value not in (None, "")]


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(line.strip() for line in lines)


def _prompts(settings: RunSettings) -> str:
    """The prompts that the scenarios gave the agent."""
    told = []
    for scenario in settings.scenarios.values():
        prompt = scenario.prompt
        if prompt is not None:
            file = f"{prompt.file}: " if prompt.file else ""
            told.append(f"{file}{prompt.first_words} (sha256 {prompt.sha256[:8]})")
    return "; ".join(dict.fromkeys(told))


def _old_definitions(summary: Summary | None) -> str:
    if summary is None or summary.definitions >= DEFINITIONS:
        return ""
    differs = ["voices, percentiles and WER follow older rules"]
    if summary.definitions < SINCE_JOIN_REQUEST:
        differs.append("agent.join and greeting.ttfa count from connected")
    return f"{summary.definitions}: {', '.join(differs)}; --remeasure makes them again"


def _load(settings: RunSettings) -> str:
    """The number and the rate of calls, in words."""
    at_once, rate, repeat = settings.calls, settings.rate_per_min, settings.repeat
    parts = [
        f"{rate:g} a minute" if rate else "",
        f"{'at most ' if rate else ''}{at_once} at once" if at_once else "",
        f"repeated {repeat} times" if repeat != 1 and not settings.look else "",
        f"{'at most ' if settings.look else ''}{settings.total} in all" if settings.total else "",
        f"in turns with {settings.in_turns.name}" if settings.in_turns is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _versions(settings: RunSettings) -> str:
    machine = settings.machine
    parts = [
        f"voice-harness {settings.harness_version}" if settings.harness_version else "",
        f"Python {settings.python}" if settings.python else "",
        settings.platform,
        machine.cpu,
        counted(machine.cores, "core") if machine.cores else "",
        f"{machine.memory_gb:g} GB" if machine.memory_gb else "",
        *(f"{name} {version}" for name, version in settings.packages.items()),
    ]
    return one_line(" · ".join(part for part in parts if part))
