"""Tracks published with LiveKit's SDK: an agent's voice, and background sounds."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Literal

import numpy as np
from livekit import rtc

from harness.clock import Clock
from harness.stack.agents.mouth import FRAME, FRAME_NS
from harness.stack.agents.sounds import Sound, frame_at, loop
from harness.stack.agents.trimmed_speech import RATE_HZ, Pcm
from harness.stack.shape import Shape
from harness.transport.sdk_capture import capture_into

UNPUBLISH_TIMEOUT_S = 5.0
SILENCE = np.zeros(FRAME, np.int16)
_SOURCES = {
    "unknown": rtc.TrackSource.SOURCE_UNKNOWN,
    "microphone": rtc.TrackSource.SOURCE_MICROPHONE,
}


class OwnTrack:
    """One published track and the source that feeds it.

    Args:
        room: The room to publish in, already connected: a source created earlier starts a native runtime of its own.
        clock: Time source.
        name: The track's name.
        options: The publish options.
        stereo: Publish two channels, the right one at half the level.
    """

    def __init__(
        self, room: rtc.Room, clock: Clock, name: str, options: rtc.TrackPublishOptions, *, stereo: bool = False
    ) -> None:
        self.name = name
        self._room = room
        self._channels = 2 if stereo else 1
        # A queue in the source would blur the times with its own timer.
        self._source = rtc.AudioSource(RATE_HZ, self._channels, queue_size_ms=0)
        self._track = rtc.LocalAudioTrack.create_audio_track(name, self._source)
        self._options = options
        self._publication: rtc.LocalTrackPublication | None = None
        self._capture = capture_into(self._source, clock)

    async def publish(self) -> None:
        """Publishes the track.

        Raises:
            rtc.PublishTrackError: The server refuses it.
        """
        self._publication = await self._room.local_participant.publish_track(self._track, self._options)

    async def heard(self) -> None:
        """Returns once someone has subscribed to it."""
        if self._publication is not None:
            await self._publication.wait_for_subscription()

    async def push(self, pcm: Pcm | None) -> None:
        """Sends the next 10 ms; None for silence."""
        samples = SILENCE if pcm is None else pcm
        await self._capture(samples if self._channels == 1 else np.stack((samples, samples // 2), axis=1))

    def mute(self, *, on: bool) -> None:
        """Mutes or unmutes it."""
        if on != self._track.muted:
            (self._track.mute if on else self._track.unmute)()

    async def close(self) -> None:
        """Unpublishes it and releases everything. Never raises."""
        publication, self._publication = self._publication, None
        with contextlib.suppress(Exception):
            if publication is not None and self._room.isconnected():
                await asyncio.wait_for(
                    self._room.local_participant.unpublish_track(publication.sid), UNPUBLISH_TIMEOUT_S
                )
        with contextlib.suppress(Exception):
            await self._source.aclose()


def voice_track(room: rtc.Room, clock: Clock, shape: Shape, number: int) -> OwnTrack:
    """The track of an agent's voice; `number` counts its tracks in order."""
    options = rtc.TrackPublishOptions(
        source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=shape.publish.dtx, red=shape.publish.red
    )
    name = "agent-voice" if number == 1 else f"agent-voice-{number}"
    return OwnTrack(room, clock, name, options, stereo=shape.tracks.stereo)


class SteadySound:
    """A track that plays a sound in a loop.

    Args:
        room: The room to publish in.
        clock: Time source, also used to sleep.
        name: The track's name.
        source: The track's declared source.
        sound: What it plays.
        dbfs: RMS level of the sound.
    """

    def __init__(
        self,
        room: rtc.Room,
        clock: Clock,
        *,
        name: str,
        source: Literal["unknown", "microphone"],
        sound: Sound,
        dbfs: float,
    ) -> None:
        self._clock = clock
        self._pcm = loop(sound, dbfs)
        options = rtc.TrackPublishOptions(source=_SOURCES[source], dtx=True, red=False)
        self._track = OwnTrack(room, clock, name, options)
        self._playing: asyncio.Task[None] | None = None
        self.silent = False

    async def publish(self) -> None:
        """Publishes the track and starts playing."""
        await self._track.publish()
        self._playing = asyncio.create_task(self._play())

    async def _play(self) -> None:
        deadline_ns = self._clock.now_ns()
        number = 0
        while True:
            await self._clock.sleep_until_ns(deadline_ns)
            await self._track.push(None if self.silent else frame_at(self._pcm, number))
            number += 1
            deadline_ns += FRAME_NS

    async def close(self) -> None:
        """Stops playing and unpublishes the track. Never raises."""
        if self._playing is not None:
            self._playing.cancel()
            await asyncio.gather(self._playing, return_exceptions=True)
        await self._track.close()
