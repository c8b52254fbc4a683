"""The database of `stack up --data` in commands: opened, closed, and asked for agents that may be misspelt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from harness.errors import UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from harness.stack.service.store import Store

DataOption = Annotated[Path, typer.Option("--data", metavar="DIR", help="The folder of `stack up --data`.")]
_MOST_NAMED = 20


@contextmanager
def database(data: Path, *, create: bool = False) -> Iterator[Store]:
    """The database of the folder, closed at the end.

    Args:
        data: The folder.
        create: Whether to create the database if there is none.

    Raises:
        ConfigError: It is not usable.
        UsageError: What is asked of it is not there or not allowed; an agent that is not there with those that are.
    """
    from harness.stack.service.problems import UnknownAgentError
    from harness.stack.service.store import Store

    store = Store.opened(data, create=create)
    try:
        yield store
    except UnknownAgentError as problem:
        raise _with_known(problem.what, problem.agent_id, store) from None
    finally:
        store.close()


def _with_known(what: str, agent_id: str, store: Store) -> UsageError:
    from harness.parsing.plain_words import nearest
    from harness.stack.service.stored_agents import all_agents

    known = [each.id for each in store.run_now(all_agents)]
    if not known:
        return UsageError(what, hint="create one: stack agent create")
    alike = nearest(agent_id, known)
    named = ", ".join(known[:_MOST_NAMED]) + (", …" if len(known) > _MOST_NAMED else "")
    return UsageError(what + (f"; did you mean {alike!r}?" if alike else ""), hint=f"use one of: {named}")


M = TypeVar("M", bound="BaseModel")


def checked(model: type[M], fields: dict[str, Any]) -> M:
    """What was given, held to the model by which the service checks the same over HTTP.

    Raises:
        UsageError: A field is wrong.
    """
    from pydantic import ValidationError

    from harness.stack.service.fields import wrong_fields

    try:
        return model.model_validate(fields)
    except ValidationError as problem:
        raise UsageError(wrong_fields(problem.errors(include_url=False)).rstrip(".")) from None
