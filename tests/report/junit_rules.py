"""The layout that Jenkins' xUnit plugin accepts (its schema `junit-10.xsd`), as a table, and a check against it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

_TIME = re.compile(r"\d+(\.\d+)?")
_WHOLE = re.compile(r"\d+")
# Its pattern for times would also take groups of thousands; plain seconds are what every reader takes.
_FORMS = {"time": _TIME, "tests": _WHOLE, "failures": _WHOLE, "errors": _WHOLE, "skipped": _WHOLE}


@dataclass(frozen=True)
class Rule:
    """What an element may have. `text`: whether it may have text of its own."""

    children: frozenset[str]
    needed: frozenset[str]
    allowed: frozenset[str]
    text: bool = False


def _rule(children: str = "", needed: str = "", allowed: str = "", *, text: bool = False) -> Rule:
    must = frozenset(needed.split())
    return Rule(frozenset(children.split()), must, must | frozenset(allowed.split()), text=text)


_RESULT = _rule(allowed="type message", text=True)
RULES = {
    "testsuites": _rule("testsuite", allowed="name time tests failures errors"),
    "testsuite": _rule(
        "testsuite properties testcase system-out system-err",
        needed="name tests failures errors",
        allowed="group time skipped timestamp hostname id package file log url",
    ),
    "properties": _rule("property"),
    "property": _rule(needed="name value"),
    "testcase": _rule(
        "skipped error failure rerunFailure rerunError flakyFailure flakyError system-out system-err",
        needed="name",
        allowed="time classname group",
    ),
    "failure": _RESULT,
    "error": _RESULT,
    "skipped": _RESULT,
    "system-out": _rule(text=True),
    "system-err": _rule(text=True),
}


def broken_rules(root: ET.Element) -> list[str]:
    """What a document breaks; empty if it is valid."""
    if root.tag not in ("testsuites", "testsuite"):
        return [f"<{root.tag}> is no root"]
    return list(_broken(root))


def _broken(element: ET.Element) -> Iterator[str]:
    rule = RULES[element.tag]
    given = set(element.attrib)
    yield from (f"<{element.tag}> lacks {name}" for name in rule.needed - given)
    yield from (f"<{element.tag}> may not have {name}" for name in given - rule.allowed)
    for name, form in _FORMS.items():
        if name in given and form.fullmatch(element.attrib[name]) is None:
            yield f"<{element.tag} {name}> is {element.attrib[name]!r}"
    if not rule.text and (element.text or "").strip():
        yield f"<{element.tag}> may not have text"
    for child in element:
        if child.tag not in rule.children:
            yield f"<{element.tag}> may not have <{child.tag}>"
        else:
            yield from _broken(child)
