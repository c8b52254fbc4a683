"""A server's tools, as far as choosing and filling needs them: words and simple properties, read from JSON Schema.

A server may list anything. What cannot be read is left out: a tool without a usable schema is no tool.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["string", "integer", "number", "boolean", "array", "other"]

_KINDS: Mapping[str, Kind] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "array": "array",
    "object": "other",
}
MOST_TOOLS = 200
MOST_PROPERTIES = 50
MOST_CHOICES = 200
MOST_CHARS = 2000
_MOST_STEPS = 10


@dataclass(frozen=True, slots=True)
class Property:
    """An argument of a tool.

    Attributes:
        name: Its name in the schema.
        kind: Its type; `other` for what cannot be said, such as an object.
        description: What the server says about it; may be empty.
        required: Whether a call without it is refused.
        choices: The only values that it may have; empty if there is no such list.
        form: Its `format`, such as `date`; may be empty.
        low: The least number, or None.
        high: The greatest number, or None.
        item: Of an array, what it holds.
    """

    name: str
    kind: Kind
    description: str = ""
    required: bool = False
    choices: tuple[Any, ...] = ()
    form: str = ""
    low: float | None = None
    high: float | None = None
    item: Property | None = None

    @property
    def title(self) -> str:
        """Its name in words: `party_size` and `partySize` are "party size"."""
        return in_words(self.name)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of a server.

    Attributes:
        server: The server's name in the agents file.
        name: Its name, by which it is called.
        title: Its name in words.
        description: What the server says about it; may be empty.
        properties: Its arguments.
        changes: Whether a call may change something, as far as the server says: so unless it says `readOnlyHint`.
    """

    server: str
    name: str
    title: str
    description: str = ""
    properties: tuple[Property, ...] = ()
    changes: bool = True

    @property
    def required(self) -> list[Property]:
        """The arguments without which it cannot be called."""
        return [one for one in self.properties if one.required]


def in_words(name: str) -> str:
    """A name of a program in words, in lower case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+", " ", name)
    return " ".join(spaced.lower().split())


def word_set(words: str) -> frozenset[str]:
    """The words of a text that is a list of them."""
    return frozenset(words.split())


def tool_of(server: str, listed: Mapping[str, Any]) -> Tool | None:
    """The tool in an entry of `tools/list`; None if its name or schema cannot be used."""
    name, schema = listed.get("name"), listed.get("inputSchema")
    if not isinstance(name, str) or not 0 < len(name) <= 200 or not isinstance(schema, Mapping):
        return None
    told = schema.get("properties", {})
    wanted = schema.get("required", [])
    if schema.get("type", "object") != "object" or not isinstance(told, Mapping) or not _are_names(wanted):
        return None
    if len(told) > MOST_PROPERTIES or any(one not in told for one in wanted):
        return None
    found = []
    for called, one in told.items():
        read = _property(str(called), one, schema, required=called in wanted)
        if read is None:
            return None
        found.append(read)
    hints = listed.get("annotations")
    hints = hints if isinstance(hints, Mapping) else {}
    title = _text(listed.get("title")) or _text(hints.get("title")) or in_words(name)
    changes = hints.get("readOnlyHint") is not True
    return Tool(server, name, title, _text(listed.get("description")), tuple(found), changes)


def _property(
    name: str, told: Any, root: Mapping[str, Any], *, required: bool, inside: bool = False
) -> Property | None:
    if not isinstance(told, Mapping):
        return None
    resolved = _resolved(told, root)
    if resolved is None:
        return None
    kind = _kind(resolved)
    choices = _choices(resolved)
    if kind is None or choices is None:
        return None
    item = None
    if kind == "array" and not inside:
        item = _property(name, resolved.get("items", {"type": "string"}), root, required=False, inside=True)
    description = _text(told.get("description")) or _text(resolved.get("description")) or _text(told.get("title"))
    form = _text(resolved.get("format"))
    low, high = _limits(resolved)
    return Property(name, kind, description, required, choices, form, low, high, item)


def _resolved(told: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema behind references and "this or null"; None if it cannot be found."""
    for _ in range(_MOST_STEPS):
        if isinstance(reference := told.get("$ref"), str):
            found = _referred(reference, root)
            if found is None:
                return None
            told = found
            continue
        ways = next((told[key] for key in ("anyOf", "oneOf", "allOf") if isinstance(told.get(key), list)), None)
        if ways is None:
            return told
        some = [one for one in ways if isinstance(one, Mapping) and one.get("type") != "null"]
        if not some:
            return None
        told = some[0]
    return None


def _referred(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The part of the schema that a reference inside it names."""
    if not reference.startswith("#/"):
        return None
    found: Any = root
    for part in reference[2:].split("/"):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _kind(told: Mapping[str, Any]) -> Kind | None:
    kind = told.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), None)
    if kind is None:
        return "string" if "enum" in told or "const" in told or not told.get("properties") else "other"
    return _KINDS.get(kind) if isinstance(kind, str) else None


def _choices(told: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The values of `enum` or `const`; None if they are no list of simple values."""
    listed = [told["const"]] if "const" in told else told.get("enum", [])
    if not isinstance(listed, list) or not all(isinstance(one, str | int | float | bool | None) for one in listed):
        return None
    return tuple(one for one in listed if one is not None)[:MOST_CHOICES]


def _limits(told: Mapping[str, Any]) -> tuple[float | None, float | None]:
    low, high = told.get("minimum", told.get("exclusiveMinimum")), told.get("maximum", told.get("exclusiveMaximum"))
    return _number(low), _number(high)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _text(value: Any) -> str:
    return " ".join(value[:MOST_CHARS].split()) if isinstance(value, str) else ""
