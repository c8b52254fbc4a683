"""The harness finds itself wrong where its timeline tells what cannot be; a call in which all is well has no fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.measure import self_check
from harness.measure.call import measure_call
from harness.measure.self_fault import SelfFault
from tests.events import typed
from tests.measure.steps import steps_of
from tests.measure.timelines import CallMade, long_call, ns

Events = list[dict[str, Any]]
Edit = Callable[[Events], object]

FIRST, LAST = 300, 40_300  # ms: of each track's anchors
RATE = 48  # samples in a millisecond
TRACKS = ("TR_voice", "TR_music")
PACKETS = {"sdk": 100, "light": 50}


def self_faults(events: Events) -> list[SelfFault]:
    return self_check.self_faults(typed(events))


def good(engine: str = "sdk", tracks: tuple[str | None, ...] = TRACKS, *, jitter_ms: float = 0.0) -> Events:
    """A call of two turns, with all that an engine tells each second of each track."""
    call = CallMade().event(20, "mic.published")
    call.say(5000, 7000, 12_000).text(8000, "reply", "At nine.").type(15_000, 20_000).say(22_000, 24_000, 36_000)
    call.hung_up(40_500)
    events = call.entries()
    if engine:
        events[0]["engine"] = engine
    for track in tracks:
        of_track = {} if track is None else {"track": track}
        for second in range(41):
            at = FIRST + 1000 * second
            ear = ns(at + 60) if engine == "sdk" else None
            anchor = {"position": 48_000 * second, "ear": ear, "place": None}
            events.append({"t": ns(at), "event": "heard", **anchor, **of_track})
            counts = {"received": 50, "lost": 0, "samples": 48_000, "concealed": 0}
            told = {**counts, "jitter_ms": jitter_ms, "rtt_ms": 1.0, "jitter_buffer_ms": None}
            events.append({"t": ns(at + 900), "event": "media", **told, **of_track})
    for second in range(1, 41):
        told = {"send_late_ms": 1.0, "lag_ms": 1.0, "heard": 48_000, "read_late_ms": 0.0}
        events.append({"t": ns(1000 * second), "event": "second", "sent": PACKETS.get(engine, 100), **told})
    voice = {} if tracks[0] is None else {"track": tracks[0]}
    for onset, end in ((8000, 10_000), (16_000, 18_000), (25_000, 30_000)):
        for name, at in (("agent.onset", onset), ("agent.end", end)):
            told = {"position": (at - FIRST) * RATE, "ear": None, "level_dbfs": -20.0, "found": ns(at + 90)}
            events.append({"t": ns(at), "event": name, **told, **voice})
    for name in ("agent.onset", "agent.end"):
        for event in [event for event in events if event["event"] == name and "position" not in event]:
            events.remove(event)  # the greeting, which is of no track
    return sorted(events, key=lambda event: int(event["t"]))


def of(events: Events, name: str, track: str | None = None) -> Events:
    return [event for event in events if event["event"] == name and track in (None, event.get("track"))]


def at(event: dict[str, Any]) -> float:
    return float(event["t"] - ns(0)) / 1e6


def names(events: Events) -> set[str]:
    return {fault.name for fault in self_faults(events)}


@pytest.mark.parametrize("engine", ["sdk", "light", ""])
@pytest.mark.parametrize("tracks", [TRACKS, TRACKS[:1], (None,)], ids=["two tracks", "one", "of before tracks"])
def test_a_call_in_which_all_is_well_has_no_fault(engine: str, tracks: tuple[str | None, ...]) -> None:
    events = good(engine, tracks)
    assert self_faults(events) == []
    measured = measure_call(typed(events))
    assert measured.self_faults == []
    assert [turn.fit for turn in measured.turns] == [True] * 3
    assert self_faults(long_call(10).entries()) == []


def paced(share: float, from_ms: float = 0, to_ms: float = 99_000) -> Edit:
    """The voice's track is heard at a pace of `share` between two times."""

    def edit(events: Events) -> None:
        reached = 0.0
        for event in of(events, "heard", TRACKS[0]):
            event["position"] = round(reached)
            reached += 48_000 * (share if from_ms <= at(event) < to_ms else 1)

    return edit


def counted(name: str, field: str, by: float, from_ms: float = 0, to_ms: float = 99_000) -> Edit:
    def edit(events: Events) -> None:
        for event in of(events, name):
            if from_ms <= at(event) < to_ms:
                event[field] = round(event[field] * by)

    return edit


def moved(name: str, number: int, to_ms: float) -> Edit:
    def edit(events: Events) -> None:
        of(events, name)[number]["t"] = ns(to_ms)

    return edit


def removed(name: str, number: int) -> Edit:
    return lambda events: events.remove(of(events, name)[number])


def stopped(name: str, from_ms: float, track: str | None = None) -> Edit:
    def edit(events: Events) -> None:
        for event in of(events, name, track):
            if at(event) >= from_ms:
                events.remove(event)

    return edit


def twice(events: Events) -> None:
    """The voice's onsets and ends are found in the other track as well."""
    for name in ("agent.onset", "agent.end"):
        for event in of(events, name, TRACKS[0]):
            events.append({**event, "t": event["t"] + 20_000_000, "track": TRACKS[1]})
    events.sort(key=lambda event: int(event["t"]))


def told_twice(events: Events) -> None:
    """Two readers of one track's statistics."""
    for event in of(events, "media", TRACKS[0]):
        events.insert(events.index(event), dict(event))


def back(events: Events) -> None:
    of(events, "heard", TRACKS[0])[20]["position"] -= 96_000


def onset_again(events: Events) -> None:
    of(events, "agent.onset")[1]["position"] = of(events, "agent.onset")[0]["position"]


def end_before_onset(events: Events) -> None:
    of(events, "agent.end")[1]["position"] = of(events, "agent.onset")[1]["position"] - RATE


def ahead(events: Events) -> None:
    """Positions of the voice run at twice the pace, those of the anchors do not."""
    for name in ("agent.onset", "agent.end"):
        for event in of(events, name):
            event["position"] *= 2


BROKEN: dict[str, tuple[str, Edit]] = {
    "a stream read twice, each anchor": ("heard against time", paced(2)),
    "a stream at 44.1 kHz": ("heard against time", paced(44.1 / 48)),
    "2 % too fast, for 8 s": ("heard against time", paced(1.02, 15_000, 23_000)),
    "2 % too slow, for 8 s": ("heard against time", paced(0.98, 15_000, 23_000)),
    "a stream that ends by itself": ("heard against time", stopped("heard", 20_000, TRACKS[0])),
    "a stream read twice, each second": ("read against time", counted("second", "heard", 2)),
    "a stream read twice for a while": ("read against time", counted("second", "heard", 2, 10_000, 17_000)),
    "nothing read": ("read against time", counted("second", "heard", 0, 10_000, 17_000)),
    "a stream decoded twice": ("decoded against time", counted("media", "samples", 2)),
    "half of a stream decoded": ("decoded against time", counted("media", "samples", 0.5, 10_000, 17_000)),
    "statistics told twice": ("decoded against time", told_twice),
    "packets counted three times": ("received against decoded", counted("media", "received", 3)),
    "packets without samples": ("received against decoded", counted("media", "samples", 0, 10_000, 17_000)),
    "2 % too few packets sent": ("sent against due", counted("second", "sent", 0.98)),
    "twice as many sent": ("sent against due", counted("second", "sent", 2, 10_000, 17_000)),
    "no more sent": ("sent against due", stopped("second", 25_000)),
    "a stream that jumps back": ("positions that repeat", back),
    "an onset found again": ("positions that repeat", onset_again),
    "an end found before its onset": ("positions that repeat", end_before_onset),
    "an end without an onset": ("voice without an onset", removed("agent.onset", 1)),
    "an end before any onset": ("voice without an onset", removed("agent.onset", 0)),
    "two onsets without an end": ("voice without an end", removed("agent.end", 0)),
    "a voice ahead of its stream": ("voice before its time", ahead),
    "two tracks of one voice": ("one voice heard twice", twice),
    "an end after the hang-up": ("outside of the call", moved("agent.end", 2, 140_000)),
    "a text after the hang-up": ("outside of the call", moved("text", 0, 41_600)),
    "an onset before the join": ("outside of the call", moved("agent.onset", 0, -60)),
    "a voice of ours before the join": ("outside of the call", moved("caller.spoke", 0, -60)),
}


@pytest.mark.parametrize("engine", ["sdk", "light"])
@pytest.mark.parametrize("what", BROKEN)
def test_each_check_breaks_where_it_should_and_makes_turns_unfit(what: str, engine: str) -> None:
    name, edit = BROKEN[what]
    events = good(engine)
    edit(events)
    assert name in names(events)
    measured = measure_call(typed(events))
    assert any(fault.name == name for fault in measured.self_faults)
    assert any(name in note for note in measured.notes)
    unfit = [turn for turn in measured.turns if not turn.fit]
    assert any(name == why.name for turn in unfit for why in turn.unfit_why)


def test_an_agent_that_sends_too_slowly_is_no_fault_of_ours_and_is_told() -> None:
    """Its packets came one after another, each a little later than the last: 7 % too slow, for 10 s."""
    events = good("light", TRACKS[:1])
    for edit in (paced(0.93, 15_000, 25_000), counted("media", "samples", 0.93, 15_000, 25_000)):
        edit(events)
    counted("second", "heard", 0.93, 15_000, 25_000)(events)
    assert "heard against time" in names(events)
    for event in of(events, "media"):
        event["behind_ms"] = 70.0 if 15_000 <= at(event) < 25_000 else 0.0
    assert self_faults(events) == []
    assert [note for note in measure_call(typed(events)).notes if "fell behind by 350 ms" in note]


def test_a_fault_makes_unfit_only_what_it_touches_and_one_without_a_time_all() -> None:
    def fit(*edits: Edit) -> list[bool]:
        events = good()
        for edit in edits:
            edit(events)
        return [turn.fit for turn in measure_call(typed(events)).turns]

    assert fit(counted("second", "sent", 2, 27_000, 32_500)) == [True, True, False]
    assert fit(paced(2, 5000, 11_000)) == [False, True, True]
    assert fit(paced(1.02, 13_000, 21_000)) == [True, False, True]
    too_many = [counted("second", "sent", 2, from_ms, from_ms + 5500) for from_ms in (5000, 27_000)]
    assert fit(*too_many) == [False, True, False]
    assert fit(twice) == [False, False, False]


def test_the_greeting_and_waits_are_unfit_too() -> None:
    call = CallMade().wait(3000, 8000).hung_up(9000).text(99_000, "reply", "Too late.")
    measured = call.measured()
    assert measured.greeting is not None
    assert not measured.greeting.fit
    assert not measured.waits[0].fit


def test_what_goes_wrong_all_the_time_is_one_fault_of_the_whole_call() -> None:
    events = long_call(60).entries()
    for event in of(events, "agent.end"):
        events.remove(event)
    [fault] = self_faults(events)
    assert fault.from_ns is None
    assert "times more like it" in fault.what


# -- what is no fault ------------------------------------------------------------------------------------------------


def held_up(late_ms: float) -> Edit:
    """Our loop stood still: what it would have read and sent came later, or never."""

    def edit(events: Events) -> None:
        events.append({"t": ns(20_100), "event": "loop.lag", "late_ms": late_ms})
        seconds = of(events, "second")
        seconds[20]["heard"] -= round(late_ms * RATE)
        seconds[21]["heard"] += round(late_ms * RATE)
        seconds[20]["sent"] -= round(late_ms / 20)
        events.sort(key=lambda event: int(event["t"]))

    return edit


def late_packets(events: Events) -> None:
    """Two packets that anchors happen to stand at came late."""
    for event in (of(events, "heard")[20], of(events, "heard")[31]):
        event["t"] += 300_000_000
        if event["ear"] is not None:
            event["ear"] += 20_000_000  # what is played is played in time


def muted(events: Events) -> None:
    """The voice's track is muted for 10 s, and nothing comes of it; after it its stream goes on or begins anew."""
    for name in ("heard", "media"):
        for event in of(events, name, TRACKS[0]):
            if 10_400 < at(event) < 20_400:
                events.remove(event)
    for event in of(events, "heard", TRACKS[0]):
        event["position"] -= 480_000 if at(event) > 20_000 else 0
    for event in (*of(events, "agent.onset"), *of(events, "agent.end")):
        if at(event) > 20_000:
            event["position"] -= 480_000
        elif at(event) > 10_400:
            events.remove(event)
    events.append({"t": ns(10_401), "event": "track.muted", "track": TRACKS[0]})
    events.append({"t": ns(20_299), "event": "track.unmuted", "track": TRACKS[0]})
    events.sort(key=lambda event: int(event["t"]))


def gone(events: Events) -> None:
    """The other track goes in the middle of the call, and an anchor closes it at the end."""
    stopped("heard", 20_350, TRACKS[1])(events)
    stopped("media", 20_350, TRACKS[1])(events)
    closing = {"position": 48_000 * 20 + 1920, "ear": None, "place": None, "track": TRACKS[1]}
    events.append({"t": ns(20_340), "event": "track.gone", "track": TRACKS[1]})
    events.sort(key=lambda event: int(event["t"]))
    events.append({"t": ns(20_340), "event": "heard", **closing})


def in_blocks(events: Events) -> None:
    """In each second one of the tracks, now this and now that, was read a block of 160 ms more of."""
    for event in of(events, "second"):
        event["heard"] += 160 * RATE


def reconnected(events: Events) -> None:
    """The line was away for 3 s: nothing came, nothing left."""
    events.append({"t": ns(15_000), "event": "room.reconnecting", "why": "signal"})
    events.append({"t": ns(18_000), "event": "room.reconnected", "how": "resumed"})
    for event in of(events, "second"):
        if 15_500 < at(event) < 18_500:
            event["sent"] = event["heard"] = 0
    for event in of(events, "media"):
        if 15_500 < at(event) < 18_500:
            event["samples"] = event["received"] = 0
    for event in of(events, "heard"):
        if 15_000 < at(event) < 18_000:
            events.remove(event)
        event["position"] -= 3 * 48_000 if at(event) > 18_000 else 0
    for event in (*of(events, "agent.onset"), *of(events, "agent.end")):
        if 15_000 < at(event) <= 18_000:
            events.remove(event)
        event["position"] -= 3 * 48_000 if at(event) > 18_000 else 0
    events.sort(key=lambda event: int(event["t"]))


def two_voices_at_once(events: Events) -> None:
    """Of many onsets two lie together by chance."""
    for number, at_ms in enumerate((8010, 12_000, 16_010, 20_000, 33_000)):
        for name, late in (("agent.onset", 0), ("agent.end", 500)):
            told = {"position": (at_ms + late) * RATE, "ear": None, "level_dbfs": -20.0, "found": ns(at_ms + 900)}
            events.append({"t": ns(at_ms + late), "event": name, **told, "track": TRACKS[1], "number": number})
    events.sort(key=lambda event: int(event["t"]))


def drifting(events: Events) -> None:
    """The agent's clock is 500 ppm fast."""
    for event in of(events, "heard"):
        event["position"] = round(event["position"] * 1.0005)


def a_little_outside(events: Events) -> None:
    moved("agent.end", 2, 41_300)(events)
    of(events, "agent.end")[2]["position"] = 41_000 * RATE
    moved("text", 0, -40)(events)
    events.sort(key=lambda event: int(event["t"]))


WELL: dict[str, Edit] = {
    "a stall of ours": held_up(700),
    "packets late": late_packets,
    "muted": muted,
    "a track gone": gone,
    "read in blocks": in_blocks,
    "reconnected": reconnected,
    "two voices at once, twice": two_voices_at_once,
    "500 ppm": drifting,
    "at the very ends": a_little_outside,
}


@pytest.mark.parametrize("engine", ["sdk", "light"])
@pytest.mark.parametrize("what", WELL)
def test_what_happens_in_good_calls_is_no_fault(what: str, engine: str) -> None:
    events = good(engine)
    WELL[what](events)
    assert self_faults(events) == []


def test_jitter_of_the_network_is_no_fault_of_ours() -> None:
    events = good("light", jitter_ms=60.0)
    for number, event in enumerate(of(events, "heard")):
        event["t"] += (number * 7919) % 200 * 1_000_000
    assert self_faults(events) == []


def test_it_costs_the_same_for_each_minute_of_a_call() -> None:
    def of_a_minute(minutes: int) -> float:
        events = long_call(minutes).entries()
        return steps_of(lambda: self_faults(events)) / minutes

    assert of_a_minute(60) < 1.1 * of_a_minute(10)
