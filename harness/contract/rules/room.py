"""Section 4: what was seen in the room that was joined."""

from __future__ import annotations

import json
from collections.abc import Callable

from harness.contract.evidence import Evidence, Frame, RoomSeen
from harness.contract.registry import Judged, Level, broken, met, not_tried, register


def _room(
    name: str, sentence: str, judge: Callable[[RoomSeen], Judged], *, joined: bool = True, level: Level = "rule"
) -> None:
    def judged(evidence: Evidence) -> Judged:
        seen = evidence.room
        if seen is None:
            return not_tried(evidence.no_room)
        if joined and not seen.joined:
            return not_tried("the room was not joined")
        return judge(seen)

    register(f"room.{name}", 4, sentence, judged, level=level)


def _joined(seen: RoomSeen) -> Judged:
    return met() if seen.joined and not seen.problem else broken("the room cannot be used", came=seen.problem)


def _agent(seen: RoomSeen) -> Judged:
    if seen.agent is not None:
        return met(seen.agent)
    others = ", ".join(seen.others) or "nobody"
    return broken("no agent came", came=f"in the room: {others}")


def _audio(seen: RoomSeen) -> Judged:
    if seen.agent is None:
        return not_tried("no agent came")
    if seen.audio_tracks == 1:
        return met()
    return broken("the agent does not publish one audio track", came=f"{seen.audio_tracks} audio tracks")


def _greeting(seen: RoomSeen) -> Judged:
    if seen.agent is None:
        return not_tried("no agent came")
    return met() if seen.spoke else broken("no voice was heard before we typed", came="silence")


def _asked_greeting(seen: RoomSeen) -> Judged:
    if not seen.greeting:
        return not_tried("the session was not created with a greeting")
    said = [frame for frame in seen.frames if not frame.is_of_user and frame.text]
    early = _letters("".join(frame.text for frame in said if not frame.after_typing))
    if not early:
        return not_tried("the agent sent no text of its greeting")
    # What we typed may have cut it short.
    if _letters(seen.greeting) in _letters("".join(frame.text for frame in said)):
        return met()
    if _letters(seen.greeting).startswith(early):
        return met()
    return broken("the greeting is another one", sent=seen.greeting, came="; ".join(_shown(frame) for frame in said))


def _echo(seen: RoomSeen) -> Judged:
    if seen.typed is None:
        return not_tried(_untyped(seen))
    if any(frame.after_typing and frame.is_of_user and frame.text == seen.typed for frame in seen.frames):
        return met()
    echoes = [_shown(frame) for frame in seen.frames if frame.after_typing]
    return broken("no frame echoes it with the same text", sent=seen.typed, came="; ".join(echoes) or "no frame")


def _echo_once(seen: RoomSeen) -> Judged:
    if seen.typed is None:
        return not_tried(_untyped(seen))
    echoes = sum(frame.after_typing and frame.is_of_user and frame.text == seen.typed for frame in seen.frames)
    if echoes > 1:
        return broken("a client shows the second one as said aloud", sent=seen.typed, came=f"{echoes} echoes")
    return met() if echoes else not_tried("no echo came")


def _reply(seen: RoomSeen) -> Judged:
    if seen.typed is None:
        return not_tried(_untyped(seen))
    if any(frame.after_typing and not frame.is_of_user and not _of_greeting(frame, seen) for frame in seen.frames):
        return met()
    return broken("no reply came on voice.reply", sent=seen.typed, came=f"{len(seen.frames)} frames")


def _form(seen: RoomSeen) -> Judged:
    if not seen.frames:
        return not_tried("no frame came")
    for frame in seen.frames:
        content = frame.content
        if content is None:
            return broken("a frame is not a JSON object in UTF-8", came=_shown(frame))
        if not isinstance(content.get("type"), str):
            return broken("a frame has no `type`", came=_shown(frame))
        if not any(isinstance(content.get(name), str) for name in ("text", "message")):
            return broken("a frame has neither `text` nor `message`", came=_shown(frame))
    return met(f"{len(seen.frames)} frames")


def _left(seen: RoomSeen) -> Judged:
    if seen.left_behind is None:
        return not_tried(seen.not_looked)
    if not seen.left_behind:
        return met()
    return broken("somebody of the call is still in the room", came=f"in the room: {', '.join(seen.left_behind)}")


def _untyped(seen: RoomSeen) -> str:
    return seen.problem or "no agent came to type to"


def _of_greeting(frame: Frame, seen: RoomSeen) -> bool:
    """Whether a frame has no text, or most of the greeting that was asked for: its text may come after we typed."""
    said, greeting = _letters(frame.text), _letters(seen.greeting)
    return not frame.text or (said in greeting and 2 * len(said) > len(greeting) > 0)


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _shown(frame: Frame) -> str:
    content = frame.content
    return json.dumps(content, ensure_ascii=False) if content is not None else repr(frame.payload[:200])


_room(
    "joined", "The token joins the room at `livekit_url`, and the microphone can be published.", _joined, joined=False
)
_room("agent", "The agent joins the same room.", _agent)
_room("audio", "The agent publishes one audio track.", _audio)
_room("greeting", "The agent speaks its greeting first.", _greeting)
_room("greeting.override", "The greeting of the session is the one that its override names.", _asked_greeting)
_room("echo", "A text on `voice.user_text` is echoed on `voice.reply` as `user_text`, with the same text.", _echo)
_room("echo.once", "A typed text is echoed once.", _echo_once, level="advice")
_room("reply", "The agent answers a typed text on `voice.reply`.", _reply)
_room("reply.form", "Each frame on `voice.reply` is a JSON object with `type`, and `text` or `message`.", _form)
_room("left", "After the caller has left, nobody of the call stays in the room.", _left)
