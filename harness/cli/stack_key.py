"""`voice-harness stack key`: makes, lists and revokes API keys in the database of `stack up --data`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.stack_database import DataOption, database
from harness.errors import UsageError

app = typer.Typer(help="API keys of `stack up --data`; also while the stack runs.", no_args_is_help=True)


@app.command("create")
def create(
    data: DataOption,
    label: Annotated[str, typer.Option("--label", metavar="TEXT", help="What the key is for.")] = "",
) -> int:
    """Make a key and print it: it is shown this once, and stored only as a hash."""
    from harness.clock import SystemClock
    from harness.stack.service.keys import LABEL_LIMIT, keep_key, new_key

    if len(label) > LABEL_LIMIT or not label.isprintable():
        raise UsageError(f"--label must be one line of at most {LABEL_LIMIT} characters")
    key, at = new_key(), SystemClock().utc()
    with database(data, create=True) as store:
        key_id = store.run_now(lambda opened: keep_key(opened, key, label=label, at=at))
    typer.echo(f"{key_id}: shown this once", err=True)
    typer.echo(key.reveal())
    return 0


@app.command("list")
def show(data: DataOption) -> int:
    """List the keys: id, label, when each was made and last used, and whether it is revoked. No key is shown."""
    from harness.stack.service.keys import all_keys

    with database(data) as store:
        keys = store.run_now(all_keys)
    for key in keys:
        used = f"last used {key.last_used}" if key.last_used else "never used"
        state = f"revoked {key.revoked}" if key.revoked else used
        typer.echo(f"{key.id}  made {key.created}  {state}  {key.label}".rstrip())
    return 0


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, from `stack key list`.")], data: DataOption
) -> int:
    """Revoke a key for good; the next request with it is refused."""
    from harness.clock import SystemClock
    from harness.stack.service.keys import all_keys, revoke_key

    at = SystemClock().utc()
    with database(data) as store:
        if not store.run_now(lambda opened: revoke_key(opened, key_id, at=at)):
            known = ", ".join(key.id for key in store.run_now(all_keys))
            raise UsageError(f"there is no key {key_id!r}", hint=f"use one of: {known}" if known else None)
    typer.echo(f"{key_id} is revoked")
    return 0
