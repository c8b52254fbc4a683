"""`voice-harness stack up`: the embedded stack in the foreground, until a signal ends it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.build_pages import CALL_PAGE, HOW_TO_BUILD
from harness.clock import SystemClock
from harness.errors import EXIT_INTERRUPTED, EXIT_OK, ConfigError
from harness.secret import Secret
from harness.stack.backend import ROUTE
from harness.stack.embedded import API_KEY_ENV, EmbeddedStack, StackAddress, new_api_key
from harness.stack.reference_voice.url_rules import PrivateHosts
from harness.stack.service.keys import has_valid_key, keep_key
from harness.stack.service.store import Store
from harness.stack.web.options import NO_PAGES, PageOptions


async def stack_up(
    *,
    agents_file: Path | None,
    truth_log: Path | None,
    port: int,
    json_output: bool,
    pages: PageOptions = NO_PAGES,
    agents_command: Sequence[str] | None = None,
    private_hosts: Sequence[str] = (),
    data: Path | None = None,
    rate_per_s: float | None = None,
) -> int:
    """Runs the stack until SIGINT (returns 130) or SIGTERM (0); prints its addresses, and a generated key once.

    Args:
        agents_file: Adds to the built-in agents, or replaces them.
        truth_log: File for what the agents really heard and sent.
        port: The session service's port; 0 picks a free one.
        json_output: Print one JSON line instead of text.
        pages: Which pages to serve as well, and where.
        agents_command: See `EmbeddedStack.start`.
        private_hosts: See `EmbeddedStack.start`.
        data: The folder of the service's database. A key is made where it has none.
        rate_per_s: See `EmbeddedStack.start`.

    Raises:
        ConfigError: A file, the port, a private host or the named LiveKit server is not usable.
        StackError: A part did not start, or died.
    """
    _check_writable(truth_log)
    PrivateHosts.parse(private_hosts)  # fails before anything starts
    given = os.environ.get(API_KEY_ENV, "")
    key = Secret(given) if given else new_api_key()
    is_first = not given and data is not None and not _has_key(data)
    exit_code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    for number, code in ((signal.SIGINT, EXIT_INTERRUPTED), (signal.SIGTERM, EXIT_OK)):
        asyncio.get_running_loop().add_signal_handler(number, _settle, exit_code, code)
    starting = asyncio.create_task(
        EmbeddedStack.start(
            say=_say,
            agents_file=agents_file,
            truth_log=truth_log,
            port=port,
            api_key=key,
            pages=pages,
            agents_command=agents_command,
            private_hosts=private_hosts,
            data=data,
            rate_per_s=rate_per_s,
        )
    )
    await _first_of(starting, exit_code)
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return await exit_code
    async with starting.result() as stack:
        address = stack.address
        if pages.any and not CALL_PAGE.is_built:
            _say(f"the pages are not built; the backend route works without them. {HOW_TO_BUILD}")
        if address.page_password is not None:
            _say(
                "the pages can be reached from other machines, by HTTP without TLS: use them in networks that you trust"
            )
        if is_first and data is not None:  # not before: a key that was never shown would only be in the way
            _keep(key, data)
        shown = is_first or (not given and data is None)
        told = _as_json(address, shown=shown) if json_output else _as_text(address, shown=shown, data=data)
        print(told, flush=True)  # noqa: T201 - the command's output
        fallen = asyncio.create_task(stack.wait_fallen())
        await _first_of(fallen, exit_code)
        if not exit_code.done():
            raise fallen.result()
        fallen.cancel()
        return exit_code.result()


def _has_key(data: Path) -> bool:
    """Whether the database has a valid key.

    Raises:
        ConfigError: The database is not usable.
    """
    with contextlib.closing(Store.opened(data)) as store:
        return store.run_now(has_valid_key)


def _keep(key: Secret, data: Path) -> None:
    """Stores the first key."""
    at = SystemClock().utc()
    with contextlib.closing(Store.opened(data)) as store:
        store.run_now(lambda database: keep_key(database, key, label="stack up", at=at))


def _check_writable(truth_log: Path | None) -> None:
    """Fails before anything starts if the truth log that the user asked for cannot be written."""
    if truth_log is None:
        return
    try:
        with truth_log.open("ab"):
            pass
    except OSError as problem:
        raise ConfigError(
            f"{truth_log} cannot be written: {problem.strerror}",
            where="--truth",
            hint="use a file in an existing folder",
        ) from None


async def _first_of(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


def _settle(future: asyncio.Future[int], code: int) -> None:
    if not future.done():
        future.set_result(code)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress for the user


def _as_json(address: StackAddress, *, shown: bool) -> str:
    told: dict[str, object] = {
        "session_url": address.session_url,
        "livekit_url": address.livekit_url,
        "agents": list(address.agents),
    }
    if address.page_url is not None:
        told["page_url"] = address.page_url
    if address.web_url is not None:
        told["web_url"] = address.web_url
    if address.page_password is not None:
        told["page_password"] = address.page_password.reveal()
    if shown:
        told["api_key"] = address.api_key.reveal()
    return json.dumps(told)


def _whose_key(data: Path | None) -> str:
    if os.environ.get(API_KEY_ENV):
        return f"the key of {API_KEY_ENV}"
    return f"a key of `voice-harness stack key list --data {data}`; set {API_KEY_ENV} to it"


def _page_lines(address: StackAddress) -> list[str]:
    lines = []
    if address.page_url is not None:
        lines += [f"page      {address.page_url}", f"backend   {address.page_url.rstrip('/')}{ROUTE}"]
    if address.web_url is not None:
        lines.append(f"stack     {address.web_url}")
    if address.page_password is not None:
        lines.append(f"password  {address.page_password.reveal()}  (the pages ask for it)")
    return lines


def _as_text(address: StackAddress, *, shown: bool, data: Path | None) -> str:
    key = f"{API_KEY_ENV}={address.api_key.reveal()} " if shown else ""
    lines = [
        f"sessions  {address.session_url}",
        f"LiveKit   {address.livekit_url}",
        f"agents    {', '.join(address.agents)}",
        *_page_lines(address),
        "",
        "try it (the key is shown this once):" if shown else f"try it (with {_whose_key(data)}):",
        f"  {key}voice-harness run scenarios/smoke.yaml --target {address.session_url} --agent demo",
        "",
        "Ctrl-C ends it.",
    ]
    return "\n".join(lines)
