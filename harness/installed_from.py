"""Where this voice-harness was installed from: it is on no package index, so hints and workflows name its source."""

from __future__ import annotations

import json
import re
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

NAME = "voice-harness"
_GIT_S = 5.0


def pinned_git_url(origin: str, commit: str) -> str | None:
    """`git+https://HOST/PATH@COMMIT`, without user and password; None if others cannot access the origin."""
    scp = re.fullmatch(r"[\w.-]+@([\w.-]+):(?!/)(\S+)", origin)  # git@HOST:PATH
    parts = urlsplit(f"https://{scp[1]}/{scp[2]}" if scp else origin)
    if (
        parts.scheme not in ("https", "http", "ssh")
        or not parts.hostname
        or not re.fullmatch(r"[0-9a-f]{7,64}", commit)
    ):
        return None
    # A checkout over ssh uses a personal key, which a CI runner does not have.
    scheme, host = (
        ("https", parts.hostname) if parts.scheme == "ssh" else (parts.scheme, parts.netloc.rpartition("@")[2])
    )
    return f"git+{urlunsplit((scheme, host, parts.path, '', ''))}@{commit}"


def installed_from() -> str | None:
    """What to `pip install` for this exact version: a pinned Git URL or a directory; None if unknown (PEP 610)."""
    try:
        told = json.loads(distribution(NAME).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return None
    url, commit = str(told.get("url", "")), str(told.get("vcs_info", {}).get("commit_id", ""))
    if commit:
        return pinned_git_url(url, commit)
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme == "file" and "dir_info" in told else None


def installed_from_git() -> str | None:
    """This version's pinned Git URL, also if it was installed from a checkout; None if there is none."""
    source = installed_from()
    if source is None or source.startswith("git+"):
        return source
    return pinned_git_url(_git(source, "remote", "get-url", "origin"), _git(source, "rev-parse", "HEAD"))


def _git(folder: str, *words: str) -> str:
    """The output of a git command in a checkout; empty if it fails."""
    try:
        ran = subprocess.run(
            ["git", "-C", folder, *words],  # noqa: S607 - whichever git the user has
            capture_output=True,
            text=True,
            timeout=_GIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.strip() if ran.returncode == 0 and Path(folder, ".git").exists() else ""


def with_extra(extra: str) -> str:
    """A hint with the command that installs an extra of this package."""
    source = installed_from()
    if source is None:
        return f"install voice-harness with its extra `{extra}`, from where you have it"
    wanted = f"{NAME}[{extra}] @ {source}" if source.startswith("git+") else f"{source}[{extra}]"
    return f"pip install '{wanted}'"


def with_extra_stack() -> str:
    """A hint with the command that installs the extra `stack`."""
    return with_extra("stack")
