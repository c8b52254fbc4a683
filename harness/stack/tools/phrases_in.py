"""The words of a text with their places, and the phrases in it that may be a property's value. English.

A phrase is introduced by words that people use for its kind: a name by "under the name of", a place by "in", a topic by
"about". The kind of a property is read from the words of its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from harness.stack.speech.phrases import small_talk
from harness.stack.speech.words import is_stop_word, likeness, stem, words
from harness.stack.tools.listed import Property, in_words, word_set

Span = tuple[int, int]
Found = tuple[str, Span] | None

MOST_PHRASE_WORDS = 8
MOST_TEXT_CHARS = 200
MOST_ANSWER_WORDS = 12
SAME = 0.75  # least likeness of a word to one that names the tool
_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
_BOUNDARY = word_set(
    "for at on in to from with by under about and or but please then tonight today tomorrow this next right now "
    "be look will would can could do does did have has costs cost "
    "is are was if when until till before after near around of the a an there here still yet available free"
)
# A phrase may hold these: "Lord of the Rings", "salt and pepper".
_INSIDE = word_set("of the a an and")
_NO_VALUE = word_set(
    "me you us it them him her there here now please that this these those what which who how i we they my your our "
    "one some any something anything"
)
_DIRECTIONS = {
    "from": word_set("from source origin start departure starting leaving"),
    "to": word_set("to target destination arrival end into"),
    "into": word_set("to target destination into"),
}

# What a property holds, by the words of its name.
_PERSON = word_set(
    "name guest customer person who contact patient caller member holder attendee recipient surname lastname "
    "firstname employee colleague owner"
)
_PLACE = word_set(
    "city location place town country destination origin address where area region airport station village source "
    "from to street room district"
)
_CODE = word_set(
    "id number no code reference ref sku isbn ticket tracking order postcode zip plate booking confirmation"
)
_TOPIC = word_set(
    "query search text term topic question keyword keywords subject title book item product message word phrase "
    "content symptom dish note notes reason task reminder song artist author film movie recipe ingredient what "
    "description summary body"
)
_CODE_TEXT = re.compile(r"\b[A-Z]{1,4} \d{2,}\b|\b(?=[A-Za-z-]*\d)[A-Za-z]{0,6}-?\d[\w-]*\b")
_DIGIT = "zero|oh|one|two|three|four|five|six|seven|eight|nine"
_NO_CODE = re.compile(r"\d{1,2}(?:st|nd|rd|th|am|pm|h)", re.IGNORECASE)
_SPELT_CODE = re.compile(
    rf"\b(?:[a-z][ -]){{0,3}}(?:{_DIGIT}|\d)(?:[ -](?:{_DIGIT}|\d))+\b|\b(?:[A-Z] ?){{1,3}}(?:{_DIGIT})\b",
    re.IGNORECASE,
)
_DIGITS = {word: str(value) for value, word in enumerate(word for word in _DIGIT.split("|") if word != "oh")}
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(r"https?://\S+")
_PHONE = re.compile(r"\+?\d[\d ()/-]{5,}\d")
_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»]{1,200})[\"”»]|(?<!\w)'([^']{2,200})'(?!\w)")
_QUESTION = re.compile(
    r"\?$|^(?:what|when|where|who|why|how|which|do|does|is|are|can|could|would|i don't|never mind|forget)\b",
    re.IGNORECASE,
)
_LEAD_IN = re.compile(
    r"^(?:(?:oh|well|um|uh|yes|okay|ok|sure|so|it'?s|it is|that'?s|that is|that would be|my name is|the name is|i'm|"
    r"i am|this is|make it|let'?s say|say|please|for|under|in|to|at|on|about|the|a|an)\b[\s,]*)+",
    re.IGNORECASE,
)


class Words:
    """A text's words with their places.

    Attributes:
        text: The text.
    """

    def __init__(self, text: str) -> None:
        self.text = text.replace("\u2019", "'")
        self._words = [(match[0].lower(), match.start(), match.end()) for match in _WORD.finditer(self.text)]
        self._blocked: list[Span] = []

    def all(self) -> list[str]:
        """The words in lower case."""
        return [word for word, _, _ in self._words]

    def before(self, at: int) -> list[str]:
        """The words before a place, in order."""
        return [word for word, _, end in self._words if end <= at]

    def after(self, at: int) -> list[str]:
        """The words after a place, in order."""
        return [word for word, start, _ in self._words if start >= at]

    def next_place(self, at: int) -> Span | None:
        """Where the first word after a place is."""
        return next(((start, end) for _, start, end in self._words if start >= at), None)

    def place_of(self, word: str) -> Span | None:
        """Where a word is."""
        return next(((start, end) for one, start, end in self._words if one == word), None)

    def has_any(self, wanted: Iterable[str]) -> bool:
        """Whether one of the words occurs."""
        return not set(wanted).isdisjoint(self.all())

    def alike(self, value: object, least: float) -> list[tuple[float, Span]]:
        """Where a name's words are said, one after another, or a single word like it; with the likeness."""
        wanted = [stem_of(word) for word in words(in_words(str(value)))]
        stems = [stem_of(word) for word, _, _ in self._words]
        found = []
        for at in range(len(stems) - len(wanted) + 1) if wanted else ():
            fit = min(likeness(one, other) for one, other in zip(wanted, stems[at:], strict=False))
            if fit >= (least if len(wanted) == 1 else 1.0):
                found.append((fit, (self._words[at][1], self._words[at + len(wanted) - 1][2])))
        return found

    def block(self, spans: Iterable[Span]) -> None:
        """Takes these places out of phrases: they are the value of something else."""
        self._blocked = [*self._blocked, *spans]

    def phrase(self, start: int) -> Found:
        """The phrase that begins at a place: to the next boundary, at most eight words, without articles in front."""
        taken: list[tuple[str, int, int]] = []
        for word, begin, end in self._words:
            if begin < start:
                continue
            if taken and re.search(r"[.,;:?!]", self.text[taken[-1][2] : begin]):
                break
            if self._is_blocked((begin, end)) or len(taken) == MOST_PHRASE_WORDS:
                break
            if not taken and word in ("the", "a", "an"):
                continue
            if taken and word in _BOUNDARY and word not in _INSIDE:
                break
            taken.append((word, begin, end))
        while taken and taken[-1][0] in _BOUNDARY:
            taken.pop()
        if not taken or taken[0][0] in _NO_VALUE | _BOUNDARY:
            return None
        span = (taken[0][1], taken[-1][2])
        return self.text[span[0] : span[1]], span

    def runs(self, skip: Callable[[str], bool]) -> list[tuple[str, Span]]:
        """The stretches of words that are not blocked and that `skip` does not name."""
        found: list[tuple[str, Span]] = []
        last: Span | None = None
        for word, begin, end in self._words:
            if skip(word) or self._is_blocked((begin, end)):
                last = None
                continue
            if last is not None and not re.search(r"[.,;:?!]", self.text[last[1] : begin]):
                found.pop()
                last = (last[0], end)
            else:
                last = (begin, end)
            found.append((self.text[last[0] : last[1]], last))
        return found

    def _is_blocked(self, span: Span) -> bool:
        return any(span[0] < end and start < span[1] for start, end in self._blocked)

    @staticmethod
    def stems_of(text: str) -> frozenset[str]:
        """The stems of a text's content words."""
        return _stems_of(text)


@lru_cache(maxsize=4096)
def _stems_of(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text) if not is_stop_word(word) or word == "number")


@lru_cache(maxsize=4096)
def stem_of(word: str) -> str:
    """A word's stem, with number words as digits."""
    found = words(word)
    return stem(found[0]) if len(found) == 1 else stem(word)


def is_boundary(word: str) -> bool:
    """Whether a word ends a phrase, as prepositions do."""
    return word in _BOUNDARY


def direction(title: str, before: Sequence[str]) -> float:
    """1 if "from" or "to" stands before a value and the property is named after it."""
    return float(any(_DIRECTIONS.get(word, frozenset()) & set(title.split()) for word in before))


def takes_code(to: Property) -> bool:
    """Whether a property holds something like an order's number."""
    title = set(to.title.split())
    return bool(title & _CODE) and not title & {"name", "title"} and to.form in ("", "uuid")


def code(said: Words, to: Property, *, asked: bool) -> Found:
    """A code such as `A-17` or "4 5 6 7"; digits alone only after a word of the property's name, or if asked for."""
    spelt = _SPELT_CODE.search(said.text)
    if spelt is not None and (asked or _is_introduced(said, to, spelt.start())):
        parts = re.split(r"[\s-]+", spelt[0].strip().lower())
        text = "".join(_DIGITS.get("zero" if part == "oh" else part, part.upper()) for part in parts)
        return text, (spelt.start(), spelt.start() + len(spelt[0].rstrip()))
    for match in _CODE_TEXT.finditer(said.text):
        plain = re.fullmatch(r"-?\d+", match[0]) is not None
        if _NO_CODE.fullmatch(match[0]) or (plain and not asked and not _is_introduced(said, to, match.start())):
            continue
        return match[0].replace(" ", ""), match.span()
    return None


def _is_introduced(said: Words, to: Property, at: int) -> bool:
    near = {stem_of(word) for word in said.before(at)[-4:]}
    return not near.isdisjoint({stem_of(word) for word in [*to.title.split(), "number", "code"]})


def plain_answer(text: str) -> str | None:
    """What a caller answers to a question for a value: "it's Smith, please" is "Smith"; None if this is no answer."""
    if small_talk(text, "en") is not None or _QUESTION.search(text.strip()) or len(text.split()) > MOST_ANSWER_WORDS:
        return None
    bare = re.sub(r"[\s,]*\bplease\b\W*$", "", text.strip(), flags=re.IGNORECASE).strip(" .,!?")
    return (_LEAD_IN.sub("", bare).strip(" .,!?") or bare)[:MOST_TEXT_CHARS] or None


def rest(said: Words, known: frozenset[str]) -> Found:
    """The longest stretch of words that neither belongs to the question's form nor names the tool."""

    def skip(word: str) -> bool:
        one = stem_of(word)
        return is_stop_word(word) or one.isdigit() or any(likeness(one, other) >= SAME for other in known)

    runs = said.runs(skip)
    return max(runs, key=lambda one: len(one[0]), default=None)


def _by_shape(said: Words, to: Property) -> Found:
    """An address of mail or of the web, a telephone number, or what stands in quotation marks."""
    title = set(to.title.split())
    for pattern, names, forms in (
        (_EMAIL, {"email", "mail"}, ("email",)),
        (_URL, {"url", "link", "website"}, ("uri", "url")),
        (_PHONE, {"phone", "telephone", "mobile"}, ()),
    ):
        if title & names or to.form in forms:
            match = pattern.search(said.text)
            return (match[0], match.span()) if match else None
    match = _QUOTED.search(said.text)
    return (match[1] or match[2], match.span()) if match and not takes_code(to) else None


def _by_name(said: Words, to: Property) -> Found:
    """What follows the property's own name: "the city of Paris", "a book called Dune"."""
    last = to.title.split()[-1] if to.title else ""
    if not last or takes_code(to):
        return None
    pattern = rf"\b{re.escape(last)}s?(?:,| is| are| called| named| titled| of| says| saying)+ "
    return _after(said, pattern)


def _by_kind(said: Words, to: Property) -> Found:
    """What follows the words that introduce this kind."""
    title = set(to.title.split())
    if title & _PERSON and not title & (_PLACE | _TOPIC):
        named = r"\b(?:under the name(?: of)?|in the name of|my name is|the name is|name of|under|i'm|i am|this is) "
        return _after(said, named) or _capitalised(said, r"\b(?:for|with|by|to|as) ")
    for word in ("from", "to"):
        if title & _DIRECTIONS[word]:
            return _after(said, rf"\b{word}{'|into' if word == 'to' else ''} ")
    if title & _PLACE:
        return _after(said, r"\b(?:in|near|around|at|to|for|from|of) ")
    if title & {"author", "artist"}:
        return _after(said, r"\bby ")
    if title & {"task", "reminder", "message", "note", "text", "body", "content"}:
        return _clause(said)
    if title & _TOPIC:
        return _after(said, r"\b(?:about|called|named|titled|search(?:ing)? for|look(?:ing)? for|for|on|of) ")
    return None


def _described(said: Words, to: Property) -> Found:
    """What follows the words that introduce the kind which the description names first."""
    kinds = _PERSON | _PLACE | _TOPIC
    first = next((word for word in words(to.description) if word in kinds), None)
    if first is None or set(to.title.split()) & kinds:
        return None
    return _by_kind(said, Property(first, "string"))


INTRODUCED: tuple[Callable[[Words, Property], Found], ...] = (_by_shape, _by_name, _by_kind, _described)


def _after(said: Words, pattern: str) -> Found:
    for match in re.finditer(pattern, said.text, re.IGNORECASE):
        found = said.phrase(match.end())
        if found is not None and not found[0].replace(" ", "").isdigit():
            return found
    return None


def _capitalised(said: Words, pattern: str) -> Found:
    """A name that begins with a capital after one of these words."""
    for match in re.finditer(pattern, said.text, re.IGNORECASE):
        found = said.phrase(match.end())
        if found is not None and found[0][:1].isupper():
            return found
    return None


def _clause(said: Words) -> Found:
    """All that follows: "remind me to call Ann", "a message saying that I'm late"."""
    match = re.search(r"\b(?:(?:remind|tell) \w+ (?:to|that)|saying(?: that)?|that says|says|to) (?=\w)", said.text)
    if match is None:
        return None
    text = said.text[match.end() :].strip(" .!?")[:MOST_TEXT_CHARS]
    text = re.sub(r"(?:,? please)$", "", text)
    return (text, (match.end(), match.end() + len(text))) if text else None
