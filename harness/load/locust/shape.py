"""The load's shape as Locust asks for it: once a second, how many users. The board decides."""

from __future__ import annotations

from locust import LoadTestShape

from harness.load.locust.runtime import runtime_of


class BoardShape(LoadTestShape):
    """Asks the board of the running load."""

    def tick(self) -> tuple[int, float] | None:
        """See `LoadTestShape.tick`."""
        board = runtime_of(self.runner.environment).board if self.runner is not None else None
        return None if board is None else board.tick()
