"""Reads sound files as far as possible, whatever length their headers state, and notes any discrepancy.

libsndfile trusts the length in a header, returns nothing from a block in which the file is truncated, and knows no
length for some formats. This module is the only place that works around it.
"""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.audio_files.wav_header import SoundLength, sound_length

if TYPE_CHECKING:
    import soundfile

UNKNOWN_FRAMES = 1 << 40  # libsndfile reports a huge number if the header does not state the length
MP3_FRAME = 1152
MP3_SLACK = 4 * MP3_FRAME  # the encoder's delay and padding, which its tag may or may not include
OVERS_MOST = 8.0  # peaks of a float file may exceed full scale, but not by more than this factor
INT16_SCALE = 32768.0
_FLOATS = ("FLOAT", "DOUBLE")
_PAGE = 65_536
_UNREAD = np.float32(-3.0e38)  # a sentinel that is no valid sample


class UnknownScaleError(ValueError):
    """A float file's samples are neither in -1…1 nor in 16-bit scale; `peak` is the largest absolute sample."""

    def __init__(self, peak: float) -> None:
        super().__init__(f"its values go up to {peak:,.0f}: neither samples in -1…1 nor 16-bit ones")


class _MendedFile(io.BytesIO):
    """A file in memory with a corrected header; only used for files whose header has a wrong length."""

    def __init__(self, path: Path, length: SoundLength) -> None:
        content = bytearray(path.read_bytes())
        for at, right in length.mended:
            content[at : at + len(right)] = right
        super().__init__(content)


def open_sound(path: Path) -> soundfile.SoundFile:
    """Opens a file such that all its sound can be read.

    Raises:
        soundfile.LibsndfileError: It is not a sound file.
        OSError: It cannot be read.
    """
    import soundfile

    length = sound_length(path)
    if length is not None and length.mended:
        return soundfile.SoundFile(_MendedFile(path, length))
    return soundfile.SoundFile(path)


def read_block(file: soundfile.SoundFile, frames: int) -> NDArray[np.float32]:
    """Reads the next (frames, channels) float32; fewer, or none, at the end or where the file is truncated.

    NaN is returned unchanged.
    """
    import soundfile

    block = np.full((frames, file.channels), _UNREAD, np.float32)
    try:
        return np.asarray(file.read(frames, dtype="float32", out=block), np.float32)
    except soundfile.LibsndfileError:
        # The block already holds what was decoded before the error, but libsndfile does not say how much.
        read = np.flatnonzero((block != _UNREAD).any(axis=1))
        return block[: int(read[-1]) + 1] if read.size else block[:0]


def skip_to(file: soundfile.SoundFile, frame: int) -> None:
    """Moves from the start to a frame, by reading if the file is not seekable."""
    import soundfile

    with suppress(soundfile.LibsndfileError):
        if file.seekable() and file.frames < UNKNOWN_FRAMES:
            file.seek(min(frame, file.frames))
            return
    left = frame
    while left > 0 and (read := len(read_block(file, min(left, _PAGE)))):
        left -= read


def told_frames(path: Path, file: soundfile.SoundFile) -> int | None:
    """The number of frames that the file states; None if it states none, or the number is a guess."""
    if file.frames >= UNKNOWN_FRAMES:
        return None
    if file.format == "MP3" and not _tells_mp3_length(path):
        return None
    return int(file.frames)


def length_notes(path: Path, file: soundfile.SoundFile, frames: int) -> list[str]:
    """Notes on how `frames`, the number of frames read, differs from what the file states; empty if it does not.

    Raises:
        OSError: The file cannot be read.
    """
    length = sound_length(path)
    all_s = f"all {frames / file.samplerate:.1f} s in the file were read"
    if length is not None:
        if length.told is None:
            return [f"its header does not give its length, as if it was written to a pipe: {all_s}"]
        if length.there < length.told:
            return [breaks_off(1 - length.there / length.told)]
        if length.there > length.told:
            told = f"only {100 * length.told / length.there:.0f} % of its sound" if length.told else "no sound"
            return [f"its header declares {told}, as if its recorder did not finish: {all_s}"]
    if file.format == "OGG" and not _ogg_ends(path):
        return [f"it breaks off: its last page is missing; {all_s}"]
    told_by = told_frames(path, file)
    slack = MP3_SLACK if file.format == "MP3" else 0
    if told_by is not None and frames + slack < told_by:
        return [breaks_off(1 - frames / told_by)]
    return []


def breaks_off(missing: float) -> str:
    """The note on a truncated file; `missing` is the share of its sound that is missing."""
    return f"it breaks off: {max(1, round(100 * missing))} % of the sound that its header declares is missing"


def scale_of(subtype: str, peak: float) -> tuple[float, list[str]]:
    """The divisor that brings a file's samples to -1…1, and a note if they exceed that range.

    Raises:
        UnknownScaleError: The largest sample fits no known scale.
    """
    if subtype not in _FLOATS or peak <= 1:
        return 1.0, []
    if peak <= OVERS_MOST:
        return 1.0, [f"its samples go over full scale, up to {peak:.1f}: they are clipped"]
    if peak > INT16_SCALE:
        raise UnknownScaleError(peak)
    return INT16_SCALE, [f"its float samples are 16-bit numbers (up to {peak:,.0f}): they were divided by 32,768"]


def _ogg_ends(path: Path) -> bool:
    """Whether the last page of an Ogg file is complete and marked as end of stream (RFC 3533)."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - 2 * _PAGE))
        content = file.read()
    at = content.rfind(b"OggS")
    if at < 0 or len(content) < at + 27:
        return False
    segments = content[at + 27 : at + 27 + content[at + 26]]
    whole = len(segments) == content[at + 26] and len(content) >= at + 27 + len(segments) + sum(segments)
    return whole and bool(content[at + 5] & 4)


def _tells_mp3_length(path: Path) -> bool:
    """Whether an MP3 has a Xing tag with its number of frames (in the first frame); otherwise its length is a guess."""
    with path.open("rb") as file:
        head = file.read(10)
        tag = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=False))
        file.seek(10 + tag if head[:3] == b"ID3" else 0)
        content = file.read(4096)
    at = max(content.find(b"Xing"), content.find(b"Info"))
    if at < 0 or len(content) < at + 12:
        return False
    flags, count = struct.unpack(">II", content[at + 4 : at + 12])
    return bool(flags & 1) and 0 < count < 0xFFFFFFFF
