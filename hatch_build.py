"""Builds the call page into the wheel. Without Node the wheel has no page, and the build says so."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = "harness/stack/page/dist/index.html"


class CallPage(BuildHookInterface):
    """Hatch's hook: called before the files of a wheel are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the page if it is not built; an editable installation has it built by `make install`."""
        if version == "editable" or Path(self.root, BUILT).exists():
            return
        command = [sys.executable, "-m", "harness.stack.build_page", "--no-download"]
        built = subprocess.run(command, cwd=self.root, env={**os.environ, "PYTHONPATH": self.root}, check=False)
        if built.returncode != 0:
            self.app.display_warning("this wheel has no call page; install Node 20.19 or newer and build it again")
