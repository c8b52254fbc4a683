"""Assigns each text of a call to its turn.

A transcript belongs to the latest spoken turn in which the caller has begun to speak. Reply text belongs to the latest
turn, or to the previous one (or the greeting) until the caller has ended. An echo belongs to the turn whose text it
repeats. A frame with a segment id belongs to the turn in which that segment began.
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
    """The texts of one turn (or the greeting); times in ns. Properties are cached, so add all pieces before reading."""

    said: str = ""
    replies: list[Piece] = field(default_factory=list)
    transcripts: list[Piece] = field(default_factory=list)
    echo_ns: int | None = None

    @cached_property
    def reply(self) -> str:
        """The agent's reply text, assembled."""
        return settle_reply(self.replies).text

    @property
    def transcript(self) -> str:
        """The transcript of the caller, assembled."""
        return self._heard.text

    @property
    def first_reply_ns(self) -> int | None:
        """When the first reply frame with a text was received."""
        return next((piece.t_ns for piece in self.replies if piece.text), None)

    @property
    def transcript_ns(self) -> int | None:
        """When the last part of the final transcript was first received."""
        return self._heard.settled_ns

    @cached_property
    def _heard(self) -> Settled:
        return settle_transcript(self.transcripts, self.said)


@dataclass
class AssignedTexts:
    """The texts of a call; `turns[i]` are those of the i-th turn.

    `stray` counts texts that belong to no turn, `altered_echoes` echoes that differ from the text that was sent,
    though they look alike.
    """

    greeting: TurnTexts
    turns: list[TurnTexts]
    stray: int = 0
    altered_echoes: int = 0


def assign_texts(
    turns: Sequence[TurnSpan], texts: Sequence[TextCame], spaces: Sequence[JunkCame] = ()
) -> AssignedTexts:
    """Assigns the texts of a call; `spaces` are frames with only spaces, which may separate two tokens."""
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
                owner = ids.owner(event, turn_answered(turns, t_ns))
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
    """The segments of frames. A field named `id` counts as a segment id only if ids are repeated within the call."""

    def __init__(self, texts: Sequence[Frame]) -> None:
        self._count = Counter(self._named(event) for event in texts)
        self._again = {event.role for event in texts if event.own_id and self._count[self._named(event)] > 1}
        self._owners: dict[tuple[str, str], int] = {}

    @staticmethod
    def _named(event: Frame) -> tuple[str, str] | None:
        segment = event.segment
        return None if segment is None else (event.role or "", segment)

    def _segment(self, event: Frame) -> tuple[str, str] | None:
        """The segment id, or None if it may be only the frame's own id."""
        named = self._named(event)
        if event.own_id and event.role not in self._again:
            return None
        return named

    def is_known(self, event: Frame) -> bool:
        """Whether the frame's segment has begun before."""
        return self._segment(event) in self._owners

    def owner(self, event: Frame, index: int) -> int:
        """The turn of a text that arrived in turn `index`: the one in which its segment began."""
        segment = self._segment(event)
        return index if segment is None else self._owners.setdefault(segment, index)

    def piece(self, event: Frame) -> Piece:
        """The text as a piece of its turn's text."""
        segment = self._segment(event)
        return Piece(
            text=event.text or "",
            t_ns=event.t_ns,
            written=event.written or "",
            type=event.type or "",
            segment=None if segment is None else segment[1],
            final=event.final,
        )


def turn_answered(turns: Sequence[TurnSpan], t_ns: int) -> int:
    """The index of the latest turn whose caller had ended by `t_ns`, or -1: what the agent sends then belongs to it."""
    latest = bisect_right(turns, t_ns, key=lambda turn: turn.started_ns) - 1
    return latest - 1 if latest >= 0 and not _caller_ended(turns[latest], t_ns) else latest


def _caller_ended(turn: TurnSpan, t_ns: int) -> bool:
    return turn.caller_end_ns is not None and turn.caller_end_ns <= t_ns


def _has_spoken(turn: TurnSpan, t_ns: int) -> bool:
    """Whether the caller had begun to speak by `t_ns`. Unknown for a turn that was cut, but a `say` starts at once."""
    if turn.caller_start_ns is None:
        return turn.kind == "say"
    return turn.caller_start_ns <= t_ns
