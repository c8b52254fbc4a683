"""Does with the CI files what GitHub's and GitLab's runners do with their shell scripts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from harness.target.first_workflow import ACTION_FILE, TEMPLATE_FILE, WORKFLOW_FILE

Ran = subprocess.CompletedProcess[str]


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    return loaded


def bash(script: str, folder: Path, env: Mapping[str, str]) -> Ran:
    """Runs a script as the runners do: `bash -eo pipefail`, the variable CI set; our Python is first on PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "CI": "true", **env, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Github:
    """A job of the workflow that `init` wrote to `folder`; `values` are what `${{ … }}` gives."""

    def __init__(self, folder: Path, **values: str) -> None:
        self.folder = folder
        self.work = folder.parent / "temp"
        self.work.mkdir(exist_ok=True)
        self.workflow = read(folder / WORKFLOW_FILE)
        self.action = read(folder / ACTION_FILE)
        self.values = {"env.VOICE_HARNESS_SOURCE": str(self.workflow["env"]["VOICE_HARNESS_SOURCE"]), **values}
        self.output, self.summary = folder.parent / "output", folder.parent / "summary"
        self.output.write_text("")
        self.summary.write_text("")

    def step(self, job: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(step for step in self.workflow["jobs"][job]["steps"] if step.get("name") == name)
        return found

    def action_step(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(step for step in self.action["runs"]["steps"] if step.get("name") == name)
        return found

    def run(self, step: Mapping[str, Any]) -> Ran:
        """Runs a shell step; what it puts out is known to later ones."""
        env = {key: self.filled(str(value)) for key, value in step.get("env", {}).items()}
        github = {
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.work),
        }
        before = len(self.output.read_text())
        ran = bash(step["run"], self.folder, github | env)
        for line in self.output.read_text()[before:].splitlines():
            name, _, value = line.partition("=")
            self.values[f"steps.{step.get('id')}.outputs.{name}"] = value
        return ran

    def use(self, job: str, name: str, *, without: Collection[str] = (), **inputs: str) -> dict[str, Ran]:
        """Runs the shell steps of the action, but the installation, with the inputs that a step of the job gives.

        Steps named in `without` pass and do nothing: each one starts a command.
        """
        given = {key: self.filled(str(value)) for key, value in self.step(job, name)["with"].items()}
        defaults = {key: str(entry.get("default", "")) for key, entry in self.action["inputs"].items()}
        assert set(given) <= set(defaults)
        filled = defaults | given | inputs
        self.values |= {f"inputs.{key}": value for key, value in filled.items()}
        self.values["inputs.check || inputs.scenarios"] = filled["check"] or filled["scenarios"]
        self.values["steps.install.outputs.work"] = str(self.work)
        ran: dict[str, Ran] = {}
        for step in self.action["runs"]["steps"]:
            if step.get("shell") != "bash" or step.get("id") == "install" or step["name"] in without:
                continue
            failed = any(each.returncode for each in ran.values())
            called = "steps.call.outputs.exit-code" in self.values
            if called if "always()" in step.get("if", "") else not failed:
                ran[step["name"]] = self.run(step)
        return ran

    def filled(self, text: str) -> str:
        def value(found: re.Match[str]) -> str:
            return self.values.get(" ".join(found[1].split()), "")

        return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", value, text, flags=re.DOTALL)


class Gitlab:
    """The job of the template that `init` wrote to `folder`, as the include of `.gitlab-ci.yml` fills it in."""

    def __init__(self, folder: Path, include: Mapping[str, Any], **inputs: str) -> None:
        self.folder = folder
        spec, job = (folder / TEMPLATE_FILE).read_text(encoding="utf-8").split("\n---\n", 1)
        known = YAML(typ="safe", pure=True).load(spec)["spec"]["inputs"]
        given = {key: str(value).lower() if value is True else str(value) for key, value in include.items()} | inputs
        assert set(given) <= set(known)
        values = {key: str(entry.get("default", "")).replace("False", "false") for key, entry in known.items()} | given
        # GitLab fills in parsed values, not text.
        loaded = YAML(typ="safe", pure=True).load(job.replace("$[[ inputs.job ]]:", "job:"))["job"]
        self.job: dict[str, Any] = loaded
        texts = {key: each["value"] if isinstance(each, dict) else each for key, each in loaded["variables"].items()}
        self.env = {
            key: re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: values[found[1]], text)
            for key, text in texts.items()
        }

    def run(self, **env: str) -> Ran:
        """Runs the script, without the installation."""
        script = "\n".join(self.job["script"]).replace("python -m pip install --quiet", "echo would install")
        return bash(script, self.folder, self.env | {"VOICE_HARNESS_CACHE": str(self.folder / "cache")} | env)
