"""Whether the first voice after a turn may be a late answer to an older turn, which would make this turn look fast.

After a turn without a reply, a turn with only a filler, or a greeting that did not come in time, an answer is still
owed. The next first voice may be that answer, unless the agent's text or a long silence shows otherwise.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from harness.clock import NS_PER_MS, NS_PER_S
from harness.hearing.voice import WITH_VOICE_NS, count_before
from harness.measure.texts import AssignedTexts, TurnTexts
from harness.record.unfit import Doubt
from harness.timeline.events import GreetingAwaited, GreetingEnded
from harness.timeline.spans import CallSpans, TurnSpan

LATEST_NS = 20 * NS_PER_S  # an answer that takes longer is no longer expected


class OwedAnswers:
    """Tracks which answers are owed; must be asked about the turns in order."""

    def __init__(self, spans: CallSpans, texts: AssignedTexts) -> None:
        self._spans = spans
        self._texts = texts
        self._transcripts_ns = [event.t_ns for event in spans.texts if event.role == "transcript"]
        self._writes = sum(bool(turn.replies) for turn in texts.turns) > 0
        self._owed: tuple[int, Doubt] | None = None
        greeting_ns = spans.at(GreetingAwaited)
        ended = spans.one(GreetingEnded)
        if greeting_ns is not None and ended is not None and ended.why == "silent":
            # If the scenario expects no greeting, a missing one is not a failure of the agent.
            failed = any(event.kind == "agent.no_greeting" for event in spans.failures)
            what = "it may be the greeting, which had not come before"
            self._owed = greeting_ns, Doubt(kind="late_answer" if failed else "older_answer", detail=what)

    def doubt(self, index: int, onset_ns: int | None) -> Doubt | None:
        """Why the reply to the turn at `index`, with its onset at `onset_ns`, may be an older answer."""
        turn, owed = self._spans.turns[index], self._owed
        doubt = None
        if owed is not None and (self._is_too_long_ago(owed[0], turn) or self._is_told(index, onset_ns)):
            self._owed = None
        elif owed is not None and onset_ns is not None:
            doubt = owed[1]
        self._note(index, turn)
        return doubt

    def _note(self, index: int, turn: TurnSpan) -> None:
        """Records what is owed after this turn; an older answer stays owed until it has come, or can no longer come."""
        if turn.caller_end_ns is None:
            return
        whose = f"it may be the answer to turn {turn.turn}"
        if turn.why == "no_reply":
            self._owed = turn.caller_end_ns, Doubt(kind="late_answer", detail=f"{whose}, which had none")
        elif self._owed is None and turn.why == "replied" and self._writes and not self._texts.turns[index].replies:
            what = f"{whose}, in which the agent spoke and wrote nothing"
            self._owed = turn.caller_end_ns, Doubt(kind="older_answer", detail=what)

    def _is_too_long_ago(self, since_ns: int, turn: TurnSpan) -> bool:
        """Whether the agent was silent for so long before this turn that no older answer can be pending."""
        if turn.caller_start_ns is None or turn.caller_start_ns - since_ns < LATEST_NS:
            return False
        voices = self._spans.voices
        return count_before(voices, turn.caller_start_ns) == count_before(voices, turn.caller_start_ns - LATEST_NS)

    def _is_told(self, index: int, onset_ns: int | None) -> bool:
        """Whether the agent's texts show that the voice answers this turn."""
        turn = self._spans.turns[index]
        if onset_ns is None or turn.caller_end_ns is None:
            return False
        ours = self._texts.turns[index].first_reply_ns
        written = ours is not None and ours <= onset_ns + WITH_VOICE_NS
        if written and self._older(index).replies:
            return True  # the older answer was written before this turn, and this one's after it
        if turn.kind == "type":
            return False
        heard = _between(self._transcripts_ns, turn.caller_end_ns, onset_ns)  # earlier ones may be partial
        if not heard or not self._writes:
            return bool(heard)
        return ours is not None and heard[0] <= ours + NS_PER_MS and written

    def _older(self, index: int) -> TurnTexts:
        return self._texts.turns[index - 1] if index else self._texts.greeting


def _between(times_ns: Sequence[int], from_ns: int, to_ns: int) -> Sequence[int]:
    return times_ns[bisect_left(times_ns, from_ns) : bisect_right(times_ns, to_ns)]
