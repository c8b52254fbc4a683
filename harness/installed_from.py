"""Where this voice-harness was installed from: no package index has it, so hints and workflows name its source."""

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
    """`git+https://HOST/PATH@COMMIT`, without user and password; None where others cannot reach the origin."""
    scp = re.fullmatch(r"[\w.-]+@([\w.-]+):(?!/)(\S+)", origin)  # git@HOST:PATH
    parts = urlsplit(f"https://{scp[1]}/{scp[2]}" if scp else origin)
    if (
        parts.scheme not in ("https", "http", "ssh")
        or not parts.hostname
        or not re.fullmatch(r"[0-9a-f]{7,64}", commit)
    ):
        return None
    # A checkout by ssh has a person's key, which a runner has not.
    scheme, host = (
        ("https", parts.hostname) if parts.scheme == "ssh" else (parts.scheme, parts.netloc.rpartition("@")[2])
    )
    return f"git+{urlunsplit((scheme, host, parts.path, '', ''))}@{commit}"


def installed_from() -> str | None:
    """What `pip install` takes for this very version: a pinned Git URL or a folder; None if unknown (PEP 610)."""
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
    """The pinned Git URL of this version, also where it was installed from a checkout; None where there is none."""
    source = installed_from()
    if source is None or source.startswith("git+"):
        return source
    return pinned_git_url(_git(source, "remote", "get-url", "origin"), _git(source, "rev-parse", "HEAD"))


def _git(folder: str, *words: str) -> str:
    """What git says of a checkout; empty where it says nothing."""
    try:
        ran = subprocess.run(
            ["git", "-C", folder, *words],  # noqa: S607 - the one that a person has
            capture_output=True,
            text=True,
            timeout=_GIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.strip() if ran.returncode == 0 and Path(folder, ".git").exists() else ""


def with_extra_stack() -> str:
    """How the extra `stack` is installed, as a hint."""
    source = installed_from()
    if source is None:
        return "install voice-harness with its extra `stack`, from where you have it"
    wanted = f"{NAME}[stack] @ {source}" if source.startswith("git+") else f"{source}[stack]"
    return f"pip install '{wanted}'"
