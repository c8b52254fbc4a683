"""Golden files: what was once looked at and found right. `pytest --update-golden` writes them anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Golden:
    """Compares with golden files, or writes them."""

    update: bool

    def check(self, path: Path, text: str) -> None:
        """Holds `text` against the file at `path`.

        Raises:
            AssertionError: They differ; pytest shows where.
        """
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        assert path.exists(), f"there is no {path}: look at what comes out, then run pytest --update-golden"
        expected = path.read_text(encoding="utf-8")
        assert text == expected, f"{path.name} differs: where that is meant, run pytest --update-golden"
