"""All errors, each with what a person can do about it.

::

    HarnessError                    exit
    ├── UsageError                  2     known before a packet is sent
    │   ├── ScenarioError                 an invalid scenario
    │   ├── FixtureError                  an invalid WAV or manifest
    │   ├── ConfigError                   a target, a key, a folder, an option
    │   ├── KnowledgeError                a document that an agent cannot answer from
    │   └── SeveralErrors                 more than one of these at once
    ├── StackError                  3     the embedded stack did not start, or died
    ├── CallOutcome                       a call in a test that did not pass (testing/outcomes.py): exit 1, 3 or 4
    └── CallFailure                 by kind
        ├── SessionFailure          3     session.*   no usable session
        ├── RoomFailure             3     room.*      the LiveKit side
        │   └── JoinFailure               the room could not be joined
        ├── AgentFailure            1     agent.*     the agent fell short
        └── OwnFailure              4     harness.*   ourselves
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, get_args

from harness.failures import HINTS, FailureKind

EXIT_OK = 0
EXIT_AGENT = 1
EXIT_USAGE = 2
EXIT_INFRASTRUCTURE = 3
EXIT_UNFIT = 4
EXIT_INTERRUPTED = 130


class Place:
    """A place in a file: path, line and column; the latter count from 1 and may be unknown."""

    __slots__ = ("column", "line", "path")

    def __init__(self, path: str | Path, line: int | None = None, column: int | None = None) -> None:
        self.path = str(path)
        self.line = line
        self.column = column

    @classmethod
    def read(cls, text: str) -> Place:
        """The place that `str` of it was."""
        found = re.fullmatch(r"(.*?)(?::([1-9]\d*))?(?::([1-9]\d*))?", text, re.DOTALL)
        if found is None:
            return cls(text)
        return cls(found[1], *(int(number) for number in found.groups()[1:] if number))

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


class HarnessError(Exception):
    """Base class of all errors raised on purpose.

    Args:
        what: What happened, one sentence.
        where: The file (with line and column), option or address it concerns.
        hint: What the user can do about it.
    """

    exit_code: ClassVar[int] = EXIT_USAGE

    def __init__(self, what: str, *, where: Place | str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where is not None else self.what
        return f"{text}\n  hint: {self.hint}" if self.hint else text


class UsageError(HarnessError):
    """An error that is known before a packet is sent: usage, scenario, fixture, configuration."""


class ScenarioError(UsageError):
    """A scenario is invalid; `where` names file, line and column."""


class FixtureError(UsageError):
    """An audio file or the manifest is invalid."""


class ConfigError(UsageError):
    """A target, a key, a directory or an option is not usable."""


class KnowledgeError(UsageError):
    """A document cannot be read or is refused; `where` names the document."""


class SeveralErrors(UsageError):  # noqa: N818 - it is several errors
    """More than one usage error; `what`, `where` and `hint` are those of the first."""

    def __init__(self, errors: Sequence[UsageError]) -> None:
        first = errors[0]
        super().__init__(first.what, where=first.where, hint=first.hint)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(map(str, self.errors))


def each_of(problem: UsageError) -> tuple[UsageError, ...]:
    """The individual errors in it."""
    return problem.errors if isinstance(problem, SeveralErrors) else (problem,)


def raise_all(problems: Sequence[UsageError]) -> None:
    """Does nothing if there are none.

    Raises:
        UsageError: The only one, or all of them as `SeveralErrors`, sorted by file and line, without duplicates.
    """
    told = list({str(problem): problem for problem in problems}.values())
    if len(told) == 1:
        raise told[0]
    if told:
        files = list(dict.fromkeys(_file_and_line(problem)[0] for problem in told))

        def place(problem: UsageError) -> tuple[int, int, int]:
            file, line, column = _file_and_line(problem)
            return files.index(file), line, column

        raise SeveralErrors(sorted(told, key=place))


def _file_and_line(problem: UsageError) -> tuple[str, int, int]:
    where = problem.where
    if isinstance(where, Place):
        return where.path, where.line or 0, where.column or 0
    return str(where), 0, 0


class StackError(HarnessError):
    """The embedded stack did not start, or died."""

    exit_code = EXIT_INFRASTRUCTURE


class CallFailure(HarnessError):  # noqa: N818 - reports call it a failure, in contrast to usage errors
    """A call failed; `kind` is one of the closed list `FailureKind`, each of which has a default `hint`."""

    prefix: ClassVar[str] = ""

    def __init__(self, kind: FailureKind, what: str, *, hint: str | None = None) -> None:
        if kind not in get_args(FailureKind) or not kind.startswith(self.prefix):
            raise ValueError(f"{kind!r} is no failure of {type(self).__name__}")
        super().__init__(what, where=kind, hint=hint or HINTS[kind])
        self.kind = kind


class SessionFailure(CallFailure):
    """No usable answer from the session service."""

    prefix = "session."
    exit_code = EXIT_INFRASTRUCTURE


class RoomFailure(CallFailure):
    """The LiveKit side of a call."""

    prefix = "room."
    exit_code = EXIT_INFRASTRUCTURE


class JoinFailure(RoomFailure):
    """The room could not be joined, or a stay in it not resumed; `why` is the part of `what` that says why."""

    def __init__(self, kind: FailureKind, why: str, *, hint: str | None = None) -> None:
        super().__init__(kind, f"the room could not be joined: {why}", hint=hint)
        self.why = why


class AgentFailure(CallFailure):
    """The agent fell short."""

    prefix = "agent."
    exit_code = EXIT_AGENT


class OwnFailure(CallFailure):
    """The harness itself failed; never blamed on the agent."""

    prefix = "harness."
    exit_code = EXIT_UNFIT
