"""Tool calls that an agent reports: what a frame on `voice.tool_call` says, and how much of it is kept.

A frame is `{"type": "tool_call", "name": str, "arguments": object, "result": any, "ms": number, "ok": bool}`.
`arguments`, `result` and `ms` may be missing. Anything else is ignored and counted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.call.chat import Junk, frame_of
from harness.text.plain_text import clipped

TOPIC = "voice.tool_call"
KIND = "tool_call"
FRAME_BYTES = 4 * 1024 * 1024  # reading a larger frame would delay the packets of all calls
NAME_CHARS = 200
KEPT_CHARS = 4000  # of the arguments, and of the result, as JSON
KEPT_ARGUMENTS, KEPT_KEY_CHARS, KEPT_VALUE_CHARS = 20, 80, 120  # of arguments that are longer than that
DEEPEST = 64  # levels of lists and objects
TOO_DEEP = f"nested more than {DEEPEST} levels deep"
LONGEST_MS = 1e9

Mask = Callable[[Any], Any]


class _UnfitError(ValueError):
    """A value that no file of a run can hold; the message says why."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call as its agent reports it.

    Attributes:
        name: The tool's name, stripped.
        arguments: What it was called with; long ones are cut, and say so.
        result: What it returned, as in the frame; a long one is its JSON text, cut, and says so.
        ms: How long it took, in milliseconds; None if the frame does not say.
        ok: Whether it succeeded.
        shortened: Whether arguments or result were cut.
    """

    name: str
    arguments: Mapping[str, Any]
    result: Any
    ms: float | None
    ok: bool
    shortened: bool = False

    def fields(self) -> dict[str, Any]:
        """Its fields for the timeline."""
        return asdict(self)


def read_tool_call(payload: bytes, mask: Mask) -> ToolCall | Junk:
    """Reads a frame on `voice.tool_call`.

    Args:
        payload: The frame.
        mask: Masks the secrets in a value. That happens before anything is cut, so that no part of a secret is left.
    """
    if len(payload) > FRAME_BYTES:
        return Junk(f"larger than {FRAME_BYTES // 1024**2} MB")
    frame = frame_of(payload)
    if isinstance(frame, Junk):
        return frame
    why = _misfit(frame)
    if why is not None:
        return Junk(why)
    try:
        arguments, cut_arguments = _kept_arguments(frame.get("arguments") or {}, mask)
        result, cut_result = _kept(frame.get("result"), KEPT_CHARS, mask)
    except _UnfitError as problem:
        return Junk(str(problem))
    except RecursionError:
        return Junk(TOO_DEEP)
    ms = frame.get("ms")
    return ToolCall(
        name=mask(frame["name"].strip()),
        arguments=arguments,
        result=result,
        ms=None if ms is None else round(float(ms), 3),
        ok=frame["ok"],
        shortened=cut_arguments or cut_result,
    )


def _misfit(frame: Mapping[str, Any]) -> str | None:
    """Why a frame is not a tool call; None if it is one."""
    name, arguments, ms = frame.get("name"), frame.get("arguments"), frame.get("ms")
    if frame.get("type") != KIND:
        return f"its type is not {KIND}"
    if not isinstance(name, str) or not name.strip():
        return "without a name"
    if len(name) > NAME_CHARS:
        return f"a name of more than {NAME_CHARS} characters"
    if arguments is not None and not isinstance(arguments, dict):
        return "its arguments are not an object"
    if ms is not None and (isinstance(ms, bool) or not isinstance(ms, int | float) or not 0 <= ms <= LONGEST_MS):
        return "its ms is not a duration"
    return None if isinstance(frame.get("ok"), bool) else "its ok is not true or false"


def _kept(value: Any, most: int, mask: Mask) -> tuple[Any, bool]:
    """The value, or its text cut after `most` characters; and whether it was cut.

    Raises:
        _UnfitError: No file of a run can hold the value.
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) > most:
        return clipped(mask(text), most), True
    _check_fit(value, DEEPEST)
    return mask(value), False


def _kept_arguments(arguments: dict[str, Any], mask: Mask) -> tuple[dict[str, Any], bool]:
    """The arguments, or the first of them with long values cut; and whether anything was cut.

    Raises:
        _UnfitError: No file of a run can hold them.
    """
    if len(json.dumps(arguments, ensure_ascii=False)) <= KEPT_CHARS:
        _check_fit(arguments, DEEPEST)
        return mask(arguments), False
    kept = {
        clipped(mask(name), KEPT_KEY_CHARS): _kept(value, KEPT_VALUE_CHARS, mask)[0]
        for name, value in list(arguments.items())[:KEPT_ARGUMENTS]
    }
    left = len(arguments) - KEPT_ARGUMENTS
    return kept | ({"…": f"{left:,} more"} if left > 0 else {}), True


def _check_fit(value: Any, levels: int) -> None:
    """Checks that a value is made of finite numbers, and not nested too deeply.

    Raises:
        _UnfitError: It is not.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise _UnfitError("a number that is not finite")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if inner and levels == 0:
        raise _UnfitError(TOO_DEEP)
    for each in inner:
        _check_fit(each, levels - 1)
