"""Suggestions for a limit that was rejected; each has passed the same check, so that no hint is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_MOST = 2


class NotTakenError(ValueError):
    """A limit was rejected.

    Attributes:
        what: The reason.
        forms: What the user may have meant, likeliest first; not yet checked.
        asks: Whether the first form is only a guess, to be offered as a question.
    """

    def __init__(self, what: str, *forms: str, asks: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.forms = forms
        self.asks = asks

    def offering(self, takes: Callable[[str], object], examples: Sequence[str]) -> ValueError:
        """The error to show the user: with the forms that `takes` accepts, or else the examples that it accepts."""
        forms = _taken(self.forms, takes)
        if forms and self.asks:
            return ValueError(f"{self.what}; did you mean {forms[0]}?")
        if forms:
            return ValueError(f"{self.what}; write {' or '.join(forms)}")
        likely = _taken(examples, takes)
        return ValueError(f"{self.what}; write for example {' or '.join(likely)}" if likely else self.what)


def _taken(forms: Sequence[str], takes: Callable[[str], object]) -> list[str]:
    found: list[str] = []
    for form in dict.fromkeys(forms):
        try:
            takes(form)
        except ValueError:
            continue
        found.append(form)
    return found[:_MOST]
