"""The progress of a load in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.text.counted import counted

if TYPE_CHECKING:
    from rich.console import Console

EVERY_S = 5.0  # between two lines


class StatusLine:
    """Prints a line every few seconds: how many calls are running, how many have ended, and how."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._next_s = 0.0
        self._phase = ""

    def say(self, line: str) -> None:
        """Prints a line, unless `quiet`."""
        if not self._quiet:
            self._console.print(line)

    def close(self) -> None:
        """Nothing is left to be closed."""

    def status(self, told: dict[str, Any]) -> None:
        """Prints the status that the master sends once a second, at most every `EVERY_S` within a phase."""
        if self._quiet or (told["elapsed_s"] < self._next_s and told["phase"] == self._phase):
            return
        self._phase = told["phase"]
        self._next_s = told["elapsed_s"] + EVERY_S
        ended = told["ended"]
        parts = [f"{told['elapsed_s']:5.0f} s  {told['phase']}", f"{counted(told['alive'], 'call')} alive"]
        parts += [f"{ended[how]} {how}" for how in ("ok", "failed", "cut") if ended.get(how)]
        parts += [f"{told['dropped']} dropped"] if told["dropped"] else []
        parts += [f"{told['unfit']} of {told['turns']} turns unfit"] if told["unfit"] else []
        parts += [f"{count} {kind}" for kind, count in sorted(told["failures"].items())]
        self._console.print("  ".join(parts))
