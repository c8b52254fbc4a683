"""Formats typer's usage errors like our own, and suggests our option for one of another load tool."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

# Options of Locust, k6 and others, and which of ours they may mean, best first. Only options of the command are
# suggested.
_ELSEWHERE: dict[str, tuple[str, ...]] = {
    "-u": ("--calls", "--max"),
    "--users": ("--calls", "--max"),
    "--vus": ("--calls", "--max"),
    "--vus-max": ("--calls", "--max"),
    "--concurrency": ("--calls", "--max"),
    "-n": ("--calls", "--max"),
    "-c": ("--calls", "--max"),
    "-r": ("--rate", "--session-rate"),
    "--rps": ("--rate", "--session-rate"),
    "--spawn-rate": ("--stages", "--rate", "--session-rate"),
    "--hatch-rate": ("--stages", "--rate", "--session-rate"),
    "-t": ("--duration", "--max-time"),
    "--run-time": ("--duration", "--max-time"),
    "-d": ("--duration", "--max-time"),
    "-i": ("--repeat",),
    "--iterations": ("--repeat",),
    "-s": ("--stages",),
    "--stage": ("--stages",),
    "-H": ("--target",),
    "--host": ("--target",),
    "-j": ("--processes",),
    "--workers": ("--processes",),
    "-o": ("--out",),
    "--tags": ("-k",),
    "-T": ("-k",),
    "-P": ("--web-port",),
}


def told(problem: Any) -> str | None:
    """Returns the error of a command line with its hint; None if nothing was given and the help must be shown."""
    context = getattr(problem, "ctx", None)
    # Compared by name, because the classes are not public in typer.
    if type(problem).__name__ == "NoArgsIsHelpError" or not hasattr(problem, "format_message"):
        return None
    if type(problem).__name__ == "NoSuchOption" and context is not None:
        return _no_such_option(problem.option_name, context)
    command = context.command_path if context is not None else "voice-harness"
    what = problem.format_message().rstrip(".")
    return f"{command}: {what[:1].lower()}{what[1:]}\n  hint: see {command} --help"


def _no_such_option(name: str, context: Any) -> str:
    known = {option: parameter for parameter in context.command.params for option in parameter.opts}
    known.pop("--help", None)
    found = next((option for option in _ELSEWHERE.get(name, ()) if option in known), None) or _alike(name, [*known])
    if found is None:
        return f"no such option {name}\n  hint: {context.command_path} --help lists the options"
    form = " ".join(filter(None, (found, known[found].metavar)))
    return f"no such option {name}; did you mean {found}?\n  hint: {form}: {known[found].help or 'see --help'}"


def _alike(name: str, known: Sequence[str]) -> str | None:
    if not name.startswith("--"):
        return None
    return next(iter(get_close_matches(name, known, n=1, cutoff=0.7)), None)
