"""The client that everyone would write: one asyncio process, LiveKit's SDK, 10 ms frames both ways, default options.

The peer of the benches of scale. It measures next to nothing: when the agent's level passes a threshold. The first line
of its standard input is a `Settings` as JSON; each further one, `{"calls": N}`, says how many calls are to be alive.
When they are, it answers with a line of JSON (see `_status`); the same number again asks how it goes.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np
import soundfile
import soxr
from livekit import rtc

RATE = 48_000
FRAME = RATE // 100
PAUSE_S = 7.0  # as long as an answer takes: as much is said as in a call of ours
VOICED_RMS = 300.0


@dataclass(frozen=True)
class Settings:
    """Where calls are made, and the WAV that is played in them, with pauses."""

    url: str
    api_key: str
    agent: str
    wav: str


@dataclass
class Call:
    """One call, from its session on; `pushed_s` is how much audio was handed to the SDK."""

    frames: list[rtc.AudioFrame]
    pushed_s: float = 0.0
    heard_s: float = 0.0
    onsets: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    hears: asyncio.Event = field(default_factory=asyncio.Event)

    async def join(self, http: aiohttp.ClientSession, settings: Settings) -> None:
        """Asks for a session, joins its room, talks and listens; returns when the agent's track is there."""
        headers = {"x-api-key": settings.api_key}
        async with http.post(settings.url, json={"agent": settings.agent}, headers=headers) as answer:
            session = (await answer.json())["data"]
        self.room = rtc.Room()
        self.room.on("track_subscribed", self._subscribed)
        await self.room.connect(session["livekit_url"], session["token"])
        source = rtc.AudioSource(RATE, 1)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(track, options)
        self.tasks.append(asyncio.create_task(self._talk(source)))
        await self.hears.wait()

    def _subscribed(self, track: rtc.Track, *_: object) -> None:
        if isinstance(track, rtc.RemoteAudioTrack):
            self.tasks.append(asyncio.create_task(self._listen(track)))
            self.hears.set()

    async def _talk(self, source: rtc.AudioSource) -> None:
        while True:
            for frame in self.frames:
                await source.capture_frame(frame)
                self.pushed_s += FRAME / RATE

    async def _listen(self, track: rtc.RemoteAudioTrack) -> None:
        voiced = False
        async for event in rtc.AudioStream(track):
            samples = np.frombuffer(event.frame.data, np.int16).astype(np.float32)
            was, voiced = voiced, float(np.sqrt(np.mean(samples**2))) > VOICED_RMS
            self.onsets += voiced and not was
            self.heard_s += samples.size / RATE


def frames_of(wav: str) -> list[rtc.AudioFrame]:
    """What is played, again and again: the WAV and a pause, in frames of 10 ms."""
    read, rate = soundfile.read(wav, dtype="int16")
    pcm = soxr.resample(read, rate, RATE)
    whole = np.zeros(-(-(pcm.size + round(PAUSE_S * RATE)) // FRAME) * FRAME, np.int16)
    whole[: pcm.size] = pcm
    parts = whole.reshape(-1, FRAME)
    return [rtc.AudioFrame(part.tobytes(), RATE, 1, FRAME) for part in parts]


def _status(calls: list[Call]) -> dict[str, Any]:
    """How many calls there are, how many agents were heard, what was pushed and heard of all, and when this was."""
    return {
        "alive": len(calls),
        "answered": sum(call.onsets > 0 for call in calls),
        "pushed_s": sum(call.pushed_s for call in calls),
        "heard_s": sum(call.heard_s for call in calls),
        "at_s": time.monotonic(),
    }


async def serve() -> None:
    """Makes calls until standard input ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    settings = Settings(**json.loads(await reader.readline()))
    frames = frames_of(settings.wav)
    calls: list[Call] = []
    async with aiohttp.ClientSession() as http:
        while line := await reader.readline():
            more = [Call(frames) for _ in range(json.loads(line)["calls"] - len(calls))]
            await asyncio.gather(*(call.join(http, settings) for call in more))
            calls += more
            sys.stdout.write(json.dumps(_status(calls)) + "\n")
            sys.stdout.flush()
        await asyncio.gather(*(call.room.disconnect() for call in calls))


if __name__ == "__main__":
    asyncio.run(serve())
