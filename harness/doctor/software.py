"""Checks of what is installed: Python, packages, and the parts of the embedded stack."""

from __future__ import annotations

from collections.abc import Sequence

from harness.build_pages import HOW_TO_BUILD
from harness.doctor.facts import Facts, Package
from harness.doctor.finding import Check, Outcome, Status, not_told
from harness.installed_from import with_extra_stack
from harness.text.counted import counted

_SHOWN = ("livekit", "aiortc", "aioice")


def python(facts: Facts) -> Outcome:
    """Which Python runs; an older one than 3.11 could not run this."""
    return Outcome("ok", facts.python) if facts.python else not_told(facts)


def packages(facts: Facts) -> Outcome:
    """Whether the packages are those that this version was made for."""
    if not facts.packages:
        return Outcome("unknown", "voice-harness is not installed as a package, so its requirements are not known")
    wrong = _wrong(facts.packages)
    if not wrong:
        shown = [f"{package.name} {package.found}" for package in facts.packages if package.name in _SHOWN]
        return Outcome("ok", ", ".join(shown) or counted(len(facts.packages), "package"))
    return Outcome(_missing_or_risk(facts.packages), wrong, "install voice-harness into a new virtual environment")


def stack_packages(facts: Facts) -> Outcome:
    """Whether the extra `stack` is installed."""
    if not facts.stack_packages:
        return Outcome("unknown", "voice-harness is not installed as a package, so its requirements are not known")
    wrong = _wrong(facts.stack_packages)
    if not wrong:
        return Outcome("ok", f"all {len(facts.stack_packages)} packages of the extra `stack`")
    return Outcome(_missing_or_risk(facts.stack_packages), wrong, with_extra_stack())


def models(facts: Facts) -> Outcome:
    """Whether the models' files are there."""
    if not facts.models:
        return not_told(facts)
    absent = [name for name, there in facts.models if not there]
    if absent:
        return Outcome("missing", f"without {', '.join(absent)}", with_extra_stack())
    return Outcome("ok", ", ".join(name for name, _ in facts.models))


def server(facts: Facts) -> Outcome:
    """Whether there is a LiveKit server to start."""
    if facts.server is None:
        return not_told(facts)
    if facts.server.runs:
        return Outcome("ok", facts.server.told)
    if facts.server.runs is None:
        return Outcome("risk", facts.server.told, "build it ahead, once: voice-harness stack up, then Ctrl-C")
    return Outcome("missing", facts.server.told, f"set {facts.server.named} to a livekit-server that runs, or unset it")


def page(facts: Facts) -> Outcome:
    """Whether the web pages are there."""
    if facts.page_built is None:
        return not_told(facts)
    if not facts.page_built:
        return Outcome("missing", "not built", HOW_TO_BUILD)
    return Outcome("risk", "older than their sources", HOW_TO_BUILD) if facts.page_stale else Outcome("ok", "built")


def _wrong(found: Sequence[Package]) -> str:
    """The packages that are absent or of another version; empty if there are none."""
    return ", ".join(
        f"{package.name}{package.wanted} is not installed"
        if package.found is None
        else f"{package.name} {package.found} instead of {package.wanted}"
        for package in found
        if not package.fits
    )


def _missing_or_risk(found: Sequence[Package]) -> Status:
    return "missing" if any(package.found is None for package in found) else "risk"


SOFTWARE_CHECKS = (
    Check(
        name="python", effect="none; for the record", limit="none: an older one than 3.11 does not start", judge=python
    ),
    Check(
        name="packages",
        effect="engine `light` builds on the inside of three packages, and other versions may measure otherwise",
        limit="missing or risk if a package is absent or of a version that `pyproject.toml` does not allow",
        judge=packages,
    ),
    Check(
        name="stack packages",
        effect="the embedded stack does not start, and texts in scenarios cannot be spoken",
        limit="as `packages`, for the extra `stack`",
        judge=stack_packages,
        needed_for="embedded",
    ),
    Check(
        name="models",
        effect="the embedded agents cannot hear or speak",
        limit="missing if the files of a model's package are not there",
        judge=models,
        needed_for="embedded",
    ),
    Check(
        name="livekit server",
        effect="the embedded stack does not start, or builds the server first, for two to four minutes",
        limit="missing if the one in `VOICE_HARNESS_LIVEKIT_SERVER` does not run; risk if it is still to be built",
        judge=server,
        needed_for="embedded",
    ),
    Check(
        name="web pages",
        effect="none on calls: `report.html` has only the verdict, and `stack up --backend` cannot serve its page",
        limit="missing if one has not been built, a risk if its sources are newer; never needed for a call",
        judge=page,
        needed_for="nothing",
    ),
)
