"""A stereo recording that something else made: one channel the caller, the other the agent. Read in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from harness.errors import FixtureError, Place
from harness.fixtures.pcm import as_int16
from harness.fixtures.sound_file import UnknownScaleError, length_notes, open_sound, read_block, scale_of, skip_to
from harness.measure.flicker import Read
from harness.measure.level import FULL_SCALE, SILENCE_DBFS, power_dbfs
from harness.measure.onset import SAMPLE_RATE
from harness.measure.voice_finder import FoundEdge, VoiceFinder
from harness.recordings.ends import FramePowers, looked_at_again
from harness.recordings.survey import ALIKE, Survey, finite, look_over

if TYPE_CHECKING:
    import soundfile

Side = Literal["left", "right"]

LOWEST_RATE = 8_000
LEAST_S = 1.0
BLOCK_S = 1.0
LEAST_OFFSET = 2.0**-11  # a smaller one lies below all that the detector hears; the samples stay as they are
CANNOT = "cannot be measured"
APART = "record caller and agent in a channel each"


@dataclass(frozen=True)
class Channel:
    """What a channel holds: the edges of the voice in it, and its level over all, silence included."""

    edges: list[FoundEdge]
    level_dbfs: float

    @property
    def has_voice(self) -> bool:
        """Whether any of it was a voice, and no noise that set in."""
        return any(found.quality is not None and found.edge.began is not None for found in self.edges)


@dataclass(frozen=True)
class TwoChannels:
    """A recording, heard to its end.

    `frames` are samples at 48 kHz, `scale` is what its samples are divided by, `notes` what a person should know of it.
    """

    path: Path
    caller: Channel
    agent: Channel
    frames: int
    recorded_rate: int
    scale: float
    notes: tuple[str, ...]


def hear_recording(path: Path, caller: Side) -> TwoChannels:
    """The voices of both channels.

    Raises:
        FixtureError: No such file, no sound file, not two channels, too short, both channels the same, or a
            channel without a voice.
    """
    import soundfile

    where = Place(path)
    if not path.is_file():
        what = "this is a folder" if path.is_dir() else "there is no such file"
        raise FixtureError(what, where=where, mend="name a stereo WAV or FLAC")
    try:
        with open_sound(path) as file:
            _check_form(file, where, path.name)
            rate = int(file.samplerate)
            survey = look_over(file)
            _check_length(survey, rate, where)
            scale, scaled = scale_of(str(file.subtype), survey.peak)
            notes = [*length_notes(path, file, survey.frames), *scaled]
        with open_sound(path) as file:
            heard, powers, frames = _hear(file, survey, scale)
    except soundfile.LibsndfileError:
        raise FixtureError(
            f"{CANNOT}: this is no sound file, or a damaged one", where=where, mend="name a stereo WAV or FLAC"
        ) from None
    except UnknownScaleError as problem:
        raise FixtureError(f"{CANNOT}: {problem}", where=where, mend="save it as 16-bit PCM") from None
    except OSError as problem:
        raise FixtureError(f"cannot be read: {problem.strerror}", where=where, mend="check its permissions") from None
    found = TwoChannels(path, heard[0], heard[1], frames, rate, scale, ())
    heard = [
        replace(channel, edges=looked_at_again(channel.edges, power, _reader(found, survey, side)))
        for side, (channel, power) in enumerate(zip(heard, powers, strict=True))
    ]
    sides = dict(zip(("left", "right"), heard, strict=True))
    agent: Side = "right" if caller == "left" else "left"
    for side, who in ((caller, "caller"), (agent, "agent")):
        if not sides[side].has_voice:
            raise FixtureError(
                f"{CANNOT}: there is no voice in the {side} channel, the {who}'s ({_level(sides[side].level_dbfs)})",
                where=where,
                mend=f"is --caller {caller} right? Listen to it; a voice under the noise is none",
            )
    if survey.alike >= ALIKE:
        raise FixtureError(
            f"{CANNOT}: both channels hold the same, whatever their levels, so nobody can tell who speaks",
            where=where,
            mend=APART,
        )
    if rate != SAMPLE_RATE:
        notes.insert(0, f"recorded at {rate:,} Hz, measured at {SAMPLE_RATE:,} Hz")
    notes += [
        f"a DC offset of {100 * offset:.1f} % of full scale was taken off the {side} channel"
        for side, offset in zip(("left", "right"), survey.offsets / scale, strict=True)
        if abs(offset) >= LEAST_OFFSET
    ]
    return TwoChannels(path, sides[caller], sides[agent], frames, rate, scale, tuple(notes))


def excerpt(heard: TwoChannels, start_s: float, seconds: float, rate: int) -> NDArray[np.int16]:
    """(frames, 2) int16 at another rate from a place in a recording on; shorter at its end."""
    import soxr

    with open_sound(heard.path) as file:
        skip_to(file, round(start_s * file.samplerate))
        samples = finite(read_block(file, round(seconds * file.samplerate))) / np.float32(heard.scale)
        return as_int16(np.asarray(soxr.resample(samples, file.samplerate, rate), np.float32))


def _reader(heard: TwoChannels, survey: Survey, side: int) -> Read:
    offset = round(float(survey.offsets[side]) / heard.scale * FULL_SCALE)

    def read(first: int, stop: int) -> NDArray[np.int16]:
        part = excerpt(heard, first / SAMPLE_RATE, (stop - first) / SAMPLE_RATE, SAMPLE_RATE)[:, side]
        whole = np.zeros(stop - first, np.int16)
        whole[: part.size] = part[: stop - first] - (offset if abs(offset) >= LEAST_OFFSET * FULL_SCALE else 0)
        return whole

    return read


def _check_form(file: soundfile.SoundFile, where: Place, name: str) -> None:
    if file.channels != 2:
        mix = "one channel; who speaks cannot be told" if file.channels == 1 else f"{file.channels} channels"
        raise FixtureError(
            f"{CANNOT}: this has {mix}",
            where=where,
            mend=APART if file.channels == 1 else f"keep two of them: sox {name} out.wav remix 1 2",
        )
    if file.samplerate < LOWEST_RATE:
        raise FixtureError(
            f"{CANNOT}: {file.samplerate} Hz is too low for speech", where=where, mend="record at 8,000 Hz or more"
        )


def _check_length(survey: Survey, rate: int, where: Place) -> None:
    if survey.frames < LEAST_S * rate:
        raise FixtureError(
            f"{CANNOT}: it lasts {survey.frames / rate:.2f} s", where=where, mend="name a whole conversation"
        )


def _hear(
    file: soundfile.SoundFile, survey: Survey, scale: float
) -> tuple[list[Channel], list[NDArray[np.float64]], int]:
    """Both channels, the powers of their frames, and how many samples at 48 kHz they have."""
    finders = [VoiceFinder(), VoiceFinder()]
    edges: list[list[FoundEdge]] = [[], []]
    powers = [0.0, 0.0]
    each_frame = [FramePowers(), FramePowers()]
    frames = 0
    for block in _blocks(file, survey, scale):
        frames += len(block)
        for side, finder in enumerate(finders):
            samples = np.ascontiguousarray(block[:, side])
            powers[side] += float(np.sum(np.square(samples.astype(np.float64))))
            edges[side] += finder.feed(samples)
            each_frame[side].feed(samples)
    for side, finder in enumerate(finders):
        # Silence behind the end, so that a voice which lasts to it ends there.
        edges[side] += [found for found in finder.feed(np.zeros(SAMPLE_RATE, np.int16)) if found.quality is not None]
    levels = [power_dbfs(power / max(1, frames)) for power in powers]
    channels = [Channel(*each) for each in zip(edges, levels, strict=True)]
    return channels, [each.powers() for each in each_frame], frames


def _blocks(file: soundfile.SoundFile, survey: Survey, scale: float) -> Iterator[NDArray[np.int16]]:
    """(frames, 2) int16 at 48 kHz, without DC offsets."""
    rate = int(file.samplerate)
    resample = None
    if rate != SAMPLE_RATE:
        import soxr

        resample = soxr.ResampleStream(rate, SAMPLE_RATE, 2, dtype="float32")
    offsets = np.where(np.abs(survey.offsets / scale) < LEAST_OFFSET, 0, survey.offsets / scale).astype(np.float32)
    while len(block := finite(read_block(file, round(BLOCK_S * rate)))):
        block /= np.float32(scale)
        if offsets.any():
            block -= offsets
        yield as_int16(block if resample is None else resample.resample_chunk(block))
    if resample is not None:
        yield as_int16(resample.resample_chunk(np.zeros((0, 2), np.float32), last=True))


def _level(level_dbfs: float) -> str:
    return "it is silent" if level_dbfs <= SILENCE_DBFS else f"its level is {level_dbfs:.0f} dBFS"
