"""The plugin's options, on the command line (`--voice-…`) and in pytest's configuration (`voice_…`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

ENGINES = ("sdk", "light")
RECORD_MODES = ("none", "failed", "all")
_GROUP = "voice-harness"


@dataclass(frozen=True)
class Options:
    """What was asked for, not checked yet.

    Attributes:
        target: The service to call; None for the rule of docs/targets.md.
        agent: The agent's id; None for that of the scenario or the target.
        engine: The media engine.
        record: Which calls' audio to keep.
        out: The folder for the run directories; None for a new one in `reports/`.
        retry_unfit: How many times to repeat a call that could not be measured, as it is written.
        scenarios: Files and folders whose YAML files are scenarios.
    """

    target: str | None
    agent: str | None
    engine: str
    record: str
    out: Path | None
    retry_unfit: str
    scenarios: tuple[Path, ...]

    @property
    def are_used(self) -> bool:
        """Whether this project has set any that says whom or what to call."""
        return self.target is not None or bool(self.scenarios)


def add_options(parser: pytest.Parser) -> None:
    """Adds the options and their counterparts in pytest's configuration."""
    group = parser.getgroup(_GROUP, "voice-harness: calls of a voice agent")
    for name, metavar, choices, told in (
        ("target", "NAME|URL|embedded", None, "The service to call: a name in voice-harness.toml, a URL, or embedded."),
        ("agent", "ID", None, "The agent's id; overrides the scenario's."),
        ("engine", None, ENGINES, "What carries the media (default: sdk)."),
        ("record", None, RECORD_MODES, "Which calls' audio to keep (default: failed)."),
        ("out", "DIR", None, "The folder for the tests' run directories (default: a new one in reports/)."),
        ("retry-unfit", "N", None, "Repeat calls that could not be measured, at most N times (default: 0)."),
    ):
        key = f"voice_{name.replace('-', '_')}"
        words = {"metavar": metavar} if choices is None else {"choices": choices}
        group.addoption(f"--voice-{name}", dest=key, default=None, help=told, **words)
        parser.addini(key, f"Default of --voice-{name}.", default="")
    parser.addini(
        "voice_scenarios", "Folders or files with scenarios: their YAML files are tests.", type="paths", default=[]
    )


def options_of(config: pytest.Config) -> Options:
    """Returns the options in force: the command line's, else those of the configuration."""

    def given(name: str) -> str | None:
        return config.getoption(f"voice_{name}") or config.getini(f"voice_{name}") or None

    return Options(
        target=given("target"),
        agent=given("agent"),
        engine=given("engine") or ENGINES[0],
        record=given("record") or "failed",
        out=_folder(config),
        retry_unfit=given("retry_unfit") or "0",
        scenarios=tuple(Path(path) for path in config.getini("voice_scenarios")),
    )


def _folder(config: pytest.Config) -> Path | None:
    """The command line's folder counts from where pytest was called, the configuration's from the root."""
    named: str | None = config.getoption("voice_out")
    if named:
        return config.invocation_params.dir / named
    configured: str = config.getini("voice_out")
    return config.rootpath / configured if configured else None
