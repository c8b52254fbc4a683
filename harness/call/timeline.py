"""The timeline: all that happens in a call, as it happens, on one monotonic clock.

An event is a flat JSON object with `t` (monotonic nanoseconds; when it happened), `event` (its name) and its fields.
A line is written as it comes (within 50 ms, see `background_file`), so that a call cut dead has left everything up to
then. The events and their fields:

    call.started        version (of this format), call, scenario, agent, target, utc
    session.requested   held_back_ms (by our own limit of sessions)     t: when it was asked for
    session.created     room, on_this_machine (whether its media server is)
    room.connecting     held_back_ms (by our own gate)      t: when we asked to join
    room.connected      -
    mic.published       -
    participant         identity, kind, on_behalf_of        someone in the room, or more is known of it
    participant.left    identity
    track.came          track, identity, name, source       an audio track is heard from now on
    track.gone          track
    track.muted         track
    track.unmuted       track
    agent.seen          identity, by (kind | audio | name)  who is the agent, and always was; again where more is known
    agent.joined        identity                            its audio track is subscribed
    agent.handover      identity, to                        the agent has left, and another follows it
    agent.left          identity                            it has left, and none followed
    agent.hung_up       -                                   it has left, as the scenario wants it to
    room.reconnecting   why                                 our own connection is lost
    room.reconnected    how
    greeting.awaited    -                                   from here on the greeting is waited for
    greeting.anew       -                                   another is the agent: its greeting is waited for
    greeting.ended      why (heard | silent | barge_in)
    turn.started        turn, step, kind, text, fixture, language
    caller.spoke        turn, start, voiced_start, voiced_end (ns: when the packet left), said_end (ns)
    caller.typed        turn, text                          t: when it left
    own_voice           turn, delay_ms, gain_db, alike      the caller's own voice, heard in the agent's channel
    barge_in            turn, onset (ns, of the speech to be talked over; null where there is none)
    turn.ended          turn, why (replied | no_reply | barge_in | interrupted | no_reply_needed | failed | cut)
    wait.started        step, after_turn
    wait.ended          step
    agent.onset         track, position (samples of its stream), ear (ns or null), level_dbfs, found (ns: when it was
                        known), read_late_ms (of its packet)    a voice, whoever's track it is
    agent.end           track, position, began (ns: its onset as it is known now, null where it was noise, no voice),
                        level_dbfs, found, active_dbfs, active_ms, clipped, dropouts, dropout_ms, noise_dbfs (what the
                        noise before it hardly ever exceeds, or null), sound (where it was a sound and no voice),
                        sure_ms (how long after it began it was surely speech, where that was asked)
    heard               track, position, ear (ns or null), place (samples of the recording, or null)    once a second,
                        where the stream was moved in the recording, and at its end
    text                role (echo | transcript | reply), text, type, identity; where the frame has them: written (its
                        text with the spaces at its ends), segment (an id), own_id (it may be the frame's own), final
    text.junk           why, identity; of a text of nothing but spaces what `text` has: it may part two tokens
    second              sent, send_late_ms, lag_ms, heard, read_late_ms    what one second of the call cost us;
                        own_cpu, loop_cpu, busy, steal, throttled_ms, udp_dropped, clock_step_ms, gc_ms, gc_longest_ms,
                        disk_ms, waited_ms, page_faults, preempted      and see `machine`
    media               track, received, lost, samples, concealed, jitter_ms, rtt_ms, jitter_buffer_ms,
                        behind_ms, server_heard             once a second and track
    send.late           late_ms                             one packet that left over 20 ms late
    loop.lag            late_ms                             one delay of the event loop over 10 ms; what there was of
                        cpu_ms, others_ms, waited_ms, page_faults, gc_ms, disk_ms, measuring_ms, saving_ms, hearing_ms,
                        sending_ms, joining                 meanwhile: see `stall`
    heard.overflow      -                                   a receive queue overflowed
    failure             kind, what, turn, ended
    cut                 -                                   ended by ourselves on request
    hung_up             -
    call.ended          -
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from harness.errors import ConfigError, OwnFailure, Place
from harness.record.formats import OTHER_VERSION, unknown_version
from harness.secret import Secret, without_secrets

Event = dict[str, Any]
FORMAT_VERSION = 1


class TextFile(Protocol):
    """What a timeline is written to; each may raise an OSError."""

    def write(self, text: str, /) -> object:
        """Writes it."""
        ...

    def flush(self) -> None:
        """Lets others see it."""
        ...

    def close(self) -> None:
        """Ends it."""
        ...


@dataclass
class Timeline:
    """Keeps the events of one call and writes each to its file as it comes.

    What looks like a key or an access token is masked, and so are `secrets`, whoever said them.
    """

    file: TextFile | None = None
    on_event: Callable[[Event], None] | None = None
    broken: OwnFailure | None = None
    secrets: Sequence[Secret | None] = ()
    _lines: list[str] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        """All of them so far, as they can be read from the file; a long call's take a third of the room as text."""
        return list(_whole_lines(self._lines))

    def add(self, t_ns: int, event: str, **fields: Any) -> None:
        """Appends an event that happened at `t_ns`. A disk that takes no more is kept as `broken`, once."""
        entry: Event = {"t": t_ns, "event": event, **{name: self._writable(value) for name, value in fields.items()}}
        line = json.dumps(entry, ensure_ascii=False)
        self._lines.append(line)
        if self.file is not None and self.broken is None:
            try:
                self.file.write(line + "\n")
                self.file.flush()
            except OSError as problem:
                self.broken = OwnFailure(
                    "harness.disk", f"the timeline cannot be written: {problem.strerror}", mend="free space on the disk"
                )
        if self.on_event is not None:
            self.on_event(entry)

    def _writable(self, value: Any) -> Any:
        """Without secrets, and without lone surrogates, which JSON can carry and no file can."""
        if not isinstance(value, str):
            return value
        return str(without_secrets(value, self.secrets)).encode("utf-8", "replace").decode()

    def close(self) -> None:
        """Closes the file; what a full disk refuses here is kept as `broken`."""
        if self.file is None:
            return
        try:
            self.file.close()
        except OSError as problem:
            self.broken = self.broken or OwnFailure("harness.disk", f"the timeline was not saved: {problem.strerror}")


def read_timeline(path: Path) -> list[Event]:
    """The events of a timeline's file; a line that was cut off in the middle is left out.

    Raises:
        OSError: It cannot be read.
        ConfigError: It has a format that this version does not know.
    """
    # Not `splitlines`: an agent's text may hold line ends of Unicode, which JSON leaves as they are.
    events = list(_whole_lines(path.read_text(encoding="utf-8", errors="replace").split("\n")))
    found = events[0].get("version", FORMAT_VERSION) if events else FORMAT_VERSION
    if found != FORMAT_VERSION:
        why = unknown_version(found, (FORMAT_VERSION,))
        raise ConfigError(f"the timeline cannot be read: {why}", where=Place(path), mend=OTHER_VERSION)
    return events


def _whole_lines(lines: Iterable[str]) -> Iterable[Event]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("t"), int) and isinstance(entry.get("event"), str):
            yield entry
