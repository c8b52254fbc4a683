"""A room's texts: what `voice.user_text` and `voice.reply` carry, and which of them are echoes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from harness.text.as_read import as_read

TOPIC_OUT = "voice.user_text"
TOPIC_IN = "voice.reply"
USER = "user_text"

Role = Literal["echo", "transcript", "reply"]

# Names that services use for the id of the segment a frame is part of; an `id` may be just the frame's own.
_SEGMENT_KEYS = ("segment_id", "segmentId", "lk.segment_id", "utterance_id", "utteranceId", "item_id", "itemId")
_OWN_ID_KEYS = ("id", "message_id", "messageId")
_FINAL_KEYS = ("final", "is_final", "isFinal", "lk.transcription_final")
_DRAFT_KEYS = ("partial", "is_partial", "isPartial", "interim")


@dataclass(frozen=True, slots=True)
class ChatText:
    """A received text.

    Attributes:
        role: Who wrote it, and whether it is an echo.
        text: Stripped.
        type: The frame's `type`.
        written: As in the frame: spaces at its ends show how parts of a text are joined.
        segment: The id of the segment it is part of, if the frame has one.
        own_id: Whether that id may be just the frame's own.
        final: Whether it ends its segment; None if the frame does not say.
    """

    role: Role
    text: str
    type: str
    written: str = ""
    segment: str | None = None
    own_id: bool = False
    final: bool | None = None

    def fields(self) -> dict[str, Any]:
        """Its fields for the timeline; `written` only if it differs from the text."""
        return asdict(self) | {"written": None if self.written == self.text else self.written}


@dataclass(frozen=True, slots=True)
class Junk:
    """An ignored frame, and why; `space` is a text of only spaces, which may separate two tokens."""

    why: str
    space: ChatText | None = None


def outgoing(text: str) -> bytes:
    """The payload of a typed message."""
    return json.dumps({"type": USER, "text": text.strip()}, ensure_ascii=False).encode()


def frame_of(payload: bytes) -> dict[str, Any] | Junk:
    """The JSON object that a frame holds."""
    try:
        frame = json.loads(payload.decode("utf-8"))
    except UnicodeDecodeError:
        return Junk("not UTF-8")
    except (ValueError, RecursionError):
        return Junk("not JSON")
    return frame if isinstance(frame, dict) else Junk("not a JSON object")


class Chat:
    """Distinguishes echoes from transcripts by the texts that were sent and not yet echoed."""

    def __init__(self) -> None:
        self._unechoed: Counter[str] = Counter()

    def sent(self, text: str) -> None:
        """Records a typed message that is being sent."""
        self._unechoed[as_read(text)] += 1

    def received(self, payload: bytes, *, of_agent: bool = True) -> ChatText | Junk:
        """Classifies a frame on `voice.reply`. One that is not from the agent cannot be the echo that is awaited."""
        frame = frame_of(payload)
        if isinstance(frame, Junk):
            return frame
        kind = frame.get("type")
        if not isinstance(kind, str):
            return Junk("without a type")
        written = frame.get("text") if isinstance(frame.get("text"), str) else frame.get("message")
        if not isinstance(written, str):
            return Junk("without a text")
        text = written.strip()
        seen = as_read(text)
        segment, own_id = _segment(frame)
        role: Role = "transcript" if kind == USER else "reply"
        if seen and kind == USER and of_agent and self._unechoed[seen] > 0:
            self._unechoed[seen] -= 1
            role = "echo"
        received = ChatText(role, text, kind, written, segment, own_id, _final(frame))
        if not seen:
            return Junk("empty text", replace(received, text="") if written else None)
        return received


def _segment(frame: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The id of the segment that a frame is part of, and whether it may be just the frame's own."""
    for keys, own in ((_SEGMENT_KEYS, False), (_OWN_ID_KEYS, True)):
        for key in keys:
            value = frame.get(key)
            if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
                return str(value), own
    return None, False


def _final(frame: Mapping[str, Any]) -> bool | None:
    for keys, means in ((_FINAL_KEYS, True), (_DRAFT_KEYS, False)):
        for key in keys:
            value = frame.get(key)
            if isinstance(value, str) and value.lower() in ("true", "false"):
                value = value.lower() == "true"
            if isinstance(value, bool):
                return value is means
    return None
