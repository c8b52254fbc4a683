"""What a reference voice may be: checked before it is stored or used, as far as can be known without fetching it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.stack.reference_voice.owner import is_file
from harness.stack.reference_voice.refused import RefusedError
from harness.stack.reference_voice.url_rules import NO_PRIVATE_HOSTS, PrivateHosts, check_url
from harness.stack.service.problems import UnfitError

FIELD = "reference_audio_url"


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is allowed.

    Attributes:
        private_hosts: Private hosts from which it may be fetched.
        files: Whether it may be a file of this machine: only where the owner of the stack names it, in the agents file
            or by a command. Over HTTP it would let a client read this machine's files.
    """

    private_hosts: PrivateHosts = NO_PRIVATE_HOSTS
    files: bool = False

    def check(self, url: str | None) -> None:
        """Refuses a reference that is not allowed; None is no reference.

        Raises:
            UnfitError: It is refused.
        """
        if url is None or (self.files and is_file(url)):
            return
        try:
            check_url(url, self.private_hosts)
        except RefusedError as problem:
            raise UnfitError(str(problem).rstrip("."), field=FIELD) from None
