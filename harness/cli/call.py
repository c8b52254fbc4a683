"""`voice-harness call`: makes one call by hand and prints its timeline as it happens."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import AgentOption, EngineOption, OutOption, SetOption, TargetOption, resolve_target
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


def call(
    say: Annotated[
        list[str] | None, typer.Option("--say", metavar="FILE|NAME|TEXT", help="Say a WAV, a fixture, or a text.")
    ] = None,
    type_: Annotated[list[str] | None, typer.Option("--type", metavar="TEXT", help="Type a text.")] = None,
    target: TargetOption = None,
    agent: AgentOption = None,
    engine: EngineOption = "sdk",
    sets: SetOption = None,
    out: OutOption = None,
) -> int:
    """Make one call by hand: speak and type in the given order.

    Without --say and --type the agent's greeting is listened to. The call is recorded like any other.
    """
    from harness.call.engines.make import engine_name
    from harness.report.console import make_console
    from harness.report.live import TimelineWatcher
    from harness.run.carry_out import carry_out
    from harness.run.paced import PacedCalls
    from harness.run.pacing import Pace
    from harness.run.request import Request, chosen_seed
    from harness.scenario.by_hand import scenario_by_hand
    from harness.scenario.load import parse_set

    steps = steps_in_order(sys.argv, say or [], type_ or [])
    loaded = scenario_by_hand(steps, sets=[parse_set(text) for text in sets or []], folder=Path.cwd(), env=os.environ)
    request = Request(
        name=loaded.name,
        scenarios=[loaded],
        target=resolve_target(target),
        seed=chosen_seed(None),
        agent=agent,
        engine=engine_name(engine),
        record="all",
        out=out,
    )
    console = make_console()
    one = Pace(slots=1, total=1, rate_per_min=None, repeat=1)
    return carry_out(PacedCalls(request, one, TimelineWatcher(console)), console)


def steps_in_order(argv: Sequence[str], say: Sequence[str], typed: Sequence[str]) -> list[tuple[str, str]]:
    """Returns (say | type, text) pairs in the order of the command line, which the option parser does not keep.

    Raises:
        UsageError: Some options could not be found in `argv`, for example because they are abbreviated.
    """
    left = {"say": list(say), "type": list(typed)}
    order = []
    for word in argv:
        name = word.partition("=")[0].removeprefix("--")
        if word.startswith("--") and name in left and left[name]:
            order.append((name, left[name].pop(0)))
    if left["say"] or left["type"]:
        raise UsageError("the order of --say and --type is not clear", where="call", hint="write these options in full")
    return order
