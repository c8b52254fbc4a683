"""JUnit's XML: suites of cases, in the layout that Jenkins and GitLab accept (Jenkins' `junit-10.xsd`)."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from harness.record.times import utc
from harness.text.plain_text import clipped, one_line, printable

_TEXT_LIMIT = 4000


@dataclass(frozen=True)
class Case:
    """A case; `kind` and `message` say why it did not pass, `body` is for people."""

    name: str
    classname: str
    time_s: float = 0.0
    outcome: Literal["passed", "failure", "error", "skipped"] = "passed"
    kind: str = ""
    message: str = ""
    body: str = ""


@dataclass
class Suite:
    """A suite of cases; `agents` are those that were called."""

    name: str
    time_s: float
    started: str | None
    cases: list[Case] = field(default_factory=list)
    agents: Sequence[str] = ()

    def count(self, outcome: str) -> int:
        """Returns how many cases have this outcome."""
        return sum(case.outcome == outcome for case in self.cases)


def render_suites(name: str, suites: Sequence[Suite], properties: Mapping[str, str]) -> str:
    """Renders the suites as a file; each gets the properties, and its own agents."""
    root = ET.Element(
        "testsuites",
        name=one_line(name),
        tests=str(sum(len(suite.cases) for suite in suites)),
        failures=str(sum(suite.count("failure") for suite in suites)),
        errors=str(sum(suite.count("error") for suite in suites)),
        time=_seconds(sum(suite.time_s for suite in suites)),
    )
    for suite in suites:
        _add_suite(root, suite, properties)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def told_apart(cases: Iterable[Case]) -> Iterator[Case]:
    """Makes the cases' names single-line and unique: the second of two equal names ends in `(2)`."""
    seen: Counter[str] = Counter()
    for case in cases:
        name = clipped(one_line(case.name), 200)
        seen[name] += 1
        told = name if seen[name] == 1 else f"{name} ({seen[name]})"
        yield replace(case, name=told, classname=one_line(case.classname))


def _add_suite(root: ET.Element, suite: Suite, properties: Mapping[str, str]) -> None:
    element = ET.SubElement(
        root,
        "testsuite",
        name=suite.name,
        tests=str(len(suite.cases)),
        failures=str(suite.count("failure")),
        errors=str(suite.count("error")),
        skipped=str(suite.count("skipped")),
        time=_seconds(suite.time_s),
    )
    timestamp = _timestamp(suite.started)
    if timestamp is not None:
        element.set("timestamp", timestamp)
    listed = ET.SubElement(element, "properties")
    agents = {"agent": one_line(", ".join(suite.agents))} if suite.agents else {}
    for name, value in {**properties, **agents}.items():
        ET.SubElement(listed, "property", name=name, value=value)
    for case in suite.cases:
        _add_case(element, case)


def _add_case(suite: ET.Element, case: Case) -> None:
    element = ET.SubElement(suite, "testcase", name=case.name, classname=case.classname, time=_seconds(case.time_s))
    body = clipped(printable(case.body), _TEXT_LIMIT)
    if case.outcome == "passed":
        if body:
            ET.SubElement(element, "system-out").text = body
        return
    message = clipped(one_line(case.message), _TEXT_LIMIT)
    ET.SubElement(element, case.outcome, type=one_line(case.kind), message=message).text = body or None


def _seconds(value: float) -> str:
    return f"{max(0.0, value):.3f}"


def _timestamp(started: str | None) -> str | None:
    """UTC without an offset, as the schema requires; None if `started` is not a time."""
    moment = utc(started)
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}"
