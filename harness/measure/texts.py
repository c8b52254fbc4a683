"""Which turn each text belongs to.

A transcript belongs to the latest `say`; reply text to the latest turn and, as long as that turn's caller has not
ended, to the one before (or the greeting); an echo to the turn whose text it repeats.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.measure.spans import TurnSpan


@dataclass
class TurnTexts:
    """The texts of one turn (or the greeting); times in ns."""

    replies: list[str] = field(default_factory=list)
    transcripts: list[str] = field(default_factory=list)
    first_reply_ns: int | None = None
    last_transcript_ns: int | None = None
    echo_ns: int | None = None

    @property
    def reply(self) -> str:
        """All reply frames, joined with a space."""
        return " ".join(self.replies)

    @property
    def transcript(self) -> str:
        """All transcripts, joined with a space."""
        return " ".join(self.transcripts)


@dataclass
class AssignedTexts:
    """`turns[i]` are the texts of the i-th turn; `stray` counts texts that belong to nothing."""

    greeting: TurnTexts
    turns: list[TurnTexts]
    stray: int = 0


def assign_texts(turns: Sequence[TurnSpan], texts: Sequence[dict[str, Any]]) -> AssignedTexts:
    """Every text of a call, given to its turn."""
    assigned = AssignedTexts(TurnTexts(), [TurnTexts() for _ in turns])
    spoken = [index for index, turn in enumerate(turns) if turn.kind != "type"]
    unechoed: defaultdict[str, deque[int]] = defaultdict(deque)
    for index, turn in enumerate(turns):
        if turn.kind == "type":
            unechoed[turn.text.strip()].append(index)
    for event in texts:
        t_ns = int(event["t"])
        latest = bisect_right(turns, t_ns, key=lambda turn: turn.started_ns) - 1
        match event["role"]:
            case "reply":
                if latest >= 0 and not _caller_ended(turns[latest], t_ns):
                    latest -= 1
                owner = assigned.turns[latest] if latest >= 0 else assigned.greeting
                owner.replies.append(event["text"])
                if owner.first_reply_ns is None:
                    owner.first_reply_ns = t_ns
            case "transcript":
                said = bisect_right(spoken, latest)
                if said:
                    owner = assigned.turns[spoken[said - 1]]
                    owner.transcripts.append(event["text"])
                    owner.last_transcript_ns = t_ns
                else:
                    assigned.stray += 1
            case _:
                owners = unechoed.get(event["text"])
                if owners and owners[0] <= latest:
                    assigned.turns[owners.popleft()].echo_ns = t_ns
                else:
                    assigned.stray += 1
    return assigned


def _caller_ended(turn: TurnSpan, t_ns: int) -> bool:
    return turn.caller_end_ns is not None and turn.caller_end_ns <= t_ns
