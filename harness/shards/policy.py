"""Decides which shard makes which call, when shards start and end, and what their messages and deaths mean. Pure.

Both drivers use it: `pool` on asyncio and `load/locust/bridge.py` on gevent. They start processes, move lines and wait,
but make no decisions. It does no I/O and reads no clock: times are seconds of one monotonic clock, passed in.

What a driver does::

    begin, take        starts a process for each shard that these return, after its `wait_s`; sends it `order_of` first
    to_send            once the shard is ready, sends it what this returns for a call
    heard              calls it for each message of a shard, and acts on what it returns
    look               calls it every `LOOK_S`; ends the shards and fails the calls that it returns
    leave              calls it when a call is over; closes the shard's input if it returns True
    ended, not_started calls them when a process is gone; fails the calls that they return
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.call.engines.make import EngineName
from harness.caller.lost_call import DIED, how_it_ended, shard_died
from harness.errors import HarnessError, OwnFailure, StackError
from harness.process.lines import error_in
from harness.process.log_tail import LogTail
from harness.shards.meaning import Ended, Happened, Meaning, Ready, SecondTold, Started
from harness.shards.protocol import CallOrder, CutOrder, ShardOrder
from harness.shards.silence import Silence, stood_still
from harness.shards.size import CALLS_IN_A_SHARD, CALLS_OF_A_SHARD

END_S = 40.0  # for cut calls to hang up, be measured and save their recordings
WAIT_S = 0.5  # before the start of a shard after a start that failed; doubles with each further one
MOST_WAIT_S = 8.0
SPARE_SHARE = 0.25  # of a shard's room: with less left, the next shard starts before it is needed
LINES_SHOWN = 20


@dataclass
class _Call:
    """A call that was placed on a shard."""

    order: CallOrder
    is_sent: bool = False
    is_cut: bool = False
    cut_sent_s: float | None = None


@dataclass(eq=False)
class ShardState:
    """One shard, as the policy knows it.

    Attributes:
        number: Its number in order of starting, from 1.
        wait_s: How long to wait before its process is started; above 0 after starts that failed.
        second: Its last `second` message: `alive`, `lag_ms`, `cpu`.
        error: Why it cannot make calls, if it reported an error or never became ready.
        gone: Why its process is gone; None while it exists.
        log_tail: The last lines of its process's output that are not messages.
    """

    number: int
    engine: EngineName
    silence: Silence
    wait_s: float = 0.0
    calls: dict[str, _Call] = field(default_factory=dict)
    made: int = 0
    is_ready: bool = False
    retires: bool = False
    second: dict[str, Any] = field(default_factory=dict)
    error: HarnessError | None = None
    killed: str | None = None
    gone: str | None = None
    last_cut_ended_s: float = 0.0
    log_tail: LogTail = field(default_factory=LogTail)

    @property
    def takes_calls(self) -> bool:
        """Whether it accepts calls, now or when there is room."""
        return not (self.retires or self.error or self.killed or self.gone)

    @property
    def room(self) -> int:
        """How many more calls it accepts now."""
        return max(0, CALLS_IN_A_SHARD[self.engine] - len(self.calls)) if self.takes_calls else 0


@dataclass(frozen=True)
class Taken:
    """The shard that makes a call, and the shards to start, which may include it."""

    shard: ShardState
    begun: tuple[ShardState, ...]


@dataclass(frozen=True)
class Overdue:
    """Shards to kill now, and calls that have failed, with their failures."""

    kill: tuple[ShardState, ...] = ()
    lost: Mapping[str, OwnFailure] = field(default_factory=dict)


@dataclass(frozen=True)
class _Expected:
    shards: int
    grows: bool
    calls: int | None


class ShardPolicy:
    """The shards of one driver.

    Args:
        order: The order for all shards, except for their engine, seed and share of the session rate.
        shards: How many shards share the session rate, including those of other drivers.
        starter: Identifies this driver among those of the same load, so that no two shards have the same seed.

    Attributes:
        order: As above; may be replaced before the first shard starts.
        shards: All shards started so far, including those that are gone.
        died: The number of shards that died with calls in them.
        error: The last error of a shard; None if there was none.
    """

    def __init__(self, order: ShardOrder, *, shards: int, starter: str = "") -> None:
        self.order = order
        self.shards: list[ShardState] = []
        self.died = 0
        self.error: HarnessError | None = None
        self._sharing = max(1, shards)
        self._starter = starter
        self._expected: dict[EngineName, _Expected] = {}
        self._failed_starts = 0  # since a shard was last ready
        self._looked_s: float | None = None

    # -- shards ------------------------------------------------------------------------------------------------------

    def expect(self, engine: EngineName, shards: int, *, grows: bool, calls: int | None = None) -> None:
        """Sets how many shards of an engine the calls need.

        Without it, a shard of that engine starts only when a call has no room.

        Args:
            engine: The engine of the shards.
            shards: How many there are from the start. One that dies or retires is replaced with the next call.
            grows: Whether more calls may come than these have room for. If so, the next shard starts when little room
                is left.
            calls: How many calls are made in all; None if that is not known. No shard starts ahead of need if there is
                room for those that are left.
        """
        self._expected[engine] = _Expected(shards, grows, calls)

    def begin(self, engine: EngineName, now_s: float) -> ShardState:
        """Returns a new shard, for the driver to start."""
        failed = self._failed_starts
        wait_s = min(MOST_WAIT_S, WAIT_S * 2.0 ** (failed - 1)) if failed else 0.0
        shard = ShardState(len(self.shards) + 1, engine, Silence(now_s + wait_s), wait_s)
        self.shards.append(shard)
        return shard

    def order_of(self, shard: ShardState) -> ShardOrder:
        """Returns the first message to a shard, with its engine, its seed and its share of the session rate."""
        rate = self.order.session_rate_per_min
        own = {
            "engine": shard.engine,
            "seed": _seed(self.order.seed, self._starter, shard.number),
            "session_rate_per_min": None if rate is None else rate / self._sharing,
        }
        return self.order.model_copy(update=own)

    @property
    def living(self) -> list[ShardState]:
        """The shards whose process is not known to be gone."""
        return [shard for shard in self.shards if shard.gone is None]

    # -- calls -------------------------------------------------------------------------------------------------------

    def take(self, order: CallOrder, engine: EngineName, now_s: float) -> Taken:
        """Places a call on the shard with the most room, preferring shards that are ready.

        If none has room, a shard starts. A spare one starts if it will be needed, so that no call waits for it.
        """
        with_room = [shard for shard in self._taking(engine) if shard.room]
        shard = max(with_room, key=lambda each: (each.is_ready, each.room), default=None)
        begun = []
        if shard is None:
            shard = self.begin(engine, now_s)
            begun.append(shard)
        shard.calls[order.call] = _Call(order)
        shard.made += 1
        most = CALLS_OF_A_SHARD[engine]
        shard.retires = most is not None and shard.made >= most
        if self._is_spare_needed(engine):
            begun.append(self.begin(engine, now_s))
        return Taken(shard, tuple(begun))

    def to_send(self, shard: ShardState, call: str, now_s: float) -> tuple[CallOrder | CutOrder, ...]:
        """Returns what to send to a ready shard for a call, once: its order, and a cut if it was cut meanwhile."""
        placed = shard.calls.get(call)
        if placed is None or placed.is_sent or not shard.is_ready or shard.gone is not None:
            return ()
        placed.is_sent = True
        if not placed.is_cut:
            return (placed.order,)
        placed.cut_sent_s = now_s
        return placed.order, CutOrder(call=call)

    def cut(self, shard: ShardState, call: str, now_s: float) -> tuple[CutOrder, ...]:
        """Returns what to send to the shard to cut a call; empty if the call's own order is not sent yet."""
        placed = shard.calls.get(call)
        if placed is None or not _mark_cut(placed, now_s):
            return ()
        return (CutOrder(call=call),)

    def cut_all(self, now_s: float) -> tuple[ShardState, ...]:
        """Marks all calls as cut; returns the shards to send a `CutOrder` for all calls."""
        for shard in self.living:
            for placed in shard.calls.values():
                _mark_cut(placed, now_s)
        return tuple(self.living)

    def leave(self, shard: ShardState, call: str) -> bool:
        """Removes a call that is over, however it ended; returns whether its shard must end as well."""
        shard.calls.pop(call, None)
        return shard.retires and not shard.calls and shard.gone is None

    # -- messages from a shard ---------------------------------------------------------------------------------------

    def heard(self, shard: ShardState, message: Mapping[str, Any], now_s: float) -> Meaning | None:
        """Processes a message of a shard; returns what it means for the driver, None if nothing."""
        shard.silence.heard(now_s)
        match message:
            case {"ended": {"call": str(call)} as result} if call in shard.calls:
                if shard.calls[call].is_cut:
                    shard.last_cut_ended_s = now_s
                return Ended(call, dict(result))
            case {"started": str(call)}:
                return Started(call)
            case {"event": dict(entry), "call": str(call)}:
                return Happened(call, entry)
            case {"second": dict(second)}:
                shard.second = second
                return SecondTold(shard.number, second)
            case {"ready": _}:
                shard.is_ready = True
                self._failed_starts = 0
                return Ready()
            case {"error": {"kind": _, "what": _}}:
                shard.error = self.error = error_in(message)
            case _:
                pass
        return None

    def overdue(self, now_s: float) -> Overdue:
        """Finds frozen shards, and calls that were cut but do not end. Nothing else would end them.

        A shard with such calls is killed only if all its calls were cut. Otherwise only those calls fail. Calls that
        were cut together are measured one after the other, so `END_S` counts from the last end of a cut call.
        """
        slept = self._looked_s is not None and stood_still(self._looked_s, now_s)
        self._looked_s = now_s
        kill = []
        lost: dict[str, OwnFailure] = {}
        for shard in self.living:
            frozen = shard.silence.look(now_s, ready=shard.is_ready)
            if shard.killed is not None:
                continue
            if slept:  # the shard may have been suspended as well
                shard.last_cut_ended_s = now_s
            late = _overdue(shard, now_s)
            if frozen is None and late and all(placed.is_cut for placed in shard.calls.values()):
                frozen = f"it had not ended its calls {END_S:g} s after they were cut"
            if frozen is not None:
                shard.killed = frozen
                kill.append(shard)
            else:
                why = f"the process that made this call had not ended it {END_S:g} s after it was cut"
                lost |= {call: OwnFailure(DIED, why) for call in late}
        return Overdue(tuple(kill), lost)

    def ended(self, shard: ShardState, code: int | None) -> dict[str, OwnFailure]:
        """Records that a shard's process ended with this code (None: unknown); returns the calls that fail."""
        how = "its exit code is not known" if code is None else how_it_ended(code)
        return self._gone(shard, shard.killed or how)

    def not_started(self, shard: ShardState, problem: OSError) -> dict[str, OwnFailure]:
        """Records that a shard's process could not be started; returns the calls that fail."""
        return self._gone(shard, f"it could not be started: {problem.strerror or problem}")

    @property
    def problem(self) -> str | None:
        """The last error of a shard in one line."""
        return None if self.error is None else _in_one_line(self.error)

    @property
    def seconds(self) -> list[dict[str, Any]]:
        """The last `second` message of each living shard."""
        return [shard.second for shard in self.living if shard.second]

    # ----------------------------------------------------------------------------------------------------------------

    def _taking(self, engine: EngineName) -> list[ShardState]:
        return [shard for shard in self.shards if shard.engine == engine and shard.takes_calls]

    def _is_spare_needed(self, engine: EngineName) -> bool:
        expected = self._expected.get(engine)
        if expected is None or self._failed_starts:  # do not retry a failed start with every call
            return False
        taking = self._taking(engine)
        room = sum(shard.room for shard in taking)
        if expected.calls is not None:
            made = sum(shard.made for shard in self.shards if shard.engine == engine)
            if expected.calls - made <= room:
                return False
        if expected.grows:
            return room < SPARE_SHARE * CALLS_IN_A_SHARD[engine]
        return len(taking) < expected.shards

    def _gone(self, shard: ShardState, why: str) -> dict[str, OwnFailure]:
        if shard.gone is not None:
            return {}
        last = shard.log_tail.last(1) if shard.error is None else _in_one_line(shard.error)
        shard.gone = f"{why} ({last})" if last else why
        if not shard.is_ready:
            self._failed_starts += 1
            if shard.error is None:
                shard.error = self.error = _did_not_come_up(shard.gone, shard.log_tail.last(LINES_SHOWN))
        self.died += bool(shard.calls)
        return {call: shard_died(shard.gone) for call in shard.calls}


def _seed(seed: int, starter: str, number: int) -> int:
    """Returns a shard's seed, derived from all three values."""
    return int.from_bytes(hashlib.sha256(f"{seed} {number} {starter}".encode()).digest()[:6])


def _mark_cut(placed: _Call, now_s: float) -> bool:
    """Marks a call as cut; returns whether a cut must be sent to the shard now."""
    is_news = placed.is_sent and not placed.is_cut
    placed.is_cut = True
    if is_news:
        placed.cut_sent_s = now_s
    return is_news


def _overdue(shard: ShardState, now_s: float) -> list[str]:
    """Returns the calls that were cut and have not ended in time."""
    return [
        call
        for call, placed in shard.calls.items()
        if placed.cut_sent_s is not None and now_s - max(placed.cut_sent_s, shard.last_cut_ended_s) > END_S
    ]


def _in_one_line(error: HarnessError) -> str:
    text = ": ".join(str(part) for part in (error.where, error.what) if part)
    return text.partition("\n")[0]


def _did_not_come_up(why: str, log: str) -> StackError:
    what = f"a process for calls did not start: {why}"
    return StackError(f"{what}\n{log}" if "\n" in log else what)
