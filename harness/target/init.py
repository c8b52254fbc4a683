"""The first files for one's own service, written by `voice-harness init`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from harness.errors import ConfigError
from harness.target.config import FILE_NAME
from harness.target.first_workflow import PIPELINE_FILE, Ci, ci_files

_CONFIG = """\
# The services that voice-harness calls. Keys are never in this file, only the names of the variables that hold them.
default_target = "staging"

[targets.staging]
kind = "session"
# The complete endpoint, used exactly as written: check the trailing slash.
url = "https://api.oshara.ai/api/agents/agent-session/"
# export STAGING_VOICE_KEY=… before you call
api_key_env = "STAGING_VOICE_KEY"
# The id of your voice agent.
agent = "the-agent-id"

# How long callers wait; these are the defaults.
# [targets.staging.timeouts]
# session = "10s"
# connect = "10s"
# agent_join = "15s"
# greeting = "5s"
# reply = "15s"
# end_silence = "1.5s"
# call = "5m"

# Your own site's route, called as a browser calls it: without a key.
# [targets.site]
# kind = "backend"
# url = "https://www.example.com/api/voice-agent/session"
# agent = "the-agent-id"
"""

_SCENARIO = """\
# A first call: the greeting, one spoken turn and one typed turn. It judges no words, so it fits any agent.
name: first-call
tags: [smoke]
greeting: {within: 5s}
turns:
  - say: when-do-you-open # a shipped fixture; or a WAV's path, or a text: say: Do you ship abroad?
    expect: {ttfa: <5s}
    # expect: {reply: {contains_any: [nine, "9"]}, ttfa: <2s, wer: <=0.3}
  - type: What can you help me with?
    expect: {ttfa: <5s, echo: <2s}
"""

_REPORTS_IGNORE = """\
# Runs stay on the machine that made them; baselines are kept.
*
!.gitignore
!baselines/
!baselines/**
"""

_FILES = {
    FILE_NAME: _CONFIG,
    "scenarios/first-call.yaml": _SCENARIO,
    "reports/.gitignore": _REPORTS_IGNORE,
}
FIRST_FILES = {**_FILES, **ci_files("github", None)}


def write_first_files(folder: Path, *, force: bool = False, source: str | None = None, ci: Ci = "github") -> list[Path]:
    """Writes the first files into `folder` and returns their paths.

    A `.gitlab-ci.yml` that is already there holds the user's whole pipeline, so it is left as it is, also with `force`.

    Args:
        folder: The directory; created if missing.
        force: Whether to replace existing files.
        source: What the CI server installs voice-harness from; None to leave a placeholder.
        ci: The CI server to write files for.

    Raises:
        ConfigError: A file exists, or one cannot be written; nothing new is left behind in that case.
    """
    texts = {**_FILES, **ci_files(ci, source)}
    if (folder / PIPELINE_FILE).exists():
        texts.pop(PIPELINE_FILE, None)
    paths = [folder / name for name in texts]
    present = [path for path in paths if path.exists() or path.is_symlink()]
    if present and not force:
        listed = ", ".join(str(path.relative_to(folder)) for path in present)
        raise ConfigError(
            f"files already exist: {listed}", where=str(folder), hint="move them, or overwrite them with --force"
        )
    written: list[Path] = []
    try:
        for path, text in zip(paths, texts.values(), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            written.append(path)
            path.write_text(text, encoding="utf-8")
    except OSError as problem:
        for path in written:
            with suppress(OSError):
                if path not in present:
                    path.unlink()
        raise ConfigError(
            f"cannot be written: {problem.strerror}",
            where=str(problem.filename or folder),
            hint="check the folder's permissions and the disk's free space",
        ) from None
    return paths
