"""Prints where the voice in an utterance is, and what is doubtful about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from harness.utterances.picture import Picture


def show(name: str, picture: Picture) -> None:
    """Prints a line with the picture, and one for each doubt."""
    typer.echo(f"  {picture.line}  {name}")
    for doubt in picture.doubts:
        typer.echo(f"    doubtful: {doubt}")
