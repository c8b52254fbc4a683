"""Numbers of things as people write them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 call`, `3 calls`; of nouns that take an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
