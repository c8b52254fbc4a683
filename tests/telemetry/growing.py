"""Recorded runs that grow again, step by step, as the test says: what the exporting process follows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parents[1] / "recorded"
RUNS = ("burst", "capacity", "faults-light", "faults-sdk", "load", "recording", "talk-light", "talk-sdk")


class GrowingRun:
    """A copy of a recorded run that has not made its calls yet.

    Args:
        name: The recorded run.
        folder: Where it grows.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self._recorded = RECORDED / name
        self.path = folder / name
        (self.path / "timelines").mkdir(parents=True)
        shutil.copy(self._recorded / "run.json", self.path)
        lines = (self._recorded / "calls.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        self._lines = {json.loads(line)["call"]: line for line in lines}

    @property
    def calls(self) -> list[str]:
        """The ids of its calls, in the order in which they ended."""
        return list(self._lines)

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        """The lines of its calls, by their ids."""
        return {call: json.loads(line) for call, line in self._lines.items()}

    @property
    def summary(self) -> dict[str, Any]:
        """What it came to."""
        told: dict[str, Any] = json.loads((self._recorded / "summary.json").read_text(encoding="utf-8"))
        return told

    def begin(self, call: str) -> None:
        """A call has begun: its timeline is there."""
        shutil.copy(self._recorded / "timelines" / f"{call}.jsonl", self.path / "timelines")

    def end(self, call: str) -> None:
        """A call has ended: its line is there."""
        self.write(self._lines[call])

    def write(self, text: str) -> None:
        """Appends to calls.jsonl."""
        with (self.path / "calls.jsonl").open("a", encoding="utf-8") as file:
            file.write(text)

    def rewrite(self) -> None:
        """Replaces calls.jsonl by a file with the same lines, as a run may at its end."""
        lines = (self.path / "calls.jsonl").read_text(encoding="utf-8")
        (self.path / "calls.new").write_text(lines, encoding="utf-8")
        (self.path / "calls.new").replace(self.path / "calls.jsonl")

    def make_all(self) -> None:
        """Makes all calls, one after the other, and writes the summary."""
        for call in self.calls:
            self.begin(call)
            self.end(call)
        shutil.copy(self._recorded / "summary.json", self.path)
