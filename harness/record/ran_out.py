"""The resource that ran out when the harness was not fit to measure: kinds and their figures.

`calls.jsonl` stores the sentence. Only `RanOut.read` parses it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from harness.text.counted import counted

RanOutKind = Literal[
    "stolen",
    "throttled",
    "collection",
    "computing",
    "measuring",
    "saving",
    "threads",
    "disk",
    "memory",
    "python",
    "udp",
    "busy",
    "waited",
    "stopped",
    "unseen",
    "other",
]
# What ran out, and the evidence.
_SENTENCES: dict[RanOutKind, tuple[str, str]] = {
    "stolen": ("the machine's CPU time", "its host gave {figure} % of it to others"),
    "throttled": ("the container's CPU quota", "it held us back for {figure} ms in a second"),
    "collection": ("our own garbage collection stopped the process for {figure} ms", ""),
    "computing": ("our own event loop computed for {figure} ms at a stretch", "{detail}"),
    "measuring": ("a finished call was being measured for {figure} ms", ""),
    "saving": ("a finished call's recording was being saved for {figure} ms", ""),
    "threads": ("other threads of our own process computed for {figure} ms", ""),
    "disk": ("a write to disk took {figure} ms", ""),
    "memory": ("the machine's memory", "ours had to be read from disk again, {times}"),
    "python": ("our own process", "its one Python thread was {figure} % busy; make fewer calls at once"),
    "busy": ("the machine's CPU", "{figure} % busy, {cores:.1f} of its cores by us"),
    "udp": ("the kernel's receive queue", "it dropped UDP packets"),
    "waited": ("the machine's CPU", "ours waited {figure} ms for one at a stretch"),
    "stopped": ("nothing that was seen", "the process was stopped for {figure} ms, with work to do"),
    "unseen": ("nothing that was seen", "the process was stopped, or the CPU was taken in bursts"),
    "other": ("{name}", "{detail}"),
}
# Where the first half has a figure: what ran out without it.
_SHORT: dict[RanOutKind, str] = {
    "collection": "our own garbage collection stopped the process",
    "computing": "our own event loop computed for long at a stretch",
    "measuring": "a finished call was being measured",
    "saving": "a finished call's recording was being saved",
    "threads": "other threads of our own process computed",
    "disk": "a write to disk took long",
}
_FIELDS = {
    "figure": r"(?P<figure>\d+)",
    "times": r"(?P<times>\d+) times?",
    "cores:.1f": r"(?P<cores>\d+\.\d)",
    "name": r"(?P<name>[^:]*)",
    "detail": r"(?P<detail>.+)",
}


@dataclass(frozen=True, slots=True)
class RanOut:
    """A resource that ran out.

    Attributes:
        kind: The kind of resource.
        figure: A duration in ms, a percentage or a count, depending on `kind`.
        cores: The number of the machine's cores that the harness used.
        name: What ran out, for a kind that this version does not know.
        detail: Further text for some kinds.
    """

    kind: RanOutKind
    figure: int = 0
    cores: float = 0.0
    name: str = ""
    detail: str = ""

    @property
    def in_short(self) -> str:
        """What ran out, without figures and evidence, so that turns can be counted by it."""
        return _SHORT.get(self.kind) or self._filled(_SENTENCES[self.kind][0])

    def __str__(self) -> str:
        return ": ".join(filter(None, map(self._filled, _SENTENCES[self.kind])))

    def _filled(self, half: str) -> str:
        times = counted(self.figure, "time")
        return half.format(figure=self.figure, times=times, cores=self.cores, name=self.name, detail=self.detail)

    @classmethod
    def read(cls, text: str) -> RanOut:
        """Parses a sentence; an unknown one, from another version, gets the kind `other`."""
        for kind, pattern in _patterns():
            if found := pattern.fullmatch(text):
                said = found.groupdict(default="")
                return cls(
                    kind,
                    figure=int(said.get("figure") or said.get("times") or 0),
                    cores=float(said.get("cores", 0)),
                    name=said.get("name", ""),
                    detail=said.get("detail", ""),
                )
        return cls("other", name=text)


@cache
def _patterns() -> list[tuple[RanOutKind, re.Pattern[str]]]:
    return [(kind, re.compile(_pattern(*halves), re.DOTALL)) for kind, halves in _SENTENCES.items()]


def _pattern(what: str, how: str) -> str:
    """Returns the regular expression that matches the sentence."""
    parts = re.split(r"\{([^}]+)\}", f"{what}: {how}" if how else what)
    return "".join(_FIELDS[part] if index % 2 else re.escape(part) for index, part in enumerate(parts))
