"""The texts of a room: what `voice.user_text` and `voice.reply` carry, and which of it is an echo."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Literal

TOPIC_OUT = "voice.user_text"
TOPIC_IN = "voice.reply"
USER = "user_text"

Role = Literal["echo", "transcript", "reply"]


@dataclass(frozen=True, slots=True)
class ChatText:
    """A text that came: `type` is the frame's own word for it."""

    role: Role
    text: str
    type: str


@dataclass(frozen=True, slots=True)
class Junk:
    """A frame that is ignored, and why."""

    why: str


def outgoing(text: str) -> bytes:
    """The payload of a typed message."""
    return json.dumps({"type": USER, "text": text.strip()}, ensure_ascii=False).encode()


class Chat:
    """Tells echoes from transcripts by the texts sent and not yet echoed."""

    def __init__(self) -> None:
        self._unechoed: Counter[str] = Counter()

    def sent(self, text: str) -> None:
        """A typed message goes out."""
        self._unechoed[text.strip()] += 1

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
        text = frame.get("text") if isinstance(frame.get("text"), str) else frame.get("message")
        if not isinstance(text, str):
            return Junk("without a text")
        text = text.strip()
        if not text:
            return Junk("empty text")
        if kind != USER:
            return ChatText("reply", text, kind)
        if of_agent and self._unechoed[text] > 0:
            self._unechoed[text] -= 1
            return ChatText("echo", text, kind)
        return ChatText("transcript", text, kind)
