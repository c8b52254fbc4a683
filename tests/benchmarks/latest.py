"""`reports/bench/latest.json`: each bench writes its own section, those of the others stay."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LATEST = Path(__file__).parents[2] / "reports" / "bench" / "latest.json"


def record(section: str, figures: Mapping[str, Any], path: Path = LATEST) -> None:
    """Puts a bench's figures in as `section`; where the section is there, keys are renewed, at any depth.

    Keys that `figures` does not have stay. The file is replaced whole and under a lock, so benches
    at once lose nothing. One that cannot be read is begun anew.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            known = {}
        known[section] = _merged(known.get(section, {}), figures)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
        part.replace(path)


def _merged(known: Any, new: Any) -> Any:
    if not (isinstance(known, dict) and isinstance(new, Mapping)):
        return new
    return {**known, **{key: _merged(known.get(key), value) for key, value in new.items()}}
