"""What the plugin holds for a pytest process; what is heavy is made when a test needs it."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.options import Options, options_of

if TYPE_CHECKING:
    from harness.pytest_plugin.broker import Broker
    from harness.pytest_plugin.calls import Calls
    from harness.pytest_plugin.session import Session

MARKER = "voice"
_INPUT = "voice_harness"  # the key in what xdist's controller gives a worker at its start


class State:
    """The state of one pytest process, controller or worker.

    Attributes:
        options: The plugin's options.
        named: The paths that the command line names.
        workers: The number of xdist's workers of this controller; 0 without xdist.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._session: Session | None = None
        self._making = threading.Lock()
        self._broker: Broker | None = None
        given: dict[str, Any] = getattr(config, "workerinput", {}).get(_INPUT, {})
        self._socket: str | None = given.get("stack")
        self._runs = Path(given["runs"]) if given else None
        self.options: Options = options_of(config)
        # A worker takes all of its paths for named.
        self.named = [Path(path) for path in given["named"]] if given else list(_named_paths(config))
        self.workers = 0

    @property
    def runs(self) -> Path:
        """The folder of the run directories."""
        if self._runs is None:
            reports = self._config.rootpath / "reports"
            self._runs = self.options.out or reports / time.strftime("%Y%m%d-%H%M%S-pytest", time.gmtime())
        return self._runs

    @property
    def session(self) -> Session:
        """What the calls of this process share."""
        if self._session is None:
            from harness.pytest_plugin.session import Session

            self._session = Session(
                self.options,
                folder=self._config.invocation_params.dir,
                runs=self.runs,
                broker=self._socket,
                say=self._say,
            )
        return self._session

    def ready(self, agent: str | None) -> None:
        """Gets the target ready for a test.

        Raises:
            HarnessError: It cannot be called.
        """
        __tracebackhide__ = True
        from harness.errors import HarnessError

        try:
            self.session.ready(agent)
        except HarnessError as problem:
            raise problem.with_traceback(None) from None

    def calls_of(self, item: pytest.Item) -> Calls:
        """Returns the calls of a test; the same for each of its phases."""
        from harness.pytest_plugin.calls import Calls

        made = item.stash.get(CALLS, None)
        if made is None:
            made = Calls(self.session, item, runs=self.runs, scenarios=self.options.scenarios)
            item.stash[CALLS] = made
        return made

    def share_with(self, workerinput: dict[str, Any]) -> None:
        """Tells a worker of xdist, before it starts, where to ask for the stack and where its runs go."""
        from harness.pytest_plugin.broker import Broker

        self.workers = int(workerinput["workercount"])
        if self._broker is None:
            self._broker = Broker(self._stack_for)
        named = [str(path) for path in self.named]
        workerinput[_INPUT] = {"stack": self._broker.path, "runs": str(self.runs), "named": named}

    def _stack_for(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._making:  # workers ask at the same time, each in a thread
            session = self.session
        return session.stack_for(request)

    @property
    def fall(self) -> str | None:
        """The message about an embedded stack that ended too early."""
        fall = self._session.fall if self._session is not None else None
        return None if fall is None else str(fall)

    def close(self) -> None:
        """Stops what was started."""
        if self._broker is not None:
            self._broker.close()
        if self._session is not None:
            self._session.close()

    def _say(self, line: str) -> None:
        """Shows what takes long, past pytest's capture; a worker has no terminal."""
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        if terminal is None or self._socket is not None:
            return
        if capture is None:
            terminal.write_line(f"voice-harness: {line}")
            return
        with capture.global_and_fixture_disabled():
            sys.stdout.flush()
            terminal.ensure_newline()
            terminal.write_line(f"voice-harness: {line}")


STATE = pytest.StashKey[State]()
CALLS = pytest.StashKey["Calls"]()


def _named_paths(config: pytest.Config) -> Iterator[Path]:
    """The paths on the command line, without the names of tests behind them."""
    if config.args_source is pytest.Config.ArgsSource.ARGS:
        for argument in config.args:
            yield Path(os.path.abspath(config.invocation_params.dir / argument.partition("::")[0]))  # noqa: PTH100 - as pytest does


def state_of(config: pytest.Config) -> State:
    """Returns the state of this process."""
    return config.stash[STATE]
