"""The result of a check: a table for people, JSON for programs, JUnit XML for CI servers."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from harness import __version__
from harness.contract.check import Checked, Finding
from harness.contract.registry import Outcome
from harness.text.plain_text import one_line, printable

VERSION = 1
_WORDS: dict[Outcome, str] = {"met": "met", "broken": "BROKEN", "not_tried": "not tried", "advice": "advice"}


def render_table(checked: Checked) -> str:
    """The table for people: a line per rule, with what was sent and what came below those that do not hold.

    Rules of a group that were not tried for the same reason share a line.
    """
    alike: dict[tuple[str, str], list[Finding]] = {}
    for finding in checked.findings:
        if finding.outcome == "not_tried":
            alike.setdefault((_group(finding), finding.why), []).append(finding)
    doubled = {finding.id for same in alike.values() for finding in same[1:]}
    shown = [finding for finding in checked.findings if finding.id not in doubled]
    width = max(len(finding.id) for finding in shown)
    lines = [f"{name}: {url}" for name, url in checked.urls.items()] + [f"agent: {checked.agent}", ""]
    for finding in shown:
        same = alike[_group(finding), finding.why] if finding.outcome == "not_tried" else [finding]
        lines += _rows(finding, width) if len(same) == 1 else _row_of(same, checked, width)
    return "\n".join([*lines, "", _verdict(checked)]) + "\n"


def _group(finding: Finding) -> str:
    return finding.id.partition(".")[0]


def _row_of(same: Sequence[Finding], checked: Checked, width: int) -> Iterator[str]:
    """Several rules of a group that were not tried for one reason: all of the group, or their names."""
    group = _group(same[0])
    of_group = sum(_group(finding) == group for finding in checked.findings)
    rules = f"all {of_group} rules" if len(same) == of_group else f"{len(same)} rules"
    yield f"{_WORDS['not_tried']:<9}  {group + '.*':<{width}}  {rules}"
    yield f"{'':<9}  {'':<{width}}    why: {same[0].why}"
    if len(same) < of_group:
        names = ", ".join(finding.id.removeprefix(f"{group}.") for finding in same)
        yield f"{'':<9}  {'':<{width}}    rules: {names}"


def _rows(finding: Finding, width: int) -> Iterator[str]:
    why = f" ({finding.why})" if finding.why and finding.outcome == "met" else ""
    yield f"{_WORDS[finding.outcome]:<9}  {finding.id:<{width}}  {finding.sentence}{why}"
    if finding.outcome == "met":
        return
    for name, text in (("why", finding.why), ("sent", finding.sent), ("came", finding.came)):
        if text:
            yield f"{'':<9}  {'':<{width}}    {name}: {text}"


def _verdict(checked: Checked) -> str:
    counts = ", ".join(f"{number} {_WORDS[outcome].lower()}" for outcome, number in checked.counts.items())
    word = {0: "PASS", 1: "FAIL", 3: "NOT REACHED"}[checked.exit_code]
    reasons = "".join(f"  {name}: {why}" for name, why in checked.unreached.items())
    return f"{word}  {counts}{reasons}  exit {checked.exit_code}"


def render_json(checked: Checked) -> str:
    """The result as JSON."""
    content: dict[str, Any] = {
        "version": VERSION,
        "harness_version": __version__,
        "agent": checked.agent,
        "urls": checked.urls,
        "unreached": checked.unreached,
        "exit_code": checked.exit_code,
        "counts": checked.counts,
        "rules": [asdict(finding) for finding in checked.findings],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def render_junit(checked: Checked) -> str:
    """The result as JUnit XML: a suite per group, a case per rule. Advice passes; what was not tried is skipped."""
    suites: dict[str, list[Finding]] = {}
    for finding in checked.findings:
        suites.setdefault(_group(finding), []).append(finding)
    root = ET.Element("testsuites", name="voice-harness contract check", tests=str(len(checked.findings)))
    _count(root, checked.findings)
    for name, findings in suites.items():
        suite = ET.SubElement(root, "testsuite", name=f"contract.{name}", tests=str(len(findings)))
        _count(suite, findings)
        suite.set("skipped", str(sum(one.outcome == "not_tried" for one in findings)))
        suite.set("time", "0.000")
        if not_reached := [why for service, why in checked.unreached.items() if service == name]:
            suite.set("errors", "1")
            case = ET.SubElement(suite, "testcase", name="reached", classname=f"contract.{name}", time="0.000")
            ET.SubElement(case, "error", type="unreached", message=one_line(not_reached[0]))
            suite.set("tests", str(len(findings) + 1))
        for finding in findings:
            _add_case(suite, finding, f"contract.{name}")
    if checked.unreached:
        root.set("tests", str(len(checked.findings) + len(checked.unreached)))
        root.set("errors", str(len(checked.unreached)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _count(element: ET.Element, findings: tuple[Finding, ...] | list[Finding]) -> None:
    element.set("failures", str(sum(one.outcome == "broken" for one in findings)))
    element.set("errors", "0")


def _add_case(suite: ET.Element, finding: Finding, classname: str) -> None:
    case = ET.SubElement(suite, "testcase", name=finding.id, classname=classname, time="0.000")
    body = printable(
        "\n".join(
            f"{name}: {text}"
            for name, text in (
                ("rule", finding.sentence),
                ("why", finding.why),
                ("sent", finding.sent),
                ("came", finding.came),
            )
            if text
        )
    )
    match finding.outcome:
        case "broken":
            message = one_line(f"{finding.sentence} {finding.why}")
            ET.SubElement(case, "failure", type="contract", message=message).text = body
        case "not_tried":
            ET.SubElement(case, "skipped", type="not_tried", message=one_line(finding.why))
        case "met" | "advice":
            ET.SubElement(case, "system-out").text = f"{finding.outcome}\n{body}"
