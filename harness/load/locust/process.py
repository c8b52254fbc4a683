"""A process of Locust that `voice-harness load` starts: `python -m harness.load.locust.process`.

Its first line of standard input is a `LoadOrder`; then follow {"do": "stop"} and {"do": "cut"}. The end of the pipe
means that the parent is gone, and everything ends. The status of the load is written as JSON lines.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path

import gevent
from locust import main as locust_main  # patches this process

from harness.errors import EXIT_UNFIT
from harness.load.locust.parent import listen, read_order
from harness.load.order import LoadOrder

LOCUSTFILE = Path(__file__).with_name("file.py")
LATER_S = 120  # Locust must not stop users before the board cuts the calls that exceed the stop timeout


def arguments(order: LoadOrder) -> list[str]:
    """Returns Locust's command line for an order."""
    words = ["locust", "-f", str(LOCUSTFILE), "--only-summary", "--loglevel", "WARNING"]
    if order.load.web_port is None or order.role == "worker":
        words.append("--headless")
    else:
        words += ["--autostart", "--autoquit", "0", "--web-host", "127.0.0.1", "--web-port", str(order.load.web_port)]
    words += ["--stop-timeout", str(round(order.load.plan.stop_timeout_s + LATER_S))]
    match order.role:
        case "master":
            words += ["--master", "--master-bind-host", order.load.host, "--master-bind-port", str(order.load.port)]
            words.append("--enable-rebalancing")
        case "worker":
            words += ["--worker", "--master-host", order.load.host, "--master-port", str(order.load.port)]
        case _:
            pass
    return words


def main() -> None:
    """Reads the order and runs Locust in this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    order = read_order()
    if order is None:
        return
    sys.argv = arguments(order)
    sys.stdout = sys.stderr  # Locust's output must not go to the pipe
    gevent.spawn(listen)
    code: object = EXIT_UNFIT
    try:
        locust_main.main()  # type: ignore[no-untyped-call] # Locust has no types there
    except SystemExit as end:
        code = end.code
    except Exception:  # printed, then the process ends below  # noqa: BLE001
        traceback.print_exc()
    sys.stderr.flush()
    # The thread that reads our input holds a lock that the interpreter needs at shutdown, which would abort.
    os._exit(code if isinstance(code, int) else EXIT_UNFIT)


if __name__ == "__main__":
    main()
