"""Which tool answers what was said, or none: by the words of its name, description and schema, and by meaning.

The words that became arguments are set aside. Of the others, each counts by how well the tool knows it: its name most,
its description less, the names of its properties least. A question whose words the tool does not know is about
something else, however many arguments it would fill. It knows English only; nothing here is specific to a tool.

Tuned on 40 utterances to the tools of seven servers (tests/stack/tools/asked_of_tools.py), 15 of which fit no tool: in
all 40 the tool and each argument are right. Of 22 to three more servers, written afterwards, 19 were right at once (all
9 that fit no tool among them); one had a wrong argument, in two a tool that fits was not found. 21 are right since.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from harness.stack.speech.words import content_stems, is_light, likeness, stem, words
from harness.stack.tools.fill import MOST_SAID_CHARS, Filled, fill
from harness.stack.tools.listed import Property, Tool, in_words

Rank = Callable[[str, list[str]], Awaitable[list[float]]]

NAME, TITLE, DESCRIPTION, PROPERTY, CHOICE = 1.0, 1.0, 0.8, 0.8, 0.7
LIGHT = 0.4  # weight of a word that says little about the topic
WORDS_WEIGHT, MEANING_WEIGHT = 0.6, 0.4
NAME_BONUS = 0.1  # for a word of the tool's name, which distinguishes it from the others of its server
FILLED_BONUS = 0.1  # for all required arguments said
KNOWN_WORDS = 0.6  # weighted share of the words that the tool knows; with fewer it is about something else
LESS_WORDS, LESS_MEANING = 0.4, 0.35  # or fewer of them if the meaning is near
MOST_FILLED = 8  # tools whose arguments are looked for, of those that seem likeliest
ASKING_WORDS = 0.7  # to ask for an argument that is missing, the words must be the tool's more clearly
# Verbs of tools that change something. Such a tool is called only if the caller says its verb, or one like it.
_CHANGING = tuple(
    frozenset(stem(verb) for verb in group.split())
    for group in (
        "reserve book hold schedule arrange make",
        "cancel delete remove drop undo revoke off",
        "set turn switch put change adjust raise lower make dim",
        "update change modify edit move reschedule rename",
        "create add make open register new write note remember remind",
        "send tell text message mail email write forward post share",
        "order buy purchase",
        "pay settle transfer refund",
        "renew extend prolong",
        "start begin launch run play",
        "stop end pause close finish lock unlock",
        "subscribe enrol enroll join",
        "submit report file complain",
    )
)
# Words that say nothing of the topic, beside the stop words.
_EMPTY_WORDS = """
    under over below above like than least most next last another other currently moment again soon maybe today tonight
    tomorrow now please morning afternoon evening night
"""
_EMPTY = frozenset(stem(word) for word in _EMPTY_WORDS.split())


@dataclass(frozen=True, slots=True)
class Choice:
    """A tool with its arguments, and how well it fits.

    Attributes:
        tool: The tool.
        filled: Its arguments.
        words: The weighted share of the words that the tool knows, 0 to 1.
        meaning: The similarity of what was said and the tool's description.
        named: The likeness of the likest word to one of the tool's name, 0 to 1.
        verb: Whether the verb was said, if the tool's name has one that changes something.
    """

    tool: Tool
    filled: Filled
    words: float
    meaning: float
    named: float
    verb: bool

    @property
    def score(self) -> float:
        """For comparing tools."""
        bonus = 0.0 if self.filled.missing else FILLED_BONUS
        return WORDS_WEIGHT * self.words + MEANING_WEIGHT * self.meaning + NAME_BONUS * self.named + bonus

    @property
    def fits(self) -> bool:
        """Whether the tool is about what was said."""
        if not self.verb:
            return False
        if self.filled.missing:
            return self.words >= ASKING_WORDS and (self.named > 0 or self.meaning >= LESS_MEANING)
        return self.words >= KNOWN_WORDS or (self.words >= LESS_WORDS and self.meaning >= LESS_MEANING)


async def choose(tools: Sequence[Tool], said: str, rank: Rank, now: datetime) -> Choice | None:
    """The tool that fits what was said best; None if none fits.

    Args:
        tools: The tools of all servers of the agent.
        said: What the caller said or typed.
        rank: Similarity of a text to each of several, such as `Speech.rank`.
        now: The local time, for "tonight".
    """
    said = said[:MOST_SAID_CHARS]
    if not tools or not content_stems(said):
        return None
    meanings = await rank(said, [f"{tool.title}. {tool.description}"[:300] for tool in tools])
    likely = sorted(zip(tools, meanings, strict=True), key=lambda one: -_likely(one[0], said, one[1]))[:MOST_FILLED]
    choices = [_choice(tool, said, meaning, now) for tool, meaning in likely]
    fitting = [choice for choice in choices if choice.fits]
    return max(fitting, key=lambda choice: choice.score, default=None)


def _likely(tool: Tool, said: str, meaning: float) -> float:
    """A first guess, without arguments, at which of many tools are worth filling."""
    known = _known(tool)
    return meaning + sum(known.get(word, 0.0) for word in content_stems(said))


def _choice(tool: Tool, said: str, meaning: float, now: datetime) -> Choice:
    filled = fill(tool, said, now)
    left = _without(said, filled)
    known = _known(tool)
    name = {stem(word) for word in words(in_words(tool.name))}
    total = got = named = 0.0
    for word in content_stems(left):
        if word in _EMPTY:
            continue
        weight = LIGHT if is_light(word) else 1.0
        fit = max((share * likeness(word, one) for one, share in known.items()), default=0.0)
        total += weight
        got += weight * fit
        named = max(named, max((likeness(word, one) for one in name), default=0.0))
    return Choice(tool, filled, got / total if total else 0.0, meaning, named, _says_verb(tool, said))


def _says_verb(tool: Tool, said: str) -> bool:
    """Whether the verb of a tool that changes something was said; True for any other tool."""
    first = stem((words(in_words(tool.name)) or [""])[0])
    alike = [group for group in _CHANGING if first in group]
    return not alike or any(stem(word) in group for word in words(said) for group in alike)


def _without(said: str, filled: Filled) -> str:
    """What was said without the words that became arguments."""
    kept = list(said.replace("\u2019", "'"))
    for start, end in filled.spans:
        kept[start:end] = " " * len(kept[start:end])
    return "".join(kept)


@lru_cache(maxsize=1024)
def _known(tool: Tool) -> dict[str, float]:
    """The stems that a tool knows, with their shares."""
    known: dict[str, float] = {}

    def learn(text: str, share: float) -> None:
        for one in content_stems(text):
            known[one] = max(known.get(one, 0.0), share)

    learn(in_words(tool.name), NAME)
    learn(tool.title, TITLE)
    learn(tool.description, DESCRIPTION)
    for one in tool.properties:
        learn(one.title, PROPERTY)
        learn(one.description, PROPERTY * DESCRIPTION)
        for choice in _choices(one):
            learn(in_words(str(choice)), CHOICE)
    return known


def _choices(one: Property) -> Sequence[object]:
    return one.choices or (one.item.choices if one.item is not None else ())
