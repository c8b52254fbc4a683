"""Speech for the reference agents and for fixtures: voices, a recogniser, and answers from facts."""

from harness.stack.speech.client import Speech

__all__ = ["Speech"]
