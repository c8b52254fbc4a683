"""Runs a third-party program that ends when its starter ends, however that ends.

    python -m harness.process.guard -- PROGRAM ARGUMENT…

A third-party program does not watch its standard input, and a killed process cannot clean up. So this small one stands
in between: when its own standard input reaches its end, which the kernel guarantees, it ends the program and everything
that the program started. The first line of its input is a JSON object; `stdin` in it is passed to the program as its
standard input, so that settings with secrets need neither a file nor an argument.

Exits with the program's code (128 + N if signal N ended it).
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading

# On the first SIGTERM a LiveKit server waits for its rooms to empty; on the second it exits.
TERM_AGAIN_AFTER_S = 0.1
KILL_AFTER_S = 2.0
CANNOT_START = 127
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Runs `arguments` (after `--`) until the program or the standard input ends; returns its exit code."""
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    text = str(json.loads(sys.stdin.buffer.readline() or b"{}").get("stdin", ""))
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def die_with_guard() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    try:
        # This is the only thread so far, so a preexec_fn is safe. It covers the case of the guard itself being killed.
        program = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, preexec_fn=die_with_guard)  # noqa: PLW1509
    except OSError as error:
        print(f"cannot start {command[0]}: {error.strerror}", file=sys.stderr)  # noqa: T201 - read by our starter
        return CANNOT_START
    signal.signal(signal.SIGTERM, lambda *_: _end(program))
    threading.Thread(target=_end_at_eof, args=(program,), daemon=True).start()
    if program.stdin is not None:
        with contextlib.suppress(BrokenPipeError), program.stdin as pipe:
            pipe.write(text.encode())
    code = program.wait()
    _signal_group(program.pid, signal.SIGKILL)  # processes it left behind
    return 128 - code if code < 0 else code


def _end_at_eof(program: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    _end(program)


def _end(program: subprocess.Popen[bytes]) -> None:
    """Sends SIGTERM twice, then SIGKILL; the main thread, which waits for the program, sees it end."""

    def go_on() -> None:
        for number, wait_s in (
            (signal.SIGTERM, TERM_AGAIN_AFTER_S),
            (signal.SIGTERM, KILL_AFTER_S),
            (signal.SIGKILL, 0.0),
        ):
            _signal_group(program.pid, number)
            if ended.wait(wait_s):
                return

    ended = threading.Event()
    threading.Thread(target=go_on, daemon=True).start()


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
