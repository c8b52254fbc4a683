"""The texts of a room: what `voice.user_text` and `voice.reply` carry, and which of it is an echo."""

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

# What services call the piece of speech or of a reply that a frame is a part of; an `id` may be merely the frame's own.
_SEGMENT_KEYS = ("segment_id", "segmentId", "lk.segment_id", "utterance_id", "utteranceId", "item_id", "itemId")
_OWN_ID_KEYS = ("id", "message_id", "messageId")
_FINAL_KEYS = ("final", "is_final", "isFinal", "lk.transcription_final")
_DRAFT_KEYS = ("partial", "is_partial", "isPartial", "interim")


@dataclass(frozen=True, slots=True)
class ChatText:
    """A text that came.

    Attributes:
        role: Whose it is, and whether it is an echo.
        text: Trimmed.
        type: The frame's own word for it.
        written: As it stood in the frame: the spaces at its ends tell how parts of a text are joined.
        segment: The id of what it is a part of, where the frame has one.
        own_id: Whether that id may be merely the frame's own.
        final: Whether more of the segment may come; None where the frame does not say.
    """

    role: Role
    text: str
    type: str
    written: str = ""
    segment: str | None = None
    own_id: bool = False
    final: bool | None = None

    def fields(self) -> dict[str, Any]:
        """Its fields on the timeline, where `written` is only what the text alone does not tell."""
        return asdict(self) | {"written": None if self.written == self.text else self.written}


@dataclass(frozen=True, slots=True)
class Junk:
    """A frame that is ignored, and why; `space` is a text of nothing but spaces, which may part two tokens."""

    why: str
    space: ChatText | None = None


def outgoing(text: str) -> bytes:
    """The payload of a typed message."""
    return json.dumps({"type": USER, "text": text.strip()}, ensure_ascii=False).encode()


class Chat:
    """Tells echoes from transcripts by the texts sent and not yet echoed."""

    def __init__(self) -> None:
        self._unechoed: Counter[str] = Counter()

    def sent(self, text: str) -> None:
        """A typed message goes out."""
        self._unechoed[as_read(text)] += 1

    def received(self, payload: bytes, *, of_agent: bool = True) -> ChatText | Junk:
        """What a frame on `voice.reply` is. One that is not of the agent is no echo that is awaited."""
        try:
            frame = json.loads(payload.decode("utf-8"))
        except UnicodeDecodeError:
            return Junk("not UTF-8")
        except (ValueError, RecursionError):
            return Junk("not JSON")
        if not isinstance(frame, dict):
            return Junk("not a JSON object")
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
    """The id of what a frame is a part of, and whether it may be the frame's own."""
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
