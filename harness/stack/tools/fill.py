"""The arguments of a tool from what was said, by the tool's schema: values that the words hold, never invented ones.

Values of a list are taken where they are said; numbers, days and times as `spoken` finds them, given to the property
whose name or description is nearest; true and false by the property's name and a "no" before it; other texts by the
words that introduce them ("under the name of …", "in …", "about …"). It knows English only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, TypeVar

from harness.stack.speech.words import likeness
from harness.stack.tools import phrases_in
from harness.stack.tools.listed import Property, Tool, word_set
from harness.stack.tools.phrases_in import Span, Words
from harness.stack.tools.spoken import Spoken, days_in, numbers_in, times_in
from harness.stack.tools.when import When, when_of

MOST_SAID_CHARS = 500
SAME_CHOICE = 0.75  # least likeness of a listed value to a word of the caller's: a synonym
NEAR = (1.0, 0.8, 0.6, 0.5)  # weight of a word beside a number, by its distance
DESCRIBED = 0.5  # weight of a word of a property's description, against 1 for one of its name
PEOPLE = 0.8
BARE_PEOPLE = 0.7
_PEOPLE_WORDS = word_set(
    "people person persons guest guests party size seats covers pax adults diners visitors attendees heads"
)
_FOR_PEOPLE = word_set("for of")
_NO = word_set("no not without don't dont never neither off isn't")
_STATES = word_set("on off state power enabled enable active status switch")
_YES_WORDS = word_set("yes yeah yep sure please okay ok true right correct")
_NO_WORDS = word_set("no nope not never false")
_ASIDE = word_set("is are has have with include includes including want wants need needs only")
Value = TypeVar("Value")


@dataclass(slots=True)
class Filled:
    """What was said, as arguments.

    Attributes:
        arguments: The arguments that were said.
        missing: The required properties that were not.
        spans: The places in the text that the arguments were taken from.
    """

    arguments: dict[str, Any] = field(default_factory=dict)
    missing: list[Property] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)


def fill(tool: Tool, said: str, now: datetime, *, asked: Property | None = None, known: Any = None) -> Filled:
    """Fills the arguments of `tool`.

    Args:
        tool: The tool.
        said: What the caller said or typed.
        now: The local time, for "tonight".
        asked: The property that the agent has just asked for, so that a plain value answers it.
        known: Arguments that are known already.
    """
    filling = _Filling(tool, said[:MOST_SAID_CHARS], now, asked, dict(known or {}))
    return filling.run()


class _Filling:
    """The work on one tool and one text."""

    def __init__(self, tool: Tool, said: str, now: datetime, asked: Property | None, known: dict[str, Any]) -> None:
        self._tool = tool
        self._words = Words(said)
        self._now = now
        self._asked = asked
        self._filled = Filled(known)
        self._whens = {one.name: when_of(one) for one in tool.properties}
        self._days = days_in(said, now)
        self._times = times_in(said)

    def run(self) -> Filled:
        """Fills everything, most certain first."""
        self._fill_choices()
        self._fill_codes()
        self._fill_whens()
        self._fill_numbers()
        self._fill_booleans()
        self._fill_texts()
        self._fill_lists()
        if self._asked is not None and self._asked.name not in self._filled.arguments:
            self._answer(self._asked)
        self._filled.missing = [one for one in self._tool.required if one.name not in self._filled.arguments]
        return self._filled

    def _open(self, *kinds: str) -> list[Property]:
        """The properties of these kinds that have no value yet: the one asked for, then required ones, first."""
        of_kind = [one for one in self._tool.properties if one.kind in kinds and one.name not in self._filled.arguments]
        return sorted(of_kind, key=lambda one: (one != self._asked, not one.required))

    def _give(self, to: Property, value: Any, *spans: Span) -> None:
        self._filled.arguments[to.name] = value
        self._filled.spans += spans

    def _is_free(self, span: Span) -> bool:
        return not any(span[0] < end and start < span[1] for start, end in self._filled.spans)

    # -- values of a list ----------------------------------------------------------------------------------------

    def _fill_choices(self) -> None:
        properties = [one for one in self._open("string", "integer", "number") if one.choices]
        candidates = [
            (fit, to, choice, span) for to in properties for choice in to.choices for fit, span in self._said(choice)
        ]
        ranked = sorted(
            candidates, key=lambda one: (-(one[0] + self._cue(one[1], one[3])), one[3][0] - one[3][1], one[3])
        )
        for _, to, choice, span in ranked:
            if to.name not in self._filled.arguments and self._is_free(span):
                self._give(to, choice, span)

    def _said(self, choice: Any) -> Iterable[tuple[float, Span]]:
        """Where a listed value is said, and how exactly."""
        if isinstance(choice, bool):
            return []
        if isinstance(choice, int | float):
            found = numbers_in(self._words.text)
            return [(1.0, one.span) for one in found if one.value == choice]
        return self._words.alike(choice, SAME_CHOICE)

    # -- days and times ------------------------------------------------------------------------------------------

    def _fill_whens(self) -> None:
        open_ones = [one for one in self._open("string") if self._whens[one.name] is not None and not one.choices]
        open_ones.sort(key=self._tool.properties.index)
        days = [one for one in self._days if self._is_free(one.span)]
        times = [one for one in self._times if self._is_free(one.span)]
        of_time = [one for one in open_ones if self._whens[one.name] == When.TIME]
        of_day = [one for one in open_ones if one not in of_time]
        for to, at in self._paired(of_time, times):
            self._give(to, f"{at.value:%H:%M}", at.span)
        for to, on in self._paired(of_day, days):
            self._give_day(to, on, times)
        for to in of_day:
            # A time alone is today's
            if to.name not in self._filled.arguments and times and (to.required or to == self._asked):
                self._give_day(to, None, times)

    def _paired(
        self, properties: Sequence[Property], said: Sequence[Spoken[Value]]
    ) -> list[tuple[Property, Spoken[Value]]]:
        """Which property gets which value: by the words before it, otherwise in order, required ones first."""
        left = list(said)
        pairs = []
        wanted = sorted(properties, key=lambda one: (one != self._asked, not one.required))[: len(left)]
        for to in sorted(wanted, key=self._tool.properties.index):
            cues = {one.start: self._cue(to, one.span) for one in left}
            at = max(cues, key=lambda start: (cues[start], -start))
            best = next(one for one in left if one.start == at)
            left.remove(best)
            pairs.append((to, best))
        return pairs

    def _give_day(self, to: Property, on: Spoken[date] | None, times: Sequence[Spoken[time]]) -> None:
        day = on.value if on is not None else self._now.date()
        spans = [] if on is None else [on.span]
        at = times[0] if times else None
        match self._whens[to.name]:
            case When.DATE:
                self._give(to, day.isoformat(), *spans)
            case When.MOMENT if at is not None:
                zone = self._now.tzinfo if to.form == "date-time" else None
                moment = datetime.combine(day, at.value, tzinfo=zone)
                self._give(to, moment.isoformat(), *spans, at.span)
            case When.WORDS:
                words = [one.words for one in (on, at) if one is not None]
                places = spans + ([at.span] if at is not None else [])
                self._give(to, " ".join(words), *places)

    # -- numbers -------------------------------------------------------------------------------------------------

    def _fill_numbers(self) -> None:
        properties = [one for one in self._open("integer", "number") if not one.choices]
        free = [one for one in self._numbers() if self._is_free(one.span)]
        scored = [(self._number_cue(to, one), to, one) for to in properties for one in free if _fits(to, one.value)]
        for score, to, one in sorted(scored, key=lambda told: (-told[0], told[2].start)):
            if score > 0 and to.name not in self._filled.arguments and self._is_free(one.span):
                self._give_number(to, one)
        rest = [one for one in properties if one.name not in self._filled.arguments]
        wanted = [one for one in rest if one.required or one == self._asked] or rest[:1]
        for to in wanted:
            left = [one for one in free if _fits(to, one.value) and self._may_be(to, one)]
            if left:
                self._give_number(to, left[0])

    def _numbers(self) -> list[Spoken[float]]:
        """The numbers that are no part of a day or time that the tool takes."""
        takes = {when for when in self._whens.values() if when is not None}
        times = [one for one in self._times if takes - {When.DATE}] if takes else []
        blocked = [*(one.span for one in self._days), *(one.span for one in times)]
        return [
            one
            for one in numbers_in(self._words.text)
            if not any(one.start < end and start < one.end for start, end in blocked)
        ]

    def _number_cue(self, to: Property, one: Spoken[float]) -> float:
        """How much the words around a number say that it is this property's."""
        score = self._cue(to, one.span)
        if not _PEOPLE_WORDS & set(f"{to.title} {to.description.lower()}".replace(",", " ").split()):
            return score
        before, after = self._words.before(one.start), self._words.after(one.end)
        if after and after[0] in _PEOPLE_WORDS:
            return score + PEOPLE
        bare = not after or phrases_in.is_boundary(after[0]) or self._starts_value(one.end)
        return score + BARE_PEOPLE if before and before[-1] in _FOR_PEOPLE and bare else score

    def _starts_value(self, at: int) -> bool:
        """Whether a day or time follows."""
        start = at + len(self._words.text[at:]) - len(self._words.text[at:].lstrip(" ,"))
        return start in {*(one.start for one in self._days), *(one.start for one in self._times)}

    def _may_be(self, to: Property, one: Spoken[float]) -> bool:
        """Whether a number that no word introduces may be this property's: it is free, and counts nothing else."""
        if not self._is_free(one.span):
            return False
        after = self._words.after(one.end)
        return to == self._asked or not after or phrases_in.is_boundary(after[0]) or self._named(to, after[0])

    def _named(self, to: Property, word: str) -> bool:
        stems = self._words.stems_of(f"{to.title} {to.description} {self._tool.title}")
        return any(likeness(phrases_in.stem_of(word), one) for one in stems)

    def _give_number(self, to: Property, one: Spoken[float]) -> None:
        value = int(one.value) if one.value == int(one.value) else one.value
        self._give(to, value, (one.start, self._with_unit(to, one.end)))

    def _with_unit(self, to: Property, end: int) -> int:
        """The end of a number with its unit, "50 euros": the word behind it, if the property knows it."""
        place = self._words.next_place(end)
        if place is None:
            return end
        word = self._words.text[place[0] : place[1]].lower()
        return place[1] if word in _PEOPLE_WORDS or self._named(to, word) else end

    def _cue(self, to: Property, span: Span) -> float:
        """How near the words of a property's name and description are to a place in the text, 0 to about 2."""
        before, after = self._words.before(span[0])[::-1], self._words.after(span[1])
        title, told = self._words.stems_of(to.title), self._words.stems_of(to.description)
        score = phrases_in.direction(to.title, before[:1])
        for near in (before[:4], after[:2]):
            for weight, word in zip(NEAR, near, strict=False):
                if phrases_in.is_boundary(word) and near is after:
                    break
                stem = phrases_in.stem_of(word)
                by_title = max((likeness(stem, one) for one in title), default=0.0)
                by_text = max((likeness(stem, one) for one in told), default=0.0)
                score = max(score, weight * max(by_title, DESCRIBED * by_text))
        return score

    # -- true and false ------------------------------------------------------------------------------------------

    def _fill_booleans(self) -> None:
        for to in self._open("boolean"):
            names = [word for word in to.title.split() if word not in _ASIDE]
            switched = self._switched() if _STATES & {*names, *to.description.lower().split()} else None
            if switched is not None:
                self._give(to, switched[0], switched[1])
                continue
            found = [span for name in names for _, span in self._words.alike(name, 0.7)] if names else []
            if len(found) >= len(names) > 0:
                before = self._words.before(min(found)[0])[-3:]
                self._give(to, not _NO & set(before), *found)

    def _switched(self) -> tuple[bool, Span] | None:
        """On or off, as in "turn the lamp off"."""
        for word, value in (("off", False), ("on", True)):
            found = self._words.place_of(word)
            if found is not None and self._words.has_any(("turn", "switch", "put", "set", "leave")):
                return value, found
        return None

    # -- texts ---------------------------------------------------------------------------------------------------

    def _fill_codes(self) -> None:
        for to in self._open("string"):
            if not to.choices and self._whens[to.name] is None and phrases_in.takes_code(to):
                self._give_text(to, phrases_in.code(self._words, to, asked=to == self._asked))

    def _fill_texts(self) -> None:
        if self._asked is None:  # an answer may be a name that is a day's or month's, such as June
            self._words.block([*(one.span for one in self._days), *(one.span for one in self._times)])
        texts = [one for one in self._open("string") if not one.choices and self._whens[one.name] is None]
        for introduced in phrases_in.INTRODUCED:
            for to in texts:
                if to.name not in self._filled.arguments:
                    self._words.block(self._filled.spans)
                    self._give_text(to, introduced(self._words, to))
        left = [one for one in texts if one.required and one.name not in self._filled.arguments]
        if len(left) == 1 and not phrases_in.takes_code(left[0]) and self._asked is None:
            known = self._words.stems_of(f"{self._tool.title} {self._tool.description} {left[0].title}")
            self._words.block(self._filled.spans)
            self._give_text(left[0], phrases_in.rest(self._words, known))

    def _give_text(self, to: Property, found: tuple[str, Span] | None) -> None:
        if found is not None and any(map(str.isalnum, found[0])) and self._is_free(found[1]):
            self._give(to, found[0].strip(), found[1])

    def _fill_lists(self) -> None:
        for to in self._open("array"):
            if to.item is None or not to.item.choices:
                continue
            said = [(span, choice) for choice in to.item.choices for _, span in self._said(choice)]
            chosen = [choice for span, choice in sorted(said, key=lambda one: one[0]) if self._is_free(span)]
            if chosen:
                self._give(to, list(dict.fromkeys(chosen)), *(span for span, _ in said))

    # -- the answer to a question of ours ------------------------------------------------------------------------

    def _answer(self, to: Property) -> None:
        """A plain value: "yes", "Smith", "it's for Miss Lee, please"."""
        whole = (0, len(self._words.text))
        if to.kind == "boolean":
            said = set(self._words.all())
            if said & (_YES_WORDS | _NO_WORDS):
                self._give(to, not said & _NO_WORDS, whole)
        elif self._whens[to.name] is not None:
            self._answer_when(to, phrases_in.plain_answer(self._words.text) or "", whole)
        elif to.kind == "string" and not to.choices:
            text = phrases_in.plain_answer(self._words.text)
            if text is not None:
                self._give(to, text, whole)

    def _answer_when(self, to: Property, plain: str, whole: Span) -> None:
        """A bare hour or day, "seven" or "the fifth", which is one only because it was asked for."""
        days, times = days_in(f"on the {plain}", self._now), times_in(f"at {plain}")
        when = self._whens[to.name]
        if when == When.TIME and times:
            self._give(to, f"{times[0].value:%H:%M}", whole)
        elif when == When.DATE and days:
            self._give(to, days[0].value.isoformat(), whole)
        elif when == When.MOMENT and times:
            self._give_day(to, None, [Spoken(times[0].value, *whole, plain)])
        elif when == When.WORDS and plain:
            self._give(to, plain, whole)


def _fits(to: Property, value: float) -> bool:
    return (
        (to.kind == "number" or value == int(value))
        and (to.low is None or value >= to.low)
        and (to.high is None or value <= to.high)
    )
