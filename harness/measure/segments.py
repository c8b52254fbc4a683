"""The text of a turn, put together from the frames that carried it.

Services send the same words several times: interim transcripts that grow and change, finals sent again, replies that
grow from frame to frame, and tokens that mean nothing alone. A frame replaces the one before where it is the same
segment (by its id, else by a common beginning or likeness); what is left is joined as it was written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.text.as_read import as_read, letters_of

ALIKE = 0.65  # of the letters; two sentences that have nothing to do with each other share up to about half
GOES_BACK_TO = 0.6  # of its length an interim may shrink; a shorter one is the beginning of another sentence
TOKEN_LENGTH = 12.0  # characters: frames that are shorter on average, and end with a space, are a stream of tokens
RESENT_LENGTH = 8  # letters: shorter ones may be said twice
_DELTA = re.compile(r"delta|token|chunk", re.IGNORECASE)
_CLOSING = frozenset(".,;:!?%\u2026\u3002\u3001")
_SENTENCE_ENDS = frozenset(".!?:\u2026")
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "IDEOGRAPHIC", "FULLWIDTH")


@dataclass(frozen=True, slots=True)
class Piece:
    """A frame's text: trimmed, and as it was written; `final` is None where the frame says nothing of it."""

    text: str
    t_ns: int
    written: str = ""
    type: str = ""
    segment: str | None = None
    final: bool | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What is left of the pieces; `settled_ns` is when the last of it first came."""

    text: str = ""
    settled_ns: int | None = None


@dataclass
class _Segment:
    parts: list[str]
    letters: str
    t_ns: int
    id: str | None
    final: bool | None


@dataclass
class _Reading:
    """One way to read the frames: whether those that are alike, or grow, replace one another."""

    recogniser: bool
    likeness: bool
    growth: bool
    streamed: bool
    segments: list[_Segment] = field(default_factory=list)

    def add(self, piece: Piece) -> None:
        """The next frame."""
        letters = letters_of(piece.text)
        if not letters:
            self._append(piece, letters)
        elif piece.segment is not None:
            self._add_by_id(piece, letters)
        else:
            self._add_by_words(piece, letters)

    def _add_by_id(self, piece: Piece, letters: str) -> None:
        same = next((segment for segment in reversed(self.segments) if segment.id == piece.segment), None)
        # A recogniser's segment is one text, however it was revised.
        revised = self.recogniser and not self.streamed
        if same is None:
            self._append(piece, letters)
        elif revised or self._is_same_again(same, piece, letters) or self._continues(same, piece, letters):
            self._replace(same, piece, letters)
        else:
            same.parts.append(piece.written or piece.text)
            same.letters += letters
            same.t_ns, same.final = piece.t_ns, piece.final

    def _add_by_words(self, piece: Piece, letters: str) -> None:
        if not self.segments:
            self._append(piece, letters)
            return
        last, whole = self.segments[-1], "".join(segment.letters for segment in self.segments)
        if self._was_sent_before(piece, letters):
            return
        grows = len(self.segments) > 1 and len(whole) > 1 and letters.startswith(whole)
        if self.growth and grows and not self._goes_on(piece):
            del self.segments[1:]
            self._replace(self.segments[0], piece, letters)
        elif self._is_draft(last, piece, letters):
            self._replace(last, piece, letters)
        else:
            self._append(piece, letters)

    def _is_draft(self, last: _Segment, piece: Piece, letters: str) -> bool:
        """Whether the last text is one of the same words as this, which now takes its place."""
        if self._is_same_again(last, piece, letters) or self._continues(last, piece, letters):
            return True
        if last.final is not None and not self.streamed:
            return not last.final
        return self.likeness and self._is_revision(last, piece, letters)

    def _is_same_again(self, last: _Segment, piece: Piece, letters: str) -> bool:
        return self.growth and letters == last.letters and not self._is_token(piece, letters)

    def _was_sent_before(self, piece: Piece, letters: str) -> bool:
        """Whether an earlier segment is sent again, though others have come since."""
        if not self.growth or len(letters) < RESENT_LENGTH or self._is_token(piece, letters):
            return False
        return any(segment.letters == letters for segment in self.segments[:-1])

    def _continues(self, last: _Segment, piece: Piece, letters: str) -> bool:
        """Whether this is the same text, grown; of a stream (` to`, ` tomorrow`) only where it has all of it again."""
        if not self.growth or not last.letters or letters == last.letters or not letters.startswith(last.letters):
            return False
        if not self.streamed:
            return True
        alone = last is self.segments[0] if piece.segment is None else True
        so_far = as_read("".join(last.parts))
        return alone and not self._goes_on(piece) and as_read(piece.text).startswith(so_far) and " " in piece.text

    def _goes_on(self, piece: Piece) -> bool:
        """Whether a frame of a stream begins with the space that parts it from the one before."""
        return self.streamed and piece.written[:1].isspace()

    def _is_revision(self, last: _Segment, piece: Piece, letters: str) -> bool:
        """Whether this is the same stretch of speech, heard otherwise."""
        from rapidfuzz.distance import Indel

        if len(letters) < GOES_BACK_TO * len(last.letters) or self._is_token(piece, letters):
            return False
        as_far = letters[: len(last.letters) + len(last.letters) // 4 + 2]
        return max(Indel.normalized_similarity(last.letters, beginning) for beginning in (as_far, letters)) >= ALIKE

    def _is_token(self, piece: Piece, letters: str) -> bool:
        """Whether this is one of a stream, where the same may come twice and both count (`five five`)."""
        return self.streamed and (len(letters) < RESENT_LENGTH or " " not in piece.text)

    def _append(self, piece: Piece, letters: str) -> None:
        self.segments.append(_Segment([piece.written or piece.text], letters, piece.t_ns, piece.segment, piece.final))

    @staticmethod
    def _replace(old: _Segment, piece: Piece, letters: str) -> None:
        changed = as_read("".join(old.parts)) != as_read(piece.text)
        became_final = bool(piece.final) and not old.final
        if changed or became_final:
            old.t_ns = piece.t_ns
        old.parts, old.letters, old.final = [piece.written or piece.text], letters, old.final or piece.final

    def settled(self) -> Settled:
        """The text, and when the last of it first came."""
        parts = [part for segment in self.segments for part in segment.parts]
        times = [segment.t_ns for segment in self.segments if segment.letters] or [
            segment.t_ns for segment in self.segments
        ]
        return Settled(joined(parts, streamed=self.streamed), max(times, default=None))


def settle_reply(pieces: Sequence[Piece]) -> Settled:
    """An agent's reply. It may grow; two that are merely alike are two."""
    return _read(pieces, recogniser=False, likeness=False, growth=True)


def settle_transcript(pieces: Sequence[Piece], said: str) -> Settled:
    """A transcript of what was said; `said` is empty where nobody knows.

    Frames that are alike may be two drafts of one sentence, or two sentences: of both readings the one is taken that is
    nearer to what was said, the first where they are equally near.
    """
    readings = [_read(pieces, recogniser=True, likeness=True, growth=True)]
    target = letters_of(said)
    if len(pieces) == 1 or not target:
        return readings[0]
    from rapidfuzz.distance import Indel

    readings += [_read(pieces, recogniser=True, likeness=False, growth=growth) for growth in (True, False)]
    return min(readings, key=lambda reading: Indel.distance(letters_of(reading.text), target))


def _read(pieces: Sequence[Piece], *, recogniser: bool, likeness: bool, growth: bool) -> Settled:
    reading = _Reading(recogniser, likeness, growth, _is_stream(pieces))
    for piece in pieces:
        reading.add(piece)
    return reading.settled()


def _is_stream(pieces: Sequence[Piece]) -> bool:
    """Whether the frames are parts of words and sentences, with the spaces where they belong."""
    if len(pieces) < 2:
        return False
    if any(_DELTA.search(piece.type) for piece in pieces):
        return True
    written = [piece.written or piece.text for piece in pieces]
    if any(text[:1].isspace() for text in written[1:]):
        return True
    ends_spaced = any(text[-1:].isspace() for text in written[:-1])
    return ends_spaced and sum(map(len, written)) / len(written) < TOKEN_LENGTH


def joined(parts: Sequence[str], *, streamed: bool) -> str:
    """Texts as one: as written where they bring their own spaces, else with a space where words need one."""
    text = ""
    for part in parts:
        text += (_between(text, part, streamed=streamed) + part.lstrip()) if part.strip() else part
    return text.strip()


def _between(before: str, after: str, *, streamed: bool) -> str:
    if not before or before[-1].isspace():
        return ""
    first = after.lstrip()[:1]
    if after[:1].isspace():
        return after[: len(after) - len(after.lstrip())]
    if _closes(first) or (_is_unspaced(before[-1]) and _is_unspaced(first)):
        return ""
    if streamed and not (before[-1] in _SENTENCE_ENDS and first.isupper()):
        return ""
    return " "


def _closes(char: str) -> bool:
    """Whether no space stands before it."""
    return unicodedata.normalize("NFKC", char) in _CLOSING or unicodedata.category(char) in ("Pe", "Pf")


def _is_unspaced(char: str) -> bool:
    """Whether it is of a script that puts no spaces between words."""
    return unicodedata.name(char, "").startswith(_UNSPACED)
