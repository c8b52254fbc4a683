"""Parses a caller's utterance: its questions, the kind of answer each wants, and talk that asks nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from harness.stack.speech.words import likeness
from harness.text.sentences import sentences

AnswerKind = Literal["time", "money", "place", "number"]


def _any_of(*forms: str) -> re.Pattern[str]:
    """A pattern that matches any of the forms (regular expressions separated by `|`) as whole words."""
    return re.compile(rf"\b(?:{'|'.join(forms)})(?!\w)", re.IGNORECASE)


# How each kind is asked for, in English, French, German, Spanish and Italian.
_ASKS: dict[AnswerKind, re.Pattern[str]] = {
    "time": _any_of(
        "when|until when|what times?|what hours|what days?|which days?|what date|how late|how early|hours",
        "quand|quelle heure|horaires",
        "wann|wie viel uhr|öffnungszeiten",
        "cuándo|qué hora|horarios?",
        "quando|che ora|orari|orario",
    ),
    "money": _any_of(
        r"how much(?! (?:time|longer))|costs?|prices?|fees?|expensive|charges?|pay for",
        r"combien|prix|coûte\w*|tarifs?",
        r"kostet|kosten|preise?|wie ?viel kostet",
        "cuánto|cuesta|precios?",
        "quanto costa|costa|prezzo|prezzi",
    ),
    "place": _any_of(
        "where|address|located|location|directions|find you|how (?:do|can|could) (?:i|we) (?:get|come|find|reach)",
        "où|adresse",
        "wo|wohin",
        "dónde|dirección",
        "dove|indirizzo",
    ),
    "number": _any_of(
        "how (?:many|long|old|big|far|often|large|tall)|what number",
        "wie (?:viele|lange|alt)",
        "cuántos|quanti",
    ),
}
# The words that these questions use; next to the kind itself they add nothing.
_WORDS_OF_KIND: dict[AnswerKind, str] = {"time": "open", "money": "cost", "place": "address", "number": "number"}
_NUMBER = (
    r"\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|hundred|thousand"
)
# Patterns for a fact that contains such an answer.
_HOLDS: dict[AnswerKind, re.Pattern[str]] = {
    "time": _any_of(
        r"\d{1,2}[:.h]\d{2}|\d{1,2} ?(?:am|pm|a\.m|p\.m|uhr|h|heures?)",
        rf"(?:{_NUMBER}) (?:o'clock|in the (?:morning|afternoon|evening))",
        r"(?:at|from|until|till|to|by|before|after|between|and) (?:half past |quarter (?:past|to) )?"
        rf"(?:{_NUMBER})",
        "(?:mon|tues|wednes|thurs|fri|satur|sun)days?|weekdays?|weekends?|noon|midday|midnight",
        "daily|every (?:day|morning|evening|hour|week)|hours?|minutes?",
        "january|february|march|april|june|july|august|september|october|november|december",
        "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|heures?",
        "montags?|dienstags?|mittwochs?|donnerstags?|freitags?|samstags?|sonntags?|uhr",
        "lunes|martes|miércoles|jueves|viernes|sábados?|domingos?",
        "lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica|ore",
    ),
    "money": re.compile(
        r"[£$€¥]|\b(?:euros?|pounds?|dollars?|pence|cents?|francs?|eur|usd|gbp|chf|free|no extra charge|gratis|"
        r"gratuit\w*|kostenlos)\b",
        re.IGNORECASE,
    ),
    "place": _any_of(
        "street|road|avenue|lane|square|boulevard|drive|floor|corner|entrance|building|station|stop",
        "located|opposite|next to|beside|behind|near|city cent(?:er|re)|upstairs|downstairs|left|right",
        "rue|place|étage|à côté",
        r"straße|strasse|\w+straße|\w+strasse|platz|\w+platz|gasse|neben|gegenüber|hinter",
        "calle|plaza|avenida|junto",
        "via|piazza|corso|accanto",
    ),
    "number": _any_of(_NUMBER, "dozen"),
}
_STREET = (
    r"street|road|avenue|lane|square|boulevard|drive|rue|straße|\w+straße|\w+strasse|\w+platz|calle|plaza|via|piazza"
)
_ADDRESS = _any_of(
    rf"(?:{_NUMBER})[\w,]* (?:\w+ ){{0,2}}(?:{_STREET})",
    rf"(?:{_STREET}) (?:{_NUMBER})",
    "find us|is located|located at|address|finden uns|se trouve au",
)
_BROAD = _any_of(
    r"(?:tell me|know|hear|talk|speak|say)\b.*\b(?:everything|all|more|a bit|something|anything|about)",
    r"(?:what|how) (?:is|are) .* like|describe|everything about|history of",
    r"(?:parlez|parle|dites|dis)[- ]moi|erzähl\w*|hábleme|parlami",
)
_WHO = _any_of(
    "who are you|what are you|who am i (?:speaking|talking)|am i (?:speaking|talking) (?:to|with)|your name",
    "are you (?:a )?(?:robot|machine|human|real|person|bot|ai|computer)",
)
_SPLIT = re.compile(
    r"[,;]?\s+(?:and|or|et|und|y|e)(?: also)?,?\s+(?=(?:"
    r"when|where|how|what|which|who|do|does|is|are|can|could|may|"
    r"où|quand|combien|wo|wann|wie|was|dónde|cuándo|cuánto|dove|quando|quanto)\b)",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"^(?:\W*\b(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|bonjour|guten tag|hallo|hola|buongiorno|"
    r"okay|ok|oh|well|so|right|yes|great|perfect|just|um|uh|and|sorry|excuse me|please|wait|"
    r"one (?:more|last|other) (?:thing|question)|a quick question|thanks?(?: you)?(?: very much)?)\b\W*)+",
    re.IGNORECASE,
)
_LEAD_IN = re.compile(
    r"^.*\b(?:like|want|wanted|need|wish) to (?:know|ask|find out)\b(?: you)?(?: whether| if)?\s+(?=\S)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        text: The caller's words, without greetings and asides.
        kinds: What its answer contains, such as a time; empty if any fact may answer.
        broad: It asks for everything about something.
        of_identity: It asks who is speaking.
    """

    text: str
    kinds: tuple[AnswerKind, ...]
    broad: bool
    of_identity: bool


def questions_in(said: str) -> list[Question]:
    """The questions in what a caller said; empty if there is nothing but greetings and asides."""
    found = []
    for sentence in sentences(said):
        for part in _SPLIT.split(sentence):
            text = _LEAD_IN.sub("", _ASIDE.sub("", part)).strip(" ,.!?…¿¡-")
            if text:
                found.append(_question(text))
    return found


def is_form(stem: str, kinds: tuple[AnswerKind, ...]) -> bool:
    """Whether a word only repeats the question's kind, such as "price" beside "how much"."""
    return any(likeness(stem, _WORDS_OF_KIND[kind]) >= 0.75 for kind in kinds)


def holds(kind: AnswerKind, fact: str) -> float:
    """How likely a fact contains that kind of answer: 1, 0.6 for a place without an address, or 0."""
    if kind == "place" and _ADDRESS.search(fact):
        return 1.0
    if _HOLDS[kind].search(fact):
        return 0.6 if kind == "place" else 1.0
    return 0.0


def _question(text: str) -> Question:
    small = text.lower().replace("\u2019", "'")
    kinds = tuple(kind for kind, pattern in _ASKS.items() if pattern.search(small))
    return Question(text, kinds, _BROAD.search(small) is not None, _WHO.search(small) is not None)
