"""Protocol between the client and the worker: one JSON line, then as many bytes of audio as its `bytes` says.

Requests: `{"id", "do": say|hear|rank|look_up|warm, …}`; answers: `{"id", …}` or `{"id", "error": …}`
(`process/lines.py`). The client's first line holds the settings, the worker's is `{"ready": true}` or `{"error": …}`.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

LINE_LIMIT_BYTES = 1 << 20
Header = dict[str, Any]
Pcm = NDArray[np.int16]


def packed(header: Header, audio: Pcm | None = None) -> bytes:
    """Encodes a message."""
    body = audio.astype("<i2", copy=False).tobytes() if audio is not None else b""
    return json.dumps({**header, "bytes": len(body)}).encode() + b"\n" + body


def read_message(pipe: BinaryIO) -> tuple[Header, Pcm] | None:
    """Reads the next message; None at the end of the pipe."""
    line = pipe.readline()
    if not line:
        return None
    header: Header = json.loads(line)
    body = pipe.read(header["bytes"])
    return (header, _pcm(body)) if len(body) == header["bytes"] else None


async def receive_message(pipe: asyncio.StreamReader) -> tuple[Header, Pcm] | None:
    """Async version of `read_message`."""
    line = await pipe.readline()
    if not line:
        return None
    header: Header = json.loads(line)
    try:
        return header, _pcm(await pipe.readexactly(header["bytes"]))
    except asyncio.IncompleteReadError:
        return None


def _pcm(body: bytes) -> Pcm:
    return np.frombuffer(body, dtype="<i2").astype(np.int16, copy=False)
