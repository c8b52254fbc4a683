"""Builds the web pages into the wheel. Without Node the wheel has none, and the build says so."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Each page, and what a wheel without it lacks.
PAGES = {
    "harness/stack/page/dist/index.html": "`stack up --backend` has no call page",
    "harness/report/page/dist/index.html": "report.html has only the verdict and its reasons",
}


class WebPages(BuildHookInterface):
    """Hatch's hook: called before the files of a wheel are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the pages that are not built; an editable installation has them built by `make install`."""
        if version == "editable" or all(Path(self.root, built).exists() for built in PAGES):
            return
        command = [sys.executable, "-m", "harness.build_pages", "--no-download"]
        subprocess.run(command, cwd=self.root, env={**os.environ, "PYTHONPATH": self.root}, check=False)
        for built, lacks in PAGES.items():
            if not Path(self.root, built).exists():
                self.app.display_warning(f"in this wheel {lacks}; install Node 20.19 or newer and build it again")
