"""Converts a text to a sequence of slots: its words, and all ways to say its digits and signs."""

from __future__ import annotations

import re
from functools import cache

from harness.measure.words.forms import form_at
from harness.measure.words.languages import language_of
from harness.measure.words.slots import Slot, Way, of_ways, of_word
from harness.measure.words.spelling import code_of, folded, is_letter, is_unspaced, plain_words, split_words

_NOTE = re.compile(r"\[[^\]]*\]|<[^<>]*>|\*[^*]+\*|[\u266a-\u266c]")  # a recogniser's annotations, not words
_ASIDE = re.compile(r"\(([^()\d]*)\)")
_DOTTED = re.compile(r"[^\W\d_]\.(?:[^\W\d_]\.)+(?:[^\W\d_](?!\w))?")
_HYPHENED = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)+(?![\w'])")
_FORM_BEGINS = re.compile(r"\d|[$€£¥₹₽+(]|r\$")
_FILLERS = frozenset({"hmm", "mm", "mhm", "mmm", "uh", "uhm", "um"})  # whisper-normalizer drops the same
_AM_PM = re.compile(r"(?<=[\w] )([ap])(?:\. ?m\.?| m)(?![\w'])|(?<=\d)([ap])(?:\. ?m\.?| m)(?![\w'])")
_OKAY = re.compile(r"(?<![\w'])(?:o\. ?k\.?|ok|o k)(?![\w'])")
_N_T = {"won't": "will not", "can't": "can not", "shan't": "shall not", "ain't": "is not"}
_ENDINGS = {"'re": ("are",), "'ll": ("will",), "'ve": ("have",), "'m": ("am",), "'d": ("would", "had")}
# Some recognisers omit the apostrophe in these. Excludes those that would be other words (`well`, `ill`, `were`).
_WITHOUT_APOSTROPHE = """
    don't doesn't didn't isn't aren't wasn't weren't haven't hasn't hadn't couldn't wouldn't shouldn't won't can't
    i'm i've you're you've they're they've we've that's there's here's what's who's where's how's it's let's he's
    she's you'll they'll that'll it'll
"""
_INFORMAL = {
    "gonna": "going to", "wanna": "want to", "gotta": "got to", "kinda": "kind of", "sorta": "sort of",
    "dunno": "do not know", "y'all": "you all", "cannot": "can not", "let's": "let us", "o'clock": "oclock",
    "mr": "mister", "mrs": "missus", "dr": "doctor", "prof": "professor", "st": "saint", "ma'am": "madam",
}  # fmt: skip


def slots_of(text: str, language: str, *, heard: bool = False) -> list[Slot]:
    """The text's slots. If `heard`, annotations such as `[noise]` are dropped and words in parentheses are optional."""
    code = code_of(language)
    text = folded(text, code)
    if heard:
        text = _NOTE.sub(" ", text)
    if code == "en":
        text = _AM_PM.sub(lambda match: f"{match[1] or match[2]}m", text.replace("per cent", "percent"))
        text = _OKAY.sub("okay", text)
    return _Reader(text, code, heard=heard).slots()


class _Reader:
    """Reads a folded text from start to end."""

    def __init__(self, text: str, code: str, *, heard: bool) -> None:
        self._text = text
        self._code = code
        self._heard = heard
        self._slots: list[Slot] = []

    def slots(self) -> list[Slot]:
        """The slots of the whole text."""
        at = 0
        while at < len(self._text):
            at = self._next(at)
        return self._slots

    def _next(self, at: int) -> int:
        text, char = self._text, self._text[at]
        aside = _ASIDE.match(text, at) if self._heard and char == "(" else None
        if aside:
            self._slots.append(of_ways([plain_words(aside[1], self._code), ()]))
            return aside.end()
        starts_word = at == 0 or not (is_letter(text[at - 1]) or text[at - 1] == "'")
        if _FORM_BEGINS.match(text, at) or (starts_word and self._code == "en" and char in "jfmasond"):
            form = form_at(text, at, self._code)
            if form is not None:
                self._slots.append(form[0])
                return form[1]
        if is_letter(char) or char == "'":
            return self._word(at, starts_word=starts_word)
        self._sign(at)
        return at + 1

    def _word(self, at: int, *, starts_word: bool) -> int:
        compound = (_DOTTED.match(self._text, at) or _HYPHENED.match(self._text, at)) if starts_word else None
        if compound:
            parts = split_words(compound[0])
            if not any(is_unspaced(part[0]) for part in parts):
                words = tuple(word for part in parts for way in self._ways(part)[:1] for word in way)
                if words:
                    self._slots.append(of_ways([words, ("".join(parts),)]))
                return compound.end()
        end = at
        while end < len(self._text) and (is_letter(self._text[end]) or self._text[end] == "'"):
            end += 1
        run = self._text[at:end]
        if any(is_unspaced(char) for char in run):
            self._slots += [of_word(word) for word in split_words(run)]
        elif run.strip("'"):
            ways = self._ways(run.strip("'") if not run.startswith("'") else run.rstrip("'"))
            if ways:
                self._slots.append(of_word(ways[0][0]) if len(ways) == 1 and len(ways[0]) == 1 else of_ways(ways))
        return max(end, at + 1)

    def _ways(self, word: str) -> list[Way]:
        """The ways to say a word between spaces; empty if it does not count, such as a filler."""
        if self._code == "en":
            return _english(word)
        if "'" not in word:
            return [(word,)]
        parts = tuple(part for part in word.split("'") if part)
        return list(dict.fromkeys([parts, ("".join(parts),)]))

    def _sign(self, at: int) -> None:
        """Adds a slot for a sign that is spoken, such as `%` and `&`, or that separates two numbers."""
        language, text, char = language_of(self._code), self._text, self._text[at]
        before, after = text[:at].rstrip()[-1:], text[at + 1 :].lstrip()[:1]
        names: tuple[str, ...] = ()
        if char == "%":
            names = language.percent
        elif char == "&":
            names = language.and_
        elif char == "@" and self._code == "en":
            names = ("at",)
        elif char == "-" and after.isdigit() and (before.isdigit() or text[:at].rstrip().endswith(("am", "pm"))):
            names = ("", *language.until)
        elif char == ":" and before.isdigit() and after.isdigit():
            names = ("", *language.until[:1])
        elif char == "." and text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit():
            names = ("", *language.point)
        elif char == "#" and self._code == "en" and after.isdigit():
            names = ("number", "hash", "")
        if names:
            self._slots.append(of_ways([plain_words(name, self._code) for name in names]))


@cache
def _spellings() -> dict[str, str]:
    from whisper_normalizer.english import EnglishSpellingNormalizer

    return dict(EnglishSpellingNormalizer().mapping)


@cache
def _apostrophes() -> dict[str, str]:
    return {word.replace("'", ""): word for word in _WITHOUT_APOSTROPHE.split()}


@cache
def _english(word: str) -> list[Way]:
    if word in _FILLERS:
        return []
    if word in _N_T or word in _INFORMAL:
        return [tuple((_N_T.get(word) or _INFORMAL[word]).split())]
    if word in _apostrophes():
        plain = [(word,)] if word in ("its", "lets") else []
        return [*plain, *_english(_apostrophes()[word])]
    if "'" not in word:
        return [(_spellings().get(word, word),)]
    if word.endswith("n't"):
        return [(word[:-3], "not")]
    base, _, end = word.rpartition("'")
    base = base.replace("'", "")
    if f"'{end}" in _ENDINGS and base:
        return [(base, verb) for verb in _ENDINGS[f"'{end}"]]
    if end == "s" and base:
        return [(base, "is"), (base, "has"), (base + "s",)]
    return [(base + end,)] if base + end else []
