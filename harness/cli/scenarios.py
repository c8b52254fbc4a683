"""`voice-harness validate` and `schema`: scenarios checked without calling, and their schema for editors."""

from __future__ import annotations

import typer

from harness.cli.options import ScenarioPaths, SetOption


def validate(scenarios: ScenarioPaths, sets: SetOption = None) -> int:
    """Check scenarios, their fixtures and thresholds without calling anybody."""
    import asyncio

    from harness.cli.options import read_scenarios, read_thresholds
    from harness.load.prepare import prepare
    from harness.target.target import Target

    loaded = read_scenarios(scenarios, sets)
    read_thresholds(loaded, None)
    anywhere = Target(name="any", kind="embedded")
    asyncio.run(prepare(loaded, anywhere, agent=None, say=typer.echo, speak=False))
    for scenario in loaded:
        turns = sum(step.kind != "wait" for step in scenario.model.turns)
        typer.echo(f"ok  {scenario.path}  {scenario.name}: {turns} turn{'' if turns == 1 else 's'}")
    return 0


def schema() -> int:
    """Print the JSON Schema of a scenario, for editors."""
    import json

    from harness.scenario.schema import scenario_schema

    typer.echo(json.dumps(scenario_schema(), indent=2))
    return 0
