"""Formats a count with its noun."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 call`, `3 calls`; only for nouns with a plural in -s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
