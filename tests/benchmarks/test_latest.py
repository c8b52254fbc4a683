"""The benches' common file: no bench takes away what another has written."""

from __future__ import annotations

import json
from pathlib import Path

from latest import record


def test_sections_and_parts_of_sections_stay(tmp_path: Path) -> None:
    path = tmp_path / "bench" / "latest.json"
    record("scale", {"mb_per_call": 0.6}, path)
    record("onset", {"harness": {"pink": {"p95_ms": 2.0, "missed": 1}}}, path)
    record("onset", {"harness": {"white": {"p95_ms": 1.0}, "pink": {"p95_ms": 1.5}}, "silero": {}}, path)
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "scale": {"mb_per_call": 0.6},
        "onset": {
            "harness": {"pink": {"p95_ms": 1.5, "missed": 1}, "white": {"p95_ms": 1.0}},
            "silero": {},
        },
    }


def test_a_file_that_cannot_be_read_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "latest.json"
    path.write_text("{", encoding="utf-8")
    record("scale", {"mb_per_call": 0.6}, path)
    assert json.loads(path.read_text(encoding="utf-8")) == {"scale": {"mb_per_call": 0.6}}
