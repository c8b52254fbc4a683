"""The result of a tool: its text, cut to what is read, and the sentences of it that are spoken."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from harness.stack.tools.listed import in_words
from harness.stack.tools.trouble import MOST_RESULT_BYTES
from harness.text.sentences import sentences

MOST_SENTENCES = 3
MOST_SPOKEN_CHARS = 400
MOST_ENTRIES = 6
_MARKS = re.compile(r"[*`#>|_~]+")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}


def text_of(content: Iterable[Any]) -> str:
    """The text of a result's content, at most `MOST_RESULT_BYTES` of it; images and sounds have none."""
    texts = [
        str(getattr(one, "text", "")) or str(getattr(getattr(one, "resource", None), "text", "")) for one in content
    ]
    return cut("\n".join(filter(None, texts)))


def cut(text: str, most_bytes: int = MOST_RESULT_BYTES) -> str:
    """The first bytes of a text, without half a character at the end."""
    return text.encode(errors="replace")[:most_bytes].decode(errors="ignore")


def spoken(text: str) -> str:
    """The first sentences of a result, as they can be spoken; empty if there is nothing to speak."""
    plain = _LINK.sub(r"\1", _MARKS.sub(" ", _told(text)))
    plain = " ".join("".join(one if one.isprintable() else " " for one in plain).split())
    chosen: list[str] = []
    for sentence in sentences(plain)[:MOST_SENTENCES]:
        if sum(map(len, chosen)) + len(sentence) > MOST_SPOKEN_CHARS:
            break
        chosen.append(sentence)
    said = " ".join(chosen) or plain[:MOST_SPOKEN_CHARS].rpartition(" ")[0]
    if not any(one.isalnum() for one in said):
        return ""
    return said if said[-1:] in ".!?" else f"{said.rstrip(',;:')}."


def keeps_word(schema: Any, structured: Any) -> bool:
    """Whether a structured result has what the tool's output schema promises: the required keys, of their types.

    It looks no deeper, and at no pattern: a server's regular expression could hold up the agents' process.
    """
    if not isinstance(schema, Mapping):
        return True
    if not isinstance(structured, Mapping):
        return schema.get("type") != "object"
    required, told = schema.get("required", []), schema.get("properties", {})
    if isinstance(required, list) and any(name not in structured for name in required):
        return False
    if not isinstance(told, Mapping):
        return False
    return all(_is_a(structured[name], one) for name, one in told.items() if name in structured)


def _is_a(value: Any, schema: Any) -> bool:
    kind = _TYPES.get(str(schema.get("type"))) if isinstance(schema, Mapping) else None
    if kind is None:
        return True
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _told(text: str) -> str:
    """JSON as "name: value" sentences; any other text as it is."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(data, list):
        return ". ".join(_flat(one) for one in data[:MOST_ENTRIES])
    return _flat(data)


def _flat(data: Any) -> str:
    if isinstance(data, Mapping):
        return ". ".join(f"{in_words(str(name))}: {_flat(one)}" for name, one in list(data.items())[:MOST_ENTRIES])
    if isinstance(data, list):
        return ", ".join(_flat(one) for one in data[:MOST_ENTRIES])
    if isinstance(data, bool):
        return "yes" if data else "no"
    return "none" if data is None else str(data)
