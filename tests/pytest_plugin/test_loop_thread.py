"""The event loop of calls: who waits for a call may be interrupted, and the call then ends in order."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from harness.process.signals import Signals
from harness.pytest_plugin.loop_thread import LoopThread

ROOT = Path(__file__).parents[2]


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    made = LoopThread()
    yield made
    made.close()


class Call:
    """Lasts until it is interrupted, and then writes what it has."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.written = False

    async def __call__(self, signals: Signals) -> None:
        over = asyncio.Event()
        signals.on_interrupt(over.set)
        self.began.set()
        await over.wait()
        await asyncio.sleep(0)
        self.written = True


PRESSED = """
import signal, threading
from harness.pytest_plugin.loop_thread import LoopThread
from tests.pytest_plugin.test_loop_thread import Call

def press():
    call.began.wait()
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started us may have had it ignored
call, thread = Call(), LoopThread()
threading.Thread(target=press).start()
try:
    thread.run(call)
except KeyboardInterrupt:
    print("written" if call.written else "not written")
thread.close()
"""


def test_ctrl_c_while_a_call_is_waited_for_ends_it_first() -> None:
    # In a process of its own: a signal that comes too late would end this one's session.
    command = [sys.executable, "-c", PRESSED]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "written\n"), done.stderr


async def test_a_time_limit_of_the_test_ends_the_call_first(thread: LoopThread) -> None:
    call = Call()
    waiting = asyncio.create_task(thread.awaited(call))
    await asyncio.to_thread(call.began.wait)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert call.written


async def test_what_a_call_raises_is_raised_to_who_waits(thread: LoopThread) -> None:
    async def fails(_: Signals) -> None:
        raise ValueError("no such agent")

    with pytest.raises(ValueError, match="no such agent"):
        await thread.awaited(fails)
    with pytest.raises(ValueError, match="no such agent"):
        thread.run(fails)


def test_closing_ends_what_still_runs(thread: LoopThread) -> None:
    call = Call()

    def wait() -> None:
        with pytest.raises(CancelledError):
            thread.run(call)

    waiting = threading.Thread(target=wait)
    waiting.start()
    call.began.wait()
    thread.close()
    waiting.join(30)
    assert not waiting.is_alive()
    assert not call.written
