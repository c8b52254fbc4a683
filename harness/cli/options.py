"""Options that several commands share, and the parsing of their values."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.caller.recorded_call import RecordMode
    from harness.recordings.two_channels import Side
    from harness.target.target import Target

ScenarioPaths = Annotated[
    list[Path],
    typer.Argument(metavar="SCENARIO…", help="Scenario files, folders, or names of shipped scenarios such as smoke."),
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="NAME|URL|embedded",
        help="The service to call: a name in voice-harness.toml, a URL, or embedded.",
    ),
]
AgentOption = Annotated[
    str | None, typer.Option("--agent", metavar="ID", help="The agent's id; overrides the scenario's.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set a key of the scenario, such as session.language=fr."),
]


def _folder(text: str) -> Path:
    """Parses a folder; an empty text, such as that of a variable that is not set, would be the working folder."""
    if not text.strip():
        raise UsageError("--out must not be empty", hint="name a folder, or leave --out out")
    return Path(text)


OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", parser=_folder, help="The run's folder; by default a new one in reports/."),
]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="sdk|light",
        help="What carries the media: LiveKit's SDK, or a lighter implementation on sockets.",
    ),
]
RecordOption = Annotated[str, typer.Option("--record", metavar="none|failed|all", help="Which calls' audio to keep.")]
ThresholdOption = Annotated[
    list[str] | None,
    typer.Option(
        "--threshold", metavar="'METRIC: LIMIT'", help="A limit on the run, such as 'turn.ttfa: p(95)<1500ms'."
    ),
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Fail (exit code 1) if there is not enough data.")]
JunitOption = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write a copy of the JUnit report to this file.")
]
MarkdownOption = Annotated[
    Path | None,
    typer.Option("--markdown", metavar="FILE", help="Write the run as Markdown to this file, such as a job summary."),
]
AnnotationsOption = Annotated[
    str | None,
    typer.Option(
        "--annotations",
        metavar="github|none",
        help="Print what failed for GitHub to show at its line; by default in GitHub Actions.",
    ),
]
PrometheusOption = Annotated[
    int | None,
    typer.Option(
        "--prometheus", metavar="PORT", help="Serve live metrics to Prometheus on this port of 127.0.0.1; 0 for any."
    ),
]
OtlpOption = Annotated[
    str | None,
    typer.Option(
        "--otlp",
        metavar="URL|env",
        help="Send each call as a trace to this OpenTelemetry collector; env: OTEL_EXPORTER_OTLP_ENDPOINT.",
    ),
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Print every event of every call.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print only failures and the verdict.")]


def resolve_target(option: str | None) -> Target:
    """Returns the target for --target; prints warnings and notes to standard error.

    Raises:
        ConfigError: No target is named but one is required, or it is not usable.
    """
    from harness.run.reading import read_target

    return read_target(option, warn=lambda line: typer.echo(line, err=True))


def read_record(text: str) -> RecordMode:
    """Parses --record.

    Raises:
        UsageError: It is none of the three values.
    """
    match text:
        case "none" | "failed" | "all":
            return text
        case _:
            raise UsageError(f"--record must be none, failed or all (got {text!r})")


def read_annotations(text: str | None) -> bool | None:
    """Parses --annotations; None if it was left out.

    Raises:
        UsageError: It is neither github nor none.
    """
    if text not in (None, "github", "none"):
        raise UsageError(f"--annotations must be github or none (got {text!r})")
    return None if text is None else text == "github"


def read_side(text: str) -> Side:
    """Parses --caller.

    Raises:
        UsageError: It is neither left nor right.
    """
    match text:
        case "left" | "right":
            return text
        case _:
            raise UsageError(f"--caller must be left or right (got {text!r})")


def read_duration(text: str | None, option: str, *, hint: str | None = None) -> float | None:
    """Parses a duration into seconds; None if it was left out.

    Args:
        text: The duration.
        option: Names it in errors.
        hint: What to write instead, in place of the general advice, which may suggest a value that is not allowed.

    Raises:
        UsageError: It is not a duration.
    """
    from harness.parsing.durations import DurationError, duration_s

    if text is None:
        return None
    try:
        return duration_s(text)
    except DurationError as problem:
        raise UsageError(problem.what if hint else str(problem), where=option, hint=hint) from None
