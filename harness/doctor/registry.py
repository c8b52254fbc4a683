"""All checks, and what they make of a machine. A new check takes a field of `Facts`, its function, and an entry."""

from __future__ import annotations

from collections.abc import Sequence

from harness.doctor.cpu import CPU_CHECKS
from harness.doctor.facts import Facts
from harness.doctor.finding import Check, Diagnosis, Finding
from harness.doctor.software import SOFTWARE_CHECKS
from harness.doctor.system import SYSTEM_CHECKS
from harness.errors import EXIT_INFRASTRUCTURE, EXIT_OK

CHECKS: Sequence[Check] = (*CPU_CHECKS, *SYSTEM_CHECKS, *SOFTWARE_CHECKS)


def diagnose(facts: Facts, *, harness_version: str, embedded: bool) -> Diagnosis:
    """Makes all checks.

    Args:
        facts: The machine.
        harness_version: The version of voice-harness, for the document.
        embedded: Whether what only the embedded stack needs counts as needed.
    """
    findings = [_finding(check, facts, embedded=embedded) for check in CHECKS]
    lacks = any(finding.status == "missing" and finding.needed for finding in findings)
    return Diagnosis(
        harness_version=harness_version,
        system=facts.system,
        embedded=embedded,
        findings=findings,
        exit_code=EXIT_INFRASTRUCTURE if lacks else EXIT_OK,
    )


def _finding(check: Check, facts: Facts, *, embedded: bool) -> Finding:
    found = check.judge(facts)
    return Finding(
        check=check.name,
        status=found.status,
        value=found.value,
        effect=check.effect,
        mend=found.mend,
        needed=check.needed_for == "calls" or (embedded and check.needed_for == "embedded"),
    )


def warning(facts: Facts) -> str | None:
    """What a run warns of, in one line; None if there is nothing that matters.

    Args:
        facts: The machine; what was not read is not warned of.
    """
    found = [(check.name, check.judge(facts)) for check in CHECKS]
    risks = [f"{name}: {outcome.value}" for name, outcome in found if outcome.warns]
    if not risks:
        return None
    return f"warning: this machine may be late in calls ({'; '.join(risks)}); voice-harness doctor says what to do"
