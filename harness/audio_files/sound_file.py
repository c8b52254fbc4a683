"""Sound files read as far as they go, whatever their headers tell, and what a person should know of that.

libsndfile takes the length of a header for true, gives nothing of a block in which the file breaks off, and has no
length for some kinds of files. This is the one place that knows.
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

UNKNOWN_FRAMES = 1 << 40  # libsndfile tells the largest number where a header leaves the length open
MP3_FRAME = 1152
MP3_SLACK = 4 * MP3_FRAME  # an encoder's delay and padding, which its tag counts or does not
OVERS_MOST = 8.0  # a float file may go over full scale by its peaks, but not by so much
INT16_SCALE = 32768.0
_FLOATS = ("FLOAT", "DOUBLE")
_PAGE = 65_536
_UNREAD = np.float32(-3.0e38)  # no sample is like that


class UnknownScaleError(ValueError):
    """A float file holds numbers that are no samples in -1…1 nor 16-bit ones; `peak` is the largest."""

    def __init__(self, peak: float) -> None:
        super().__init__(f"its numbers go up to {peak:,.0f}: neither samples in -1…1 nor 16-bit ones")


class _MendedFile(io.BytesIO):
    """A file whose header is put right. Only files of a length that is wrong are read so: whole."""

    def __init__(self, path: Path, length: SoundLength) -> None:
        content = bytearray(path.read_bytes())
        for at, right in length.mended:
            content[at : at + len(right)] = right
        super().__init__(content)


def open_sound(path: Path) -> soundfile.SoundFile:
    """The file, so opened that all its sound can be read.

    Raises:
        soundfile.LibsndfileError: It is no sound file.
        OSError: It cannot be read.
    """
    import soundfile

    length = sound_length(path)
    if length is not None and length.mended:
        return soundfile.SoundFile(_MendedFile(path, length))
    return soundfile.SoundFile(path)


def read_block(file: soundfile.SoundFile, frames: int) -> NDArray[np.float32]:
    """The next (frames, channels) float32, fewer at the end or where the file breaks off; of a broken end none.

    NaN stays as it is.
    """
    import soundfile

    block = np.full((frames, file.channels), _UNREAD, np.float32)
    try:
        return np.asarray(file.read(frames, dtype="float32", out=block), np.float32)
    except soundfile.LibsndfileError:
        # What was decoded up to the break is in the block already, but nothing tells how much.
        read = np.flatnonzero((block != _UNREAD).any(axis=1))
        return block[: int(read[-1]) + 1] if read.size else block[:0]


def skip_to(file: soundfile.SoundFile, frame: int) -> None:
    """Goes on to a frame, by reading where the file cannot be sought in."""
    import soundfile

    with suppress(soundfile.LibsndfileError):
        if file.seekable() and file.frames < UNKNOWN_FRAMES:
            file.seek(min(frame, file.frames))
            return
    left = frame
    while left > 0 and (read := len(read_block(file, min(left, _PAGE)))):
        left -= read


def told_frames(path: Path, file: soundfile.SoundFile) -> int | None:
    """How many frames the file says it has; None where it does not say, or what it says is a guess."""
    if file.frames >= UNKNOWN_FRAMES:
        return None
    if file.format == "MP3" and not _tells_mp3_length(path):
        return None
    return int(file.frames)


def length_notes(path: Path, file: soundfile.SoundFile, frames: int) -> list[str]:
    """What a person should know of a file of which `frames` could be read: how that differs from what it tells.

    Raises:
        OSError: It cannot be read.
    """
    length = sound_length(path)
    all_s = f"all {frames / file.samplerate:.1f} s that are there were read"
    if length is not None:
        if length.told is None:
            return [f"its header leaves its length open, as if written to a pipe: {all_s}"]
        if length.there < length.told:
            return [breaks_off(1 - length.there / length.told)]
        if length.there > length.told:
            told = f"only {100 * length.told / length.there:.0f} % of its sound" if length.told else "no sound"
            return [f"its header tells of {told}, as if its recorder did not finish: {all_s}"]
    if file.format == "OGG" and not _ogg_ends(path):
        return [f"it breaks off: its last page is missing; {all_s}"]
    told_by = told_frames(path, file)
    slack = MP3_SLACK if file.format == "MP3" else 0
    if told_by is not None and frames + slack < told_by:
        return [breaks_off(1 - frames / told_by)]
    return []


def breaks_off(missing: float) -> str:
    """The note on a file of which a share is missing."""
    return f"it breaks off: {max(1, round(100 * missing))} % of the sound that its header tells of is missing"


def scale_of(subtype: str, peak: float) -> tuple[float, list[str]]:
    """What a file's samples are to be divided by to be in -1…1, and a note where that is not 1.

    Raises:
        UnknownScaleError: The largest sample fits no scale.
    """
    if subtype not in _FLOATS or peak <= 1:
        return 1.0, []
    if peak <= OVERS_MOST:
        return 1.0, [f"its samples go over full scale, up to {peak:.1f}: they are clipped"]
    if peak > INT16_SCALE:
        raise UnknownScaleError(peak)
    return INT16_SCALE, [f"its float samples are 16-bit numbers (up to {peak:,.0f}): they were divided by 32,768"]


def _ogg_ends(path: Path) -> bool:
    """Whether the last page is whole and marked as the stream's last (RFC 3533)."""
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
    """Whether an MP3 has a tag with its number of frames (Xing's, in its first frame); else its length is guessed."""
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
