"""Why the database does not do what it is asked, over HTTP or by a command.

A command shows such an error as it is; the service answers with its status and its words as a sentence.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from harness.errors import UsageError


class NotDoneError(UsageError):
    """Something was not done, nor any part of it."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST


class UnknownError(NotDoneError):
    """What is asked for is not there."""

    status = HTTPStatus.NOT_FOUND


class UnknownAgentError(UnknownError):
    """There is no agent of that id."""

    def __init__(self, agent_id: str) -> None:
        super().__init__(f"there is no agent {agent_id[:100]!r}")
        self.agent_id = agent_id


class ConflictError(NotDoneError):
    """It is there already, there is no room for more, or it is not to be changed in this way."""

    status = HTTPStatus.CONFLICT


class UnfitError(NotDoneError):
    """A field has a value that is not allowed; `where` is the field."""

    def __init__(self, what: str, *, field: str, hint: str | None = None) -> None:
        super().__init__(what, where=field, hint=hint)
