"""`run.json`: everything that decided a run, secrets removed, so that it can be judged again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from harness.errors import Place
from harness.formats import Recorded
from harness.record.as_text import AsText
from harness.record.summary import Ending


def _source(text: str) -> Place | str:
    return text if text.startswith("--") else Place.read(text)


class ThresholdSettings(Recorded):
    """A threshold as it was written: `where` is the place in its file, or the option."""

    metric: str
    limit: str
    where: Annotated[Place | str, AsText(_source)]


class PromptSettings(Recorded):
    """Which prompt the agent had, so that runs can be told apart by it."""

    file: str | None = None
    first_words: str = ""
    sha256: str = ""


class ScenarioSettings(Recorded):
    """A scenario.

    Attributes:
        path: Its file.
        agent: Who was called.
        tags: Its own.
        overrides: What the command line set in its place (`--set`, `--prompt`).
        prompt: The agent's, where one was given.
        model: The scenario itself; defaults are left out.
        places: Where each expectation is written (`file:line:column`), by its dotted key.
    """

    path: str = ""
    agent: str = ""
    tags: list[str] = Field(default_factory=list)
    overrides: dict[str, Any] = Field(default_factory=dict)
    prompt: PromptSettings | None = None
    model: dict[str, Any] = Field(default_factory=dict)
    places: dict[str, str] = Field(default_factory=dict)


class MachineSettings(Recorded):
    """The machine that called."""

    cpu: str = ""
    cores: int | None = None
    memory_gb: float | None = None


class SearchSettings(Recorded):
    """A search for the capacity: what must hold, from how many calls at once to how many, and for how long."""

    objectives: list[str]
    start: int
    max: int | None = None
    max_time_s: float
    call_duration_s: float | None = None
    session_rate_per_min: float | None = None


class RunSettings(Recorded):
    """All of it.

    Attributes:
        version: Of the format.
        run: The run's name.
        started: UTC, ISO 8601.
        command: The command line.
        calls: How many at once; under a rate the most that may be alive, None for no cap.
        total: How many in all, where that was known.
        load: The plan of a `load` (`harness.load.order.LoadPlan`).
        weights: Of the load's scenarios.
        capacity: Of a search for it, what is searched for.
        workers: The load's processes and their machines.
        refused: Workers that were not taken, and why.
        ending: How the run ended; None of one that was killed, or still runs.
        calibration: What was known of the harness's own error then.
    """

    version: Literal[1] = 1
    run: str
    started: str
    command: list[str] = Field(default_factory=list)
    target: str
    agent: str = ""
    engine: str = ""
    seed: int | None = None
    calls: int | None = None
    repeat: int = 1
    rate_per_min: float | None = None
    total: int | None = None
    record: str = "none"
    thresholds: list[ThresholdSettings]
    scenarios: dict[str, ScenarioSettings]
    harness_version: str = ""
    python: str = ""
    platform: str = ""
    packages: dict[str, str | None] = Field(default_factory=dict)
    machine: MachineSettings = Field(default_factory=MachineSettings)
    load: dict[str, Any] | None = None
    weights: list[float] | None = None
    call_duration_s: float | None = None
    session_rate_per_min: float | None = None
    capacity: SearchSettings | None = None
    workers: list[dict[str, Any]] | None = None
    refused: list[Any] | None = None
    ending: Ending | None = None
    calibration: dict[str, Any] | None = None

    def to_json(self) -> str:
        """The file's text; what was never said is left out."""
        return self.model_dump_json(indent=2, exclude_unset=True) + "\n"
