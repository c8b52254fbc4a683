"""`voice-harness validate` and `schema`: scenarios checked without calling, and their schema for editors."""

from __future__ import annotations

import typer

from harness.cli.options import ScenarioPaths, SetOption


def validate(scenarios: ScenarioPaths, sets: SetOption = None) -> int:
    """Check scenarios, their fixtures and thresholds without calling anybody; show where the voice of own WAVs is."""
    import asyncio

    from harness.cli.looks import show
    from harness.cli.options import read_scenarios, read_thresholds
    from harness.fixtures.find import shipped_folder
    from harness.fixtures.picture import look_at
    from harness.load.prepare import prepare
    from harness.target.target import Target

    loaded = read_scenarios(scenarios, sets)
    read_thresholds(loaded, None)
    anywhere = Target(name="any", kind="embedded")
    ready = asyncio.run(prepare(loaded, anywhere, agent=None, say=typer.echo, speak=False))
    shown = set()
    for scenario, prepared in zip(loaded, ready, strict=True):
        turns = sum(step.kind != "wait" for step in scenario.model.turns)
        typer.echo(f"ok  {scenario.path}  {scenario.name}: {turns} turn{'' if turns == 1 else 's'}")
        for said in prepared.speech:
            # What is shipped is known to be right.
            if said is None or said.path is None or said.path in shown or said.path.parent == shipped_folder():
                continue
            shown.add(said.path)
            show(said.path.name, look_at(said))
    return 0


def schema() -> int:
    """Print the JSON Schema of a scenario, for editors."""
    import json

    from harness.scenario.schema import scenario_schema

    typer.echo(json.dumps(scenario_schema(), indent=2))
    return 0
