"""What goes wrong with an MCP server, by kind: each kind has its own sentence for the caller."""

from __future__ import annotations

from typing import Literal

TroubleKind = Literal["gone", "slow", "refused", "nonsense", "too_large"]

MOST_MESSAGE_BYTES = 1 << 20
MOST_RESULT_BYTES = 10_000


class Trouble(Exception):  # noqa: N818 - the caller hears of it; it is not raised to the user
    """A server cannot be used, or a call failed.

    Args:
        kind: gone: not reachable, or ended; slow: no answer in time; refused: it does not accept our token, or answers
            with an error; nonsense: what it answers is not what MCP or its own schema says; too_large: its answer is
            longer than is read.
        what: What happened, for the truth log.
    """

    def __init__(self, kind: TroubleKind, what: str) -> None:
        super().__init__(what)
        self.kind: TroubleKind = kind
        self.what = what
