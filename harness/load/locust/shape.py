"""The load shape. Locust asks it once a second for the number of users, and the board decides."""

from __future__ import annotations

from locust import LoadTestShape

from harness.load.locust.runtime import runtime_of


class BoardShape(LoadTestShape):
    """A load shape that asks the board of the running load."""

    def tick(self) -> tuple[int, float] | None:
        """Returns the number of users and the spawn rate; see `LoadTestShape.tick`."""
        board = runtime_of(self.runner.environment).board if self.runner is not None else None
        return None if board is None else board.tick()
