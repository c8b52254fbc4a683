"""Finds the voices in a stereo recording with the caller in one channel and the agent in the other. Read in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from harness.audio_files.pcm import as_int16
from harness.audio_files.sound_file import UnknownScaleError, length_notes, open_sound, read_block, scale_of, skip_to
from harness.errors import FixtureError, Place
from harness.hearing.flicker import Read
from harness.hearing.level import SILENCE_DBFS, power_dbfs
from harness.hearing.onset import SAMPLE_RATE
from harness.hearing.voice_finder import FoundEdge, VoiceFinder
from harness.hearing.voice_place import ACTIVE
from harness.recordings.ends import FramePowers, looked_at_again, noise_margin_db
from harness.recordings.survey import ALIKE, Survey, finite, look_over

if TYPE_CHECKING:
    import soundfile

Side = Literal["left", "right"]

LOWEST_RATE = 8_000
LEAST_S = 1.0
BLOCK_S = 1.0
LEAST_OFFSET = 2.0**-11  # a smaller DC offset is below the detector's threshold, and is not removed
MOST_GAIN_DB = 30.0  # a quieter voice is close to its own quantisation noise
CANNOT = "cannot be measured"
APART = "record caller and agent in a channel each"


@dataclass(frozen=True)
class Channel:
    """The voice in one channel.

    Attributes:
        edges: The edges of the voice.
        level_dbfs: The level over the whole channel, including silence.
        margin_db: How far the voice is above the noise (see `noise_margin_db`).
    """

    edges: list[FoundEdge]
    level_dbfs: float
    margin_db: float | None = None

    @property
    def has_voice(self) -> bool:
        """Whether the channel has a voice, not only noise that started."""
        return any(found.quality is not None and found.edge.began is not None for found in self.edges)


@dataclass(frozen=True)
class _Levels:
    """How a file's samples are normalised for the detector, per channel.

    Attributes:
        scale: The file's full-scale value.
        offsets: The DC offset to remove from each channel, (2,), full scale 1.
        gains: The gain for each channel, (2,), such that the detector's lowest threshold is as far below a quiet voice
            as below that of a caller's file (`hearing/voice_place.py`); 1 if the channel is loud enough.
        actives: The power of the voice in each channel after normalisation, (2,), full scale 1.
    """

    scale: float
    offsets: NDArray[np.float32]
    gains: NDArray[np.float32]
    actives: NDArray[np.float64]

    def heard(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalises (frames, 2) samples of the file."""
        return (block / np.float32(self.scale) - self.offsets) * self.gains

    def gain_db(self, side: int) -> float:
        return float(20 * np.log10(self.gains[side]))

    def active(self, side: int) -> float:
        """The power of the voice in a channel after normalisation."""
        return float(self.actives[side])


def _levels(survey: Survey, scale: float) -> _Levels:
    offsets = survey.offsets / np.float32(scale)
    active = np.maximum(survey.active / scale**2, 1e-12)
    gains = np.clip(np.sqrt(ACTIVE / active), 1.0, 10 ** (MOST_GAIN_DB / 20))
    kept = np.where(np.abs(offsets) < LEAST_OFFSET, 0, offsets)
    return _Levels(scale, kept, gains.astype(np.float32), active * gains**2)


@dataclass(frozen=True)
class TwoChannels:
    """The voices of a whole recording.

    `frames` is its length in samples at 48 kHz, `scale` the divisor of its samples, `notes` remarks for the reader.
    """

    path: Path
    caller: Channel
    agent: Channel
    frames: int
    recorded_rate: int
    scale: float
    notes: tuple[str, ...]


def hear_recording(path: Path, caller: Side) -> TwoChannels:
    """Finds the voices of both channels.

    Raises:
        FixtureError: The file does not exist or is not a sound file, has not two channels, is too short, has identical
            channels, or has a channel without a voice.
    """
    import soundfile

    where = Place(path)
    if not path.is_file():
        what = "this is a folder" if path.is_dir() else "there is no such file"
        raise FixtureError(what, where=where, hint="give a stereo WAV or FLAC")
    try:
        with open_sound(path) as file:
            _check_form(file, where, path.name)
            rate = int(file.samplerate)
            survey = look_over(file)
            _check_length(survey, rate, where)
            scale, scaled = scale_of(str(file.subtype), survey.peak)
            notes = [*length_notes(path, file, survey.frames), *scaled]
            levels = _levels(survey, scale)
        with open_sound(path) as file:
            heard, powers, frames = _hear(file, levels)
    except soundfile.LibsndfileError:
        raise FixtureError(
            f"{CANNOT}: this is no sound file, or a damaged one", where=where, hint="give a stereo WAV or FLAC"
        ) from None
    except UnknownScaleError as problem:
        raise FixtureError(f"{CANNOT}: {problem}", where=where, hint="save it as 16-bit PCM") from None
    except OSError as problem:
        raise FixtureError(f"cannot be read: {problem.strerror}", where=where, hint="check its permissions") from None
    heard = [
        _known_better(channel, power, levels, side, path)
        for side, (channel, power) in enumerate(zip(heard, powers, strict=True))
    ]
    sides = dict(zip(("left", "right"), heard, strict=True))
    agent: Side = "right" if caller == "left" else "left"
    for side, who in ((caller, "caller"), (agent, "agent")):
        if not sides[side].has_voice:
            raise FixtureError(
                f"{CANNOT}: there is no voice in the {side} channel, the {who}'s ({_level(sides[side].level_dbfs)})",
                where=where,
                hint=f"is --caller {caller} right? Listen to it; a voice below the noise is not detected",
            )
    if survey.alike >= ALIKE:
        raise FixtureError(
            f"{CANNOT}: both channels hold the same, whatever their levels, so it is not known who speaks",
            where=where,
            hint=APART,
        )
    if rate != SAMPLE_RATE:
        notes.insert(0, f"recorded at {rate:,} Hz, measured at {SAMPLE_RATE:,} Hz")
    notes += [
        f"a DC offset of {100 * offset:.1f} % of full scale was removed from the {side} channel"
        for side, offset in zip(("left", "right"), levels.offsets, strict=True)
        if offset
    ]
    return TwoChannels(path, sides[caller], sides[agent], frames, rate, scale, tuple(notes))


def excerpt(heard: TwoChannels, start_s: float, seconds: float, rate: int) -> NDArray[np.int16]:
    """An excerpt of a recording as (frames, 2) int16 at `rate` Hz; shorter at the recording's end."""
    as_it_is = _Levels(heard.scale, np.zeros(2, np.float32), np.ones(2, np.float32), np.zeros(2))
    return _part(heard.path, as_it_is, start_s, seconds, rate)


def _part(path: Path, levels: _Levels, start_s: float, seconds: float, rate: int) -> NDArray[np.int16]:
    import soxr

    with open_sound(path) as file:
        skip_to(file, round(start_s * file.samplerate))
        samples = levels.heard(finite(read_block(file, round(seconds * file.samplerate))))
        return as_int16(np.asarray(soxr.resample(samples, file.samplerate, rate), np.float32))


def _reader(path: Path, levels: _Levels, side: int) -> Read:
    def read(first: int, stop: int) -> NDArray[np.int16]:
        part = _part(path, levels, first / SAMPLE_RATE, (stop - first) / SAMPLE_RATE, SAMPLE_RATE)[:, side]
        whole = np.zeros(stop - first, np.int16)
        whole[: part.size] = part[: stop - first]
        return whole

    return read


def _known_better(channel: Channel, powers: NDArray[np.float64], levels: _Levels, side: int, path: Path) -> Channel:
    """The channel with refined ends, and with levels as in the file."""
    edges = looked_at_again(channel.edges, powers, _reader(path, levels, side))
    margin_db = noise_margin_db(edges, powers, levels.active(side))
    return Channel(_as_loud_as(edges, -levels.gain_db(side)), channel.level_dbfs, margin_db)


def _as_loud_as(edges: Sequence[FoundEdge], louder_db: float) -> list[FoundEdge]:
    """The edges with all levels shifted by `louder_db`."""
    return [
        replace(
            found,
            edge=replace(found.edge, level_dbfs=_louder(found.edge.level_dbfs, louder_db)),
            quality=found.quality and replace(found.quality, level_dbfs=_louder(found.quality.level_dbfs, louder_db)),
        )
        for found in edges
    ]


def _louder(level_dbfs: float, louder_db: float) -> float:
    return max(SILENCE_DBFS, round(level_dbfs + louder_db, 1))


def _check_form(file: soundfile.SoundFile, where: Place, name: str) -> None:
    if file.channels != 2:
        mix = "one channel, so the speakers cannot be told apart" if file.channels == 1 else f"{file.channels} channels"
        raise FixtureError(
            f"{CANNOT}: this has {mix}",
            where=where,
            hint=APART if file.channels == 1 else f"keep two of them: sox {name} out.wav remix 1 2",
        )
    if file.samplerate < LOWEST_RATE:
        raise FixtureError(
            f"{CANNOT}: {file.samplerate} Hz is too low for speech", where=where, hint="record at 8,000 Hz or more"
        )


def _check_length(survey: Survey, rate: int, where: Place) -> None:
    if survey.frames < LEAST_S * rate:
        raise FixtureError(
            f"{CANNOT}: it lasts {survey.frames / rate:.2f} s",
            where=where,
            hint="give the recording of a whole conversation",
        )


def _hear(file: soundfile.SoundFile, heard_as: _Levels) -> tuple[list[Channel], list[NDArray[np.float64]], int]:
    """Both channels, their frame powers, and their length in samples at 48 kHz."""
    finders = [VoiceFinder(), VoiceFinder()]
    edges: list[list[FoundEdge]] = [[], []]
    powers = [0.0, 0.0]
    each_frame = [FramePowers(), FramePowers()]
    frames = 0
    for block in _blocks(file, heard_as):
        frames += len(block)
        for side, finder in enumerate(finders):
            samples = np.ascontiguousarray(block[:, side])
            powers[side] += float(np.sum(np.square(samples.astype(np.float64))))
            edges[side] += finder.feed(samples)
            each_frame[side].feed(samples)
    for side, finder in enumerate(finders):
        # Append silence, so that a voice that lasts to the end of the recording ends there.
        edges[side] += [found for found in finder.feed(np.zeros(SAMPLE_RATE, np.int16)) if found.quality is not None]
    levels = [_louder(power_dbfs(power / max(1, frames)), -heard_as.gain_db(side)) for side, power in enumerate(powers)]
    channels = [Channel(found, level_dbfs) for found, level_dbfs in zip(edges, levels, strict=True)]
    return channels, [each.powers() for each in each_frame], frames


def _blocks(file: soundfile.SoundFile, heard_as: _Levels) -> Iterator[NDArray[np.int16]]:
    """Yields (frames, 2) int16 at 48 kHz, normalised."""
    rate = int(file.samplerate)
    resample = None
    if rate != SAMPLE_RATE:
        import soxr

        resample = soxr.ResampleStream(rate, SAMPLE_RATE, 2, dtype="float32")
    while len(block := finite(read_block(file, round(BLOCK_S * rate)))):
        block = heard_as.heard(block)
        yield as_int16(block if resample is None else resample.resample_chunk(block))
    if resample is not None:
        yield as_int16(resample.resample_chunk(np.zeros((0, 2), np.float32), last=True))


def _level(level_dbfs: float) -> str:
    return "it is silent" if level_dbfs <= SILENCE_DBFS else f"its level is {level_dbfs:.0f} dBFS"
