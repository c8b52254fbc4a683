"""Writes models as TypeScript interfaces, from their JSON Schema."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

HEAD = """// Made from the models of harness/report/shown/ and harness/record/: pytest tests/report --update-golden
// A field with a default is left out if it has it: null, false, 0, '', [] or {}, or what stands behind the field.
"""


def typescript_of(model: type[BaseModel]) -> str:
    """The interfaces of a model and of all models in it."""
    schema = model.model_json_schema(mode="validation")
    models = {**schema.pop("$defs"), model.__name__: schema}
    return HEAD + "".join(f"\n{_interface(name, models[name])}" for name in sorted(models))


def _interface(name: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    lines = [
        f"  {field}{'' if field in required else '?'}: {_type(of)};{_default(of)}"
        for field, of in schema.get("properties", {}).items()
    ]
    return "\n".join([f"export interface {name} {{", *lines, "}", ""])


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    return f" // {_literal(default)}" if default and "const" not in schema else ""


def _type(schema: dict[str, Any]) -> str:
    match schema:
        case {"$ref": ref}:
            return str(ref).rpartition("/")[2]
        case {"anyOf": options}:
            return " | ".join(dict.fromkeys(_type(option) for option in options))
        case {"enum": values}:
            return " | ".join(_literal(value) for value in values)
        case {"const": value}:
            return _literal(value)
        case {"prefixItems": items}:
            return f"[{', '.join(_type(item) for item in items)}]"
        case {"type": "array"}:
            of = _type(schema.get("items", {}))
            return f"({of})[]" if " " in of else f"{of}[]"
        case {"type": "object", "additionalProperties": values}:
            return f"Record<string, {_type(values) if isinstance(values, dict) else 'unknown'}>"
        case {"type": kind}:
            return {"integer": "number", "object": "Record<string, unknown>"}.get(kind, kind)
    return "unknown"


def _literal(value: Any) -> str:
    return json.dumps(value).replace('"', "'")
