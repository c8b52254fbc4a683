"""Creates a fixture from a text: the WAV, and its entry in the manifest."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.audio_files.pcm import as_float, as_int16, levelling_gain, resampled
from harness.audio_files.wav import SAMPLE_RATE
from harness.errors import FixtureError, Place
from harness.hearing.voice_place import find_voice
from harness.hearing.voiced import active_level_dbfs
from harness.installed_from import with_extra_stack
from harness.utterances import cough
from harness.utterances.find import Speaker
from harness.utterances.manifest import (
    MANIFEST_NAME,
    FixtureEntry,
    Manifest,
    cannot_write,
    is_fixture_name,
    load_manifest,
    put_entry,
    sha256_of,
    written_whole,
)

FILE_RATE = 24_000  # enough for speech, at half the bytes
LEVEL_DBFS = -23.0
PEAK_LIMIT = 0.891  # -1 dBFS
LEAD_MS = 100
TAIL_MS = 200
LICENCE = "CC0-1.0"
COUGH = "cough"
_NAME_WORDS = 6


async def make_fixture(
    text: str,
    *,
    out_dir: Path,
    speech: Speaker | None,
    name: str | None = None,
    voice: str = "joe",
    language: str = "en",
    licence: str = LICENCE,
    force: bool = False,
) -> Path:
    """Synthesises a text into `out_dir` and adds it to the manifest there; both or neither.

    Args:
        text: What is said; empty with the voice `cough`.
        out_dir: The directory of the WAV and of `manifest.yaml`; created if missing.
        speech: The synthesiser; not needed for the voice `cough`.
        name: In kebab-case; derived from the text if left out.
        voice: `joe`, `espeak`, `espeak:VARIANT` or `cough`.
        language: Language tag of the text.
        licence: SPDX identifier of the recording.
        force: Whether to replace an existing fixture of that name.

    Returns:
        The WAV's path.

    Raises:
        FixtureError: The name is taken or invalid, nothing can be spoken, or the disk cannot be written.
        ConfigError: There is no such voice.
    """
    name = name or name_from(text if voice != COUGH else COUGH)
    if not is_fixture_name(name):
        raise FixtureError(
            f"{name!r} is not a valid fixture name",
            hint="use lowercase letters, digits and -, such as --name one-more-thing",
        )
    path = out_dir / f"{name}.wav"
    _refuse_taken(name, path, out_dir, force=force)
    samples, speaker = await _spoken(text, voice, language, speech)
    wav = laid_out(samples, SAMPLE_RATE)
    place = find_voice(wav, FILE_RATE)
    if place is None:
        raise FixtureError(f"the text {text!r} contains nothing to speak", hint="write words")
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        before = path.read_bytes() if path.exists() else None
        _write_wav(path, wav)
    except OSError as problem:
        raise cannot_write(path, problem) from None
    entry = FixtureEntry(
        file=path.name,
        text=" ".join(text.split()),
        language=language,
        speaker=speaker,
        voiced_start_ms=_ms(place.start),
        voiced_end_ms=_ms(place.end),
        level_dbfs=round(active_level_dbfs(wav, FILE_RATE), 1),
        licence=licence,
        sha256=sha256_of(path),
    )
    try:
        put_entry(out_dir, name, entry)
    except FixtureError:
        _put_back(path, before)
        raise
    return path


def laid_out(samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.int16]:
    """Speech in a fixture's format: 24 kHz, -23 dBFS, 100 ms of silence before the voice and 200 ms after it.

    Args:
        samples: `(frames,)` float speech.
        sample_rate: The samples' rate in Hz.
    """
    speech = resampled(samples, sample_rate, FILE_RATE)
    peak = float(np.max(np.abs(speech), initial=0.0))
    active_dbfs = active_level_dbfs(speech, FILE_RATE)
    speech = speech * np.float32(levelling_gain(active_dbfs, peak, target_dbfs=LEVEL_DBFS, peak_limit=PEAK_LIMIT))
    place = find_voice(speech, FILE_RATE)
    if place is None:
        return np.zeros(0, np.int16)
    # 10 ms at either edge of the voice are kept and faded, so that there is no click.
    edge = FILE_RATE // 100
    first, last = max(0, place.start - edge), min(len(speech), place.end + edge)
    voice = speech[first:last].copy()
    ramp = np.linspace(0, 1, edge // 2, dtype=np.float32)
    voice[: len(ramp)] *= ramp
    voice[len(voice) - len(ramp) :] *= ramp[::-1]
    lead = FILE_RATE * LEAD_MS // 1000 - (place.start - first)
    tail = FILE_RATE * TAIL_MS // 1000 - (last - place.end)
    return as_int16(np.pad(voice, (lead, tail)))


def name_from(text: str) -> str:
    """Derives a name from a text's first words: `Où êtes-vous ?` becomes `ou-etes-vous`."""
    plain = unicodedata.normalize("NFKD", re.sub("['\u2019]", "", text.replace("ß", "ss")))
    words = re.findall(r"[a-z0-9]+", plain.encode("ascii", "ignore").decode().lower())
    if not words:
        raise FixtureError(
            f"no name can be derived from the text {text!r}", hint="add a name, such as --name one-more-thing"
        )
    return "-".join(words[:_NAME_WORDS])


async def _spoken(text: str, voice: str, language: str, speech: Speaker | None) -> tuple[NDArray[np.float32], str]:
    """Float samples at 48 kHz, and the speaker's name."""
    from harness.stack.speech.voice_names import voice_name

    if voice == COUGH:
        return cough.cough(SAMPLE_RATE), cough.SPEAKER
    speaker = voice_name(voice, language).speaker
    if not text.strip():
        raise FixtureError("the text is empty", hint="write for example voice-harness fixtures say 'What is said'")
    if speech is None:
        raise FixtureError("no voice is installed to speak the text", hint=with_extra_stack())
    pcm = await speech.say(text, voice=voice, language=language)
    return as_float(pcm), speaker


def _refuse_taken(name: str, path: Path, out_dir: Path, *, force: bool) -> None:
    if force:
        return
    manifest: Manifest | None = load_manifest(out_dir) if (out_dir / MANIFEST_NAME).exists() else None
    place = manifest.places.get(name) if manifest else None
    if place is not None or path.exists():
        raise FixtureError(
            f"the fixture {name!r} already exists",
            where=place or Place(path),
            hint="use another --name, or replace it with --force",
        )


def _write_wav(path: Path, wav: NDArray[np.int16]) -> None:
    import soundfile

    try:
        with written_whole(path) as temporary:
            soundfile.write(temporary, wav, FILE_RATE, format="WAV", subtype="PCM_16")
    except soundfile.LibsndfileError as problem:
        raise OSError(None, str(problem)) from None


def _put_back(path: Path, before: bytes | None) -> None:
    if before is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(before)


def _ms(sample: int) -> float:
    return round(sample * 1000 / FILE_RATE, 1)
