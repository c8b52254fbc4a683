"""A diagnosis in the terminal: a line for each check, and what to do below what is not ok."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.text.plain_text import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from harness.doctor.finding import Diagnosis, Finding


def print_diagnosis(console: Console, diagnosis: Diagnosis) -> None:
    """Prints all findings, and a last line that counts them."""
    wide = max(len(finding.check) for finding in diagnosis.findings)
    for finding in diagnosis.findings:
        console.print(f"{finding.status:<8}{finding.check:<{wide}}  {one_line(finding.value)}{_beside(finding)}")
        if finding.status in ("risk", "missing"):
            console.print(f"{'':{8 + wide}}  effect: {finding.effect}")
            console.print(f"{'':{8 + wide}}  mend:   {one_line(finding.mend)}")
    console.print()
    console.print(last_line(diagnosis))


def _beside(finding: Finding) -> str:
    if finding.status == "missing" and not finding.needed:
        return " (not needed for a call to a service of your own)"
    return ""


def last_line(diagnosis: Diagnosis) -> str:
    """The result in one line."""
    lacking = [finding.check for finding in diagnosis.findings if finding.status == "missing" and finding.needed]
    risks = [finding.check for finding in diagnosis.findings if finding.status == "risk"]
    told = f"missing: {', '.join(lacking)}" if lacking else "nothing needed is missing"
    told += f"; risks: {', '.join(risks)}" if risks else "; no risks"
    return f"{told}  exit {diagnosis.exit_code}"
