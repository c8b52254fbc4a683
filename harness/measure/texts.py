"""Which turn each text belongs to.

A transcript belongs to the latest `say` that has begun to speak; reply text to the latest turn and, as long as that
turn's caller has not ended, to the one before (or the greeting); an echo to the turn whose text it repeats. A frame
that names a segment belongs to where that segment began.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from harness.measure.segments import Piece, Settled, settle_reply, settle_transcript
from harness.text.as_read import as_read
from harness.timeline.events import JunkCame, TextCame
from harness.timeline.spans import TurnSpan

Frame = TextCame | JunkCame


@dataclass
class TurnTexts:
    """The texts of one turn (or the greeting), complete before the first look at them; times in ns."""

    said: str = ""
    replies: list[Piece] = field(default_factory=list)
    transcripts: list[Piece] = field(default_factory=list)
    echo_ns: int | None = None

    @cached_property
    def reply(self) -> str:
        """What the agent wrote, put together."""
        return settle_reply(self.replies).text

    @property
    def transcript(self) -> str:
        """What was heard of the caller, put together."""
        return self._heard.text

    @property
    def first_reply_ns(self) -> int | None:
        """When the first reply frame with a text came."""
        return next((piece.t_ns for piece in self.replies if piece.text), None)

    @property
    def transcript_ns(self) -> int | None:
        """When the last of the final transcript first came."""
        return self._heard.settled_ns

    @cached_property
    def _heard(self) -> Settled:
        return settle_transcript(self.transcripts, self.said)


@dataclass
class AssignedTexts:
    """`turns[i]` are the texts of the i-th turn.

    `stray` counts texts that belong to nothing, `altered_echoes` echoes that only look like the text that was sent.
    """

    greeting: TurnTexts
    turns: list[TurnTexts]
    stray: int = 0
    altered_echoes: int = 0


def assign_texts(
    turns: Sequence[TurnSpan], texts: Sequence[TextCame], spaces: Sequence[JunkCame] = ()
) -> AssignedTexts:
    """Every text of a call, given to its turn; `spaces` are frames of nothing else, which may part two tokens."""
    frames: Sequence[Frame] = sorted([*texts, *spaces], key=lambda event: event.t_ns) if spaces else texts
    assigned = AssignedTexts(TurnTexts(), [TurnTexts(turn.text or "") for turn in turns])
    spoken = [index for index, turn in enumerate(turns) if turn.kind != "type"]
    unechoed: defaultdict[str, deque[int]] = defaultdict(deque)
    for index, turn in enumerate(turns):
        if turn.kind == "type":
            unechoed[as_read(turn.text)].append(index)
    ids = _Ids(frames)
    for event in frames:
        t_ns = event.t_ns
        latest = bisect_right(turns, t_ns, key=lambda turn: turn.started_ns) - 1
        match event.role:
            case "reply":
                if latest >= 0 and not _caller_ended(turns[latest], t_ns):
                    latest -= 1
                owner = ids.owner(event, latest)
                pieces = (assigned.turns[owner] if owner >= 0 else assigned.greeting).replies
                pieces.append(ids.piece(event))
            case "transcript":
                said = bisect_right(spoken, latest)
                while said and not _has_spoken(turns[spoken[said - 1]], t_ns):
                    said -= 1
                if said or ids.is_known(event):
                    owner = ids.owner(event, spoken[said - 1] if said else -1)
                    assigned.turns[owner].transcripts.append(ids.piece(event))
                elif event.text:
                    assigned.stray += 1
            case _:
                owners = unechoed.get(as_read(event.text or ""))
                if owners and owners[0] <= latest:
                    index = owners.popleft()
                    assigned.turns[index].echo_ns = t_ns
                    assigned.altered_echoes += event.text != turns[index].text.strip()
                else:
                    assigned.stray += 1
    return assigned


class _Ids:
    """The segments that frames name: what `id` stands for is one only where it comes again in the call."""

    def __init__(self, texts: Sequence[Frame]) -> None:
        self._count = Counter(self._named(event) for event in texts)
        self._again = {event.role for event in texts if event.own_id and self._count[self._named(event)] > 1}
        self._owners: dict[tuple[str, str], int] = {}

    @staticmethod
    def _named(event: Frame) -> tuple[str, str] | None:
        segment = event.segment
        return None if segment is None else (event.role or "", segment)

    def _segment(self, event: Frame) -> tuple[str, str] | None:
        """The segment's id, unless it may be merely the frame's own."""
        named = self._named(event)
        if event.own_id and event.role not in self._again:
            return None
        return named

    def is_known(self, event: Frame) -> bool:
        """Whether its segment has begun before."""
        return self._segment(event) in self._owners

    def owner(self, event: Frame, index: int) -> int:
        """The turn of a text that came in turn `index`: that where its segment began."""
        segment = self._segment(event)
        return index if segment is None else self._owners.setdefault(segment, index)

    def piece(self, event: Frame) -> Piece:
        """The text as a part of what its turn is told."""
        segment = self._segment(event)
        return Piece(
            text=event.text or "",
            t_ns=event.t_ns,
            written=event.written or "",
            type=event.type or "",
            segment=None if segment is None else segment[1],
            final=event.final,
        )


def _caller_ended(turn: TurnSpan, t_ns: int) -> bool:
    return turn.caller_end_ns is not None and turn.caller_end_ns <= t_ns


def _has_spoken(turn: TurnSpan, t_ns: int) -> bool:
    """Whether its caller had begun by then; of one that was cut off nobody knows, but a `say` speaks at once."""
    if turn.caller_start_ns is None:
        return turn.kind == "say"
    return turn.caller_start_ns <= t_ns
