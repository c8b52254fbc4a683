"""Findings where CI servers show them, at the line of the scenario: GitHub's annotations, GitLab's Code Quality.

GitHub: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands. What has to be escaped is
in the runner's ActionCommand.cs. GitLab: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.

There is no SARIF: code scanning keeps findings as alerts of the branch until somebody dismisses them, and asks for a
permission to write security events. A call that failed once is no such alert.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.errors import Place
from harness.report.findings import Finding
from harness.text.counted import counted
from harness.text.plain_text import clipped, one_line, printable

SHOWN_OF_A_LEVEL = 10  # GitHub shows ten errors and ten warnings of a step
MESSAGE_LIMIT = 1000


def in_github(env: Mapping[str, str]) -> bool:
    """Whether this is a job of GitHub Actions."""
    return env.get("GITHUB_ACTIONS") == "true"


def checkout(env: Mapping[str, str]) -> Path:
    """The folder of the checked-out repository, from which CI servers count paths; else the working folder."""
    return Path(env.get("GITHUB_WORKSPACE") or env.get("CI_PROJECT_DIR") or Path.cwd())


def github_lines(found: Sequence[Finding], root: Path) -> list[str]:
    """Workflow commands, one a line, for GitHub's log; of what is left out, the last one has the number.

    Args:
        found: The findings.
        root: The folder of the repository.
    """
    lines = []
    for level in ("error", "warning"):
        those = [one for one in found if one.level == level]
        shown = those if len(those) <= SHOWN_OF_A_LEVEL else those[: SHOWN_OF_A_LEVEL - 1]
        lines += [_command(level, one.title, one.message, one.place, root) for one in shown]
        if len(shown) < len(those):
            rest = f"and {counted(len(those) - len(shown), f'other {level}')}: see the report"
            lines.append(_command(level, "voice-harness", rest, None, root))
    return lines


def _command(level: str, title: str, message: str, place: Place | None, root: Path) -> str:
    properties = {"title": clipped(one_line(title), 200)}
    if place is not None:
        properties["file"] = _path(place, root)
        properties |= {"line": str(place.line)} if place.line else {}
        properties |= {"col": str(place.column)} if place.column else {}
    told = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{level} {told}::{_data(clipped(printable(message), MESSAGE_LIMIT))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _path(place: Place, root: Path) -> str:
    path = Path(place.path).absolute()
    return one_line(path.relative_to(root).as_posix() if path.is_relative_to(root) else place.path)


def render_code_quality(found: Sequence[Finding], root: Path) -> str:
    """GitLab's Code Quality report. Findings of the whole run have no place in a file and are left out.

    Args:
        found: The findings.
        root: The folder of the repository.
    """
    return json.dumps(list(_issues(found, root)), indent=2) + "\n"


def _issues(found: Sequence[Finding], root: Path) -> Iterator[dict[str, object]]:
    for one in found:
        if one.place is None:
            continue
        path, title = _path(one.place, root), one_line(one.title)
        # GitLab compares branches by the fingerprint: the same finding has the same one, whatever was measured.
        fingerprint = hashlib.sha256(f"{path}\0{title}".encode()).hexdigest()
        yield {
            "description": clipped(one_line(f"{title}: {one.message}"), MESSAGE_LIMIT),
            "check_name": one.name,
            "fingerprint": fingerprint,
            "severity": "major" if one.level == "error" else "info",
            "location": {"path": path, "lines": {"begin": one.place.line or 1}},
        }
