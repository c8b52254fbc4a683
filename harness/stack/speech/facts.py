"""Splits a system prompt into facts about the world and instructions to the agent."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.text.sentences import sentences

_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*$")
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d{1,2}[.)])\s+")
_RULE = re.compile(r"^(?:\s*[-=*_]{3,}\s*|[\s:|-]+)$")
_COLUMNS = "columns:"
_POINTS_BACK = re.compile(r"^(?:it|its|they|their|them|this|that|these|those|he|she|his|her)\b", re.IGNORECASE)

_ADVERB = r"(?:please|always|never|only|also|just|then|politely|kindly|do not|don't|must|should|shall|not)"
_CALLER = r"(?:callers?|guests?|users?|customers?|clients?|patients?|visitors?|people|person|them|him|her)"
_MANNER = (
    r"(?:polite|friendly|brief|concise|helpful|kind|warm|upbeat|cheerful|patient|professional|honest|short|clear|nice|"
    r"courteous|calm|natural|precise|formal|informal|witty|respectful|to the point|very|as)"
)
# Instructions on how to speak; of "ask", "follow" and the like only what is done to callers and texts: "Follow the
# signs to the entrance" is a fact.
_SPEAK = (
    r"(?:answer|reply|respond|speak|talk|say|act|behave|stay|remain|sound|pretend|role-?play|greet|introduce|"
    r"mention|discuss|reveal|apologi[sz]e|assume|ensure|make sure|invent|guess|make (?:things |anything )?up|"
    r"give (?:any |out )?(?:\w+ )?(?:advice|opinions?|information)|"
    rf"be (?:a |an )?{_MANNER}|"
    rf"(?:ask|tell|help|assist|offer|refuse|thank|remind|confirm|transfer|address)(?: to)? "
    rf"(?:the |a |any |your )?{_CALLER}|"
    r"(?:follow|remember|repeat|use|stick to|keep to) (?:these|those|the following|the facts|this))"
)
_PARTS = r"(?:answers?|repl(?:y|ies)|responses?|sentences?|tone|language|words|facts)"
_INSTRUCTIONS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"^(?:you\s+)?(?:{_ADVERB}\s+)*{_SPEAK}\b",
        r"^you(?:'re| are)\s+(?:(?:a|an|the|here to|to|helpful|friendly)\b|(?-i:[A-Z]))",
        r"^your\s+(?:job|task|role|goal|aim|tone|style|purpose|responsibilit\w+)\b",
        rf"^your\s+{_PARTS}\b",
        rf"^(?:{_ADVERB}\s+)*(?:keep|use|give|stick|end)\b.*\b{_PARTS}\b",
        rf"^(?:{_ADVERB}\s+)*keep (?:it|things|everything) (?:short|brief|simple|polite)",
        r"^(?:if|when|whenever|unless)\s+you\b.*\b(?:know|sure|unsure|answer)\b",
        rf"^(?:if|when|whenever|unless)\s+(?:the|a|an)\s+{_CALLER}\b.*\b(?:asks?|says?|wants? to know)\b",
        rf"^(?:if|when|whenever)\s+(?:someone|somebody|anyone|people|they|asked)\b.*,\s*{_SPEAK}",
        # French, German, Spanish, Italian: the agent's role and how it should speak
        r"^(?:tu es|vous êtes (?:un|une|le)|réponds?|répondez|parlez?|sois|soyez)\b|^vous êtes l'",
        r"^(?:du bist|sie sind (?:ein|eine|der|die|das)|antworten?|sprich|sprechen sie|sei|seien sie|bleib\w*)\b",
        r"^(?:eres|usted es|responde|habla|sé|mantén las|contesta)\b",
        r"^(?:sei|lei è|rispondi|parla|mantieni)\b",
    )
)
_IDENTITY = re.compile(r"^you(?:'re| are)\s+((?:(?:a|an|the)\b|(?-i:[A-Z])).*)$", re.IGNORECASE | re.DOTALL)
_NAME = re.compile(r"^your name is\s+(.*)$", re.IGNORECASE | re.DOTALL)


WRAPPED_CHARS = 50  # editors do not wrap lines sooner


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence that can be spoken as an answer.

    Attributes:
        text: The sentence.
        heading: The heading above it; empty if there is none.
        section: Index of that heading, from 0.
        leans_back: It begins with a word such as "it" or "their" and follows a sentence of the same paragraph.
    """

    text: str
    heading: str
    section: int
    leans_back: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a prompt in order, and who the agent is (empty if the prompt does not say)."""

    facts: tuple[Fact, ...]
    identity: str


def facts_of(prompt: str, *, instructions: bool = True) -> Facts:
    """The facts of a prompt: sentences, bullets, table rows and `key: value` lines, without instructions.

    With `instructions` false the text holds facts only, such as a document: no sentence is left out as an instruction
    or says who the agent is.
    """
    found: list[Fact] = []
    identity: list[str] = []
    heading, columns, section = "", "", 0
    for block in _blocks(prompt):
        if block.startswith(_COLUMNS):
            columns = block.removeprefix(_COLUMNS).replace("|", " ")
            continue
        if not block.startswith("|"):
            columns = ""
        if (match := _HEADING.match(block)) or (match := re.match(r"^([^.!?:|]{2,60}):$", block)):
            heading, section = _plain(match.group(1)), section + 1
            continue
        follows = False
        for sentence in sentences(_plain(block)):
            if instructions:
                if own := _identity(sentence):
                    identity.append(own)
                if is_instruction(sentence) or _NAME.match(sentence):
                    continue
            leans = follows and _POINTS_BACK.match(sentence) is not None
            found.append(Fact(_ended(sentence), f"{heading} {columns}".strip(), section, leans))
            follows = True
    return Facts(tuple(found), " ".join(identity[:1]))


def is_instruction(sentence: str) -> bool:
    """Whether a sentence says what the agent is or how to speak, rather than a fact."""
    return any(pattern.search(sentence) for pattern in _INSTRUCTIONS)


def _blocks(prompt: str) -> list[str]:
    """Paragraphs with their lines joined; headings, bullets, rows and `key: value` lines are blocks of their own."""
    blocks: list[str] = []
    joins = False
    for line in prompt.splitlines():
        text = line.strip()
        if not text or _RULE.match(line):
            if text.startswith("|") and blocks and blocks[-1].startswith("|"):
                blocks[-1] = _COLUMNS + blocks[-1]  # the row above a table's rule has the column names
            joins = False
            continue
        single = bool(_HEADING.match(line) or _BULLET.match(line) or text.startswith("|") or _is_key_value(text))
        if joins and not single and _goes_on(blocks[-1], line):
            blocks[-1] += f" {text}"
        else:
            blocks.append(_BULLET.sub("", line).strip())
        joins = not (_HEADING.match(line) or text.startswith("|") or text.endswith(":"))
    return blocks


def _goes_on(before: str, line: str) -> bool:
    """Whether a line continues the one before: in lower case, indented, or after a line too long to be complete."""
    return line[:1].isspace() or line.lstrip()[:1].islower() or len(before) >= WRAPPED_CHARS


def _is_key_value(text: str) -> bool:
    return re.match(r"^[^\s.:!?][^.:!?]{0,40}:\s+\S", text) is not None


def _plain(text: str) -> str:
    """Markdown as it is spoken: without emphasis and link targets, table rows as `first: second, third`."""
    if text.startswith("|"):
        cells = [cell.strip() for cell in text.strip("|").split("|") if cell.strip()]
        text = f"{cells[0]}: {', '.join(cells[1:])}" if len(cells) > 1 else "".join(cells)
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*`]+|(?<!\w)_+|_+(?!\w)", "", text).split())


def _identity(sentence: str) -> str:
    if match := _NAME.match(sentence):
        return _ended(f"My name is {match.group(1)}")
    match = _IDENTITY.match(sentence)
    if match is None:
        return ""
    who = re.split(r"[,;]?\s+(?:and|who|which)?\s*\b(?:you|your)\b", match.group(1))[0]
    return _ended(f"I am {who}")


def _ended(sentence: str) -> str:
    return sentence if sentence[-1:] in ".!?" else f"{sentence.rstrip(';,')}."
