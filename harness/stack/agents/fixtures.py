"""The fixtures as the truth agent reads them: with its own reader, so that it shares no bug with the harness."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.errors import FixtureError, Place
from harness.stack.agents.finder import RATE_HZ, Fixture

MANIFEST = "manifest.yaml"
_PACKAGE = Path(__file__).parents[2]


def fixtures_folder() -> Path:
    """The directory of the shipped fixtures: inside the installed package, or beside it in the source tree."""
    installed = _PACKAGE / "_fixtures"
    return installed if installed.is_dir() else _PACKAGE.parent / "audio_fixtures"


def load_fixtures(folder: Path | None = None) -> list[Fixture]:
    """All fixtures in the manifest, resampled to the search's rate.

    Raises:
        FixtureError: The manifest or a WAV cannot be read.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    folder = folder or fixtures_folder()
    manifest = folder / MANIFEST
    try:
        entries = YAML(typ="safe", pure=True).load(manifest.read_text(encoding="utf-8"))["fixtures"]
        return [_fixture(name, entry, folder) for name, entry in entries.items()]
    except (OSError, UnicodeDecodeError, YAMLError, KeyError, TypeError, ValueError, AttributeError) as problem:
        raise FixtureError(
            f"the fixtures cannot be read: {problem!r}",
            where=Place(manifest),
            hint="run `voice-harness fixtures check`",
        ) from None


def _fixture(name: str, entry: dict[str, float | str], folder: Path) -> Fixture:
    import soundfile
    import soxr

    pcm, rate_hz = soundfile.read(folder / str(entry["file"]), dtype="float32")
    if pcm.ndim != 1:
        raise ValueError(f"{name} is not mono")
    samples = np.asarray(soxr.resample(pcm, rate_hz, RATE_HZ) * 32768, dtype=np.float32)
    start, end = (round(float(entry[key]) * RATE_HZ / 1000) for key in ("voiced_start_ms", "voiced_end_ms"))
    return Fixture(name, samples, start, min(end, len(samples)))
