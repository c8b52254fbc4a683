"""Values that a file stores as text: parsed when the file is read, and written back as the same text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True)
class AsText:
    """Annotates a model field whose type is not a model. In JSON the value is stored as its `str`.

    Args:
        read: Parses the text into the value.
    """

    read: Callable[[str], object]

    def __get_pydantic_core_schema__(self, source: Any, _: object) -> CoreSchema:
        """Builds the schema for pydantic."""
        of_text = core_schema.no_info_after_validator_function(self.read, core_schema.str_schema(strict=True))
        return core_schema.json_or_python_schema(
            json_schema=of_text,
            python_schema=core_schema.union_schema(
                [of_text, core_schema.is_instance_schema(source)], mode="left_to_right"
            ),
            serialization=core_schema.to_string_ser_schema(),
        )
