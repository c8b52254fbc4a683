"""The model of `run.json`: everything that determined a run, without secrets, so that it can be judged again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from harness.errors import Place
from harness.formats import Recorded
from harness.record.as_text import AsText
from harness.record.comparison import ComparisonSettings, Look
from harness.record.summary import Ending
from harness.record.testbed import Testbed, calibrated


def _source(text: str) -> Place | str:
    return text if text.startswith("--") else Place.read(text)


class ThresholdSettings(Recorded):
    """A threshold as written; `where` is its place in a file, or the option that set it.

    `abort_after_s`: it aborts the run if it is missed so many seconds after its start or later; None: never.
    """

    metric: str
    limit: str
    where: Annotated[Place | str, AsText(_source)]
    abort_after_s: float | None = None


class PromptSettings(Recorded):
    """Identifies the agent's prompt, so that runs can be compared by it."""

    file: str | None = None
    first_words: str = ""
    sha256: str = ""


class ScenarioSettings(Recorded):
    """A scenario.

    Attributes:
        path: Its file.
        agent: The agent that was called.
        tags: Its tags.
        overrides: Values that the command line replaced (`--set`, `--prompt`).
        prompt: The agent's prompt, if one was given.
        model: The scenario itself, without defaults.
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
    """The machine that made the calls."""

    cpu: str = ""
    cores: int | None = None
    memory_gb: float | None = None


class SearchSettings(Recorded):
    """The settings of a capacity search: objectives, the range of concurrent calls, and time limits."""

    objectives: list[str]
    start: int
    max: int | None = None
    max_time_s: float
    call_duration_s: float | None = None
    session_rate_per_min: float | None = None


class BaselineSettings(Recorded):
    """The comparison of a run with a baseline, of which the run directory has a copy (`baseline.json`).

    Attributes:
        name: The baseline's name or path.
        how: How they are compared.
    """

    name: str
    how: ComparisonSettings = Field(default_factory=ComparisonSettings)


class InTurnsSettings(Recorded):
    """The other version that a run calls in turns with its own, to compare with.

    Attributes:
        name: What it is called in reports: in what it differs.
        target: Its target.
        agent: Its agent.
        overrides: What `--against-set` set, by key.
        how: How the two are compared.
    """

    name: str
    target: str
    agent: str = ""
    overrides: dict[str, str] = Field(default_factory=dict)
    how: ComparisonSettings = Field(default_factory=ComparisonSettings)


class RunSettings(Recorded):
    """The complete `run.json`.

    Attributes:
        version: The format version.
        run: The run's name.
        started: The start time, UTC, ISO 8601.
        command: The command line.
        calls: The number of concurrent calls; with a rate, the most that may be alive, None for no cap.
        total: The number of calls in total, if it was known.
        load: The plan of a `load` (`harness.load.order.LoadPlan`).
        weights: The weights of the load's scenarios.
        capacity: The settings of a capacity search.
        workers: The load's processes and their machines.
        refused: Workers that were refused, and why.
        strict: Whether not enough data is a failure (`--strict`).
        ending: How the run ended; None if it was killed or is still running.
        calibration: What was known at the time about the harness's own error.
        redacted: Whether this is a copy without texts, prompts and sound; its expectations are not judged again.
        baseline: The baseline that it is compared with, if any.
        in_turns: The other version that it called in turns, if any.
        look: With `--repeat auto`: the planned looks at the comparison, and the last one that was taken.
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
    strict: bool = False
    ending: Ending | None = None
    calibration: dict[str, Any] | None = None
    redacted: bool = False
    baseline: BaselineSettings | None = None
    in_turns: InTurnsSettings | None = None
    look: Look | None = None

    def testbed(self, definitions: int) -> Testbed:
        """Returns what the run was measured with; what an older run.json lacks stays empty.

        Args:
            definitions: The version of the metric definitions, which its calls have.
        """
        return Testbed(
            cpu=self.machine.cpu,
            cores=self.machine.cores,
            memory_gb=self.machine.memory_gb,
            platform=self.platform,
            engine=self.engine,
            harness_version=self.harness_version,
            definitions=definitions,
            calibration=calibrated(self.calibration, self.engine),
        )

    def to_json(self) -> str:
        """Returns the file's text, without fields that were never set."""
        return self.model_dump_json(indent=2, exclude_unset=True) + "\n"
