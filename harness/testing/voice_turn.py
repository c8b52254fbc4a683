"""A turn of a call in a test: its texts, and the numbers that count."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.record.result import GreetingResult, TurnResult
from harness.testing.outcomes import FellShort, Unfit
from harness.text.plain_text import clipped, one_line
from harness.timeline.events import TurnKind

_SHOWN_CHARACTERS = 160


@dataclass(frozen=True, slots=True)
class VoiceGreeting:
    """The agent's first speech, before the first turn.

    Attributes:
        reply: The text that the agent sent with it; empty if it sent none.
        fit: Whether its number counts.
    """

    reply: str
    fit: bool
    _of: GreetingResult = field(repr=False)

    @property
    def ttfa_ms(self) -> float:
        """From our join request to the onset of the greeting, in ms.

        Raises:
            Unfit: The harness was late, so that the number says nothing.
            FellShort: There is no such number: no greeting came.
        """
        __tracebackhide__ = True
        return _number("the greeting", "ttfa_ms", self._of.ttfa_ms, [str(why) for why in self._of.unfit_why])

    def __repr__(self) -> str:
        ttfa = [f"ttfa {self._of.ttfa_ms:.0f} ms"] if self._of.ttfa_ms is not None and self.fit else []
        return f"<greeting: {', '.join([*ttfa, f'reply {_shown(self.reply)}'])}>"


@dataclass(frozen=True, slots=True)
class VoiceTurn:
    """One turn: what the caller said, and what the agent did.

    Each number is a duration in ms (`wer`: a rate) as docs/metrics.md defines it. Asking for a number raises `Unfit` if
    the harness was late or it is not known whose voice was measured, and `FellShort` if there is no such number: no
    reply came, or the turn is of a kind that has none.

    Attributes:
        number: Its number, from 1.
        kind: `say`, `type` or `barge_in`.
        text: What the caller said or typed.
        reply: The text that the agent sent as its reply; empty if it sent none.
        transcript: What the agent understood, as it sent it; empty for typed turns.
        interrupted: Whether the agent interrupted the caller.
        fit: Whether its numbers count.
    """

    number: int
    kind: TurnKind
    text: str
    reply: str
    transcript: str
    interrupted: bool
    fit: bool
    _of: TurnResult = field(repr=False)

    @property
    def ttfa_ms(self) -> float:
        """Time to first audio: from the end of the caller's speech to the onset of the agent's voice, in ms."""
        __tracebackhide__ = True
        return self._number("ttfa_ms")

    @property
    def transcript_ms(self) -> float:
        """From the end of the caller's speech to the transcript, in ms."""
        __tracebackhide__ = True
        return self._number("transcript_ms")

    @property
    def echo_ms(self) -> float:
        """From sending a typed text to its echo, in ms."""
        __tracebackhide__ = True
        return self._number("echo_ms")

    @property
    def reply_text_ms(self) -> float:
        """From the end of the caller's speech to the text of the reply, in ms."""
        __tracebackhide__ = True
        return self._number("reply_text_ms")

    @property
    def stop_ms(self) -> float:
        """After a barge-in: how long the agent went on, in ms."""
        __tracebackhide__ = True
        return self._number("stop_ms")

    @property
    def talk_over_ms(self) -> float:
        """How long both spoke at once, in ms."""
        __tracebackhide__ = True
        return self._number("talk_over_ms")

    @property
    def dead_air_ms(self) -> float:
        """The longest silence, in ms."""
        __tracebackhide__ = True
        return self._number("dead_air_ms")

    @property
    def wer(self) -> float:
        """The word error rate of the transcript; 0.0 if every word was understood."""
        __tracebackhide__ = True
        return self._number("wer")

    def _number(self, name: str) -> float:
        __tracebackhide__ = True
        turn = self._of
        value: float | None = getattr(turn, name)
        agents = not turn.ours
        doubts = [str(why) for why in (*turn.unfit_why, *turn.doubtful)]
        return _number(f"turn {self.number}", name, value, doubts or ([] if self.fit else [""]), by_agent=agents)

    def __repr__(self) -> str:
        turn = self._of
        numbers = [("ttfa", turn.ttfa_ms), ("echo", turn.echo_ms), ("stop", turn.stop_ms)]
        shown = [f"{name} {value:.0f} ms" for name, value in numbers if value is not None and self.fit]
        shown += [f"wer {turn.wer:.2f}"] if turn.wer is not None and self.fit else []
        shown += [] if self.fit else ["not fit"]
        shown += [f"reply {_shown(self.reply)}"]
        return f"<turn {self.number}, {self.kind} {_shown(self.text)}: {', '.join(shown)}>"


def greeting_of(greeting: GreetingResult) -> VoiceGreeting:
    """Returns a measured greeting as tests see it."""
    return VoiceGreeting(greeting.reply, greeting.fit, greeting)


def turn_of(turn: TurnResult) -> VoiceTurn:
    """Returns a measured turn as tests see it."""
    fit = turn.sure and not turn.cut
    return VoiceTurn(turn.turn, turn.kind, turn.text, turn.reply, turn.transcript, turn.interrupted, fit, turn)


def _number(whose: str, name: str, value: float | None, doubts: list[str], *, by_agent: bool = False) -> float:
    """Returns the number if it counts.

    Raises:
        Unfit: It does not count, because of the harness.
        FellShort: It does not count, because of the agent, or there is none.
    """
    __tracebackhide__ = True
    if doubts and not by_agent:
        raise Unfit(f"{name} of {whose} does not count: {one_line('; '.join(filter(None, doubts))) or 'it was cut'}")
    if doubts:
        raise FellShort(f"{name} of {whose} is not known: {one_line('; '.join(doubts))}")
    if value is None:
        raise FellShort(f"{whose} has no {name}", hint="no reply came, or turns of its kind have no such number")
    return value


def _shown(text: str) -> str:
    return f"'{clipped(one_line(text), _SHOWN_CHARACTERS)}'"
