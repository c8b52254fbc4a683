"""Assembles the text of a turn from the frames that carried it.

Services send the same words several times: interim transcripts that grow and change, repeated finals, replies that grow
from frame to frame, and single tokens. A frame replaces the previous one if it is the same segment (by its id, or else
by a common prefix or similarity); the remaining segments are joined as written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.text.as_read import as_read, letters_of

ALIKE = 0.65  # similarity of the letters; unrelated sentences reach up to about 0.5
GOES_BACK_TO = 0.6  # an interim may shrink to this share of its length; anything shorter starts another sentence
TOKEN_LENGTH = 12.0  # characters: frames that end with a space and are shorter on average are a stream of tokens
RESENT_LENGTH = 8  # letters: a shorter text may really have been said twice
_DELTA = re.compile(r"delta|token|chunk", re.IGNORECASE)
_CLOSING = frozenset(".,;:!?%\u2026\u3002\u3001")
_SENTENCE_ENDS = frozenset(".!?:\u2026")
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "IDEOGRAPHIC", "FULLWIDTH")


@dataclass(frozen=True, slots=True)
class Piece:
    """A frame's text, both trimmed and as written; `final` is None if the frame does not say."""

    text: str
    t_ns: int
    written: str = ""
    type: str = ""
    segment: str | None = None
    final: bool | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """The assembled text; `settled_ns` is when its last part was first received."""

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
    """One interpretation of the frames: whether similar or growing ones replace each other."""

    recogniser: bool
    likeness: bool
    growth: bool
    streamed: bool
    segments: list[_Segment] = field(default_factory=list)

    def add(self, piece: Piece) -> None:
        """Adds the next frame."""
        letters = letters_of(piece.text)
        if not letters:
            self._append(piece, letters)
        elif piece.segment is not None:
            self._add_by_id(piece, letters)
        else:
            self._add_by_words(piece, letters)

    def _add_by_id(self, piece: Piece, letters: str) -> None:
        same = next((segment for segment in reversed(self.segments) if segment.id == piece.segment), None)
        # A recogniser's segment is one text, no matter how often it is revised.
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
        """Whether the last segment is an earlier version of this piece, to be replaced by it."""
        if self._is_same_again(last, piece, letters) or self._continues(last, piece, letters):
            return True
        if last.final is not None and not self.streamed:
            return not last.final
        return self.likeness and self._is_revision(last, piece, letters)

    def _is_same_again(self, last: _Segment, piece: Piece, letters: str) -> bool:
        return self.growth and letters == last.letters and not self._is_token(piece, letters)

    def _was_sent_before(self, piece: Piece, letters: str) -> bool:
        """Whether this repeats an earlier segment that others have followed since."""
        if not self.growth or len(letters) < RESENT_LENGTH or self._is_token(piece, letters):
            return False
        return any(segment.letters == letters for segment in self.segments[:-1])

    def _continues(self, last: _Segment, piece: Piece, letters: str) -> bool:
        """Whether this is the last text, grown. In a token stream (` to`, ` tomorrow`) it must repeat all of it."""
        if not self.growth or not last.letters or letters == last.letters or not letters.startswith(last.letters):
            return False
        if not self.streamed:
            return True
        alone = last is self.segments[0] if piece.segment is None else True
        so_far = as_read("".join(last.parts))
        return alone and not self._goes_on(piece) and as_read(piece.text).startswith(so_far) and " " in piece.text

    def _goes_on(self, piece: Piece) -> bool:
        """Whether a frame of a stream begins with the space that separates it from the previous one."""
        return self.streamed and piece.written[:1].isspace()

    def _is_revision(self, last: _Segment, piece: Piece, letters: str) -> bool:
        """Whether this is a different recognition of the same speech."""
        from rapidfuzz.distance import Indel

        if len(letters) < GOES_BACK_TO * len(last.letters) or self._is_token(piece, letters):
            return False
        as_far = letters[: len(last.letters) + len(last.letters) // 4 + 2]
        return max(Indel.normalized_similarity(last.letters, beginning) for beginning in (as_far, letters)) >= ALIKE

    def _is_token(self, piece: Piece, letters: str) -> bool:
        """Whether this is a token of a stream, where the same token may occur twice and count twice (`five five`)."""
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
        """The text, and when its last part was first received."""
        parts = [part for segment in self.segments for part in segment.parts]
        times = [segment.t_ns for segment in self.segments if segment.letters] or [
            segment.t_ns for segment in self.segments
        ]
        return Settled(joined(parts, streamed=self.streamed), max(times, default=None))


def settle_reply(pieces: Sequence[Piece]) -> Settled:
    """Assembles an agent's reply. It may grow, but two similar texts are two."""
    return _read(pieces, recogniser=False, likeness=False, growth=True)


def settle_transcript(pieces: Sequence[Piece], said: str) -> Settled:
    """Assembles the transcript of what was said; `said` is empty if that is unknown.

    Similar frames may be two drafts of one sentence, or two sentences. Of the possible readings, the one closest to
    `said` is taken; on a tie, the first.
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
    """Whether the frames are tokens: fragments of sentences that carry their own spaces."""
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
    """Joins texts: as written if they carry their own spaces, otherwise with a space where words need one."""
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
    """Whether the character takes no space before it."""
    return unicodedata.normalize("NFKC", char) in _CLOSING or unicodedata.category(char) in ("Pe", "Pf")


def _is_unspaced(char: str) -> bool:
    """Whether the character's script puts no spaces between words."""
    return unicodedata.name(char, "").startswith(_UNSPACED)
