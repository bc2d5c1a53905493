"""Errors, named as states. The docstring of an error is its default message."""

from __future__ import annotations

from typing import Final


class HandoffError(Exception):
    """Something in the handoff is not as agreed."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class AgreementError(HandoffError):
    """The agreement cannot be used."""


class InvalidAgreement(AgreementError):
    """The agreement has mistakes; each line of `problems` says where and what to write instead."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class NoAgreementInForce(AgreementError):
    """No signed and deployed agreement is in force. Deploy one: baton agreement deploy NAME@VERSION."""


class RuleError(HandoffError):
    """A rule was asked something it does not allow."""


class TransitionNotAllowed(RuleError):
    """This cannot happen in this stage."""

    def __init__(self, stage: str, event: str) -> None:
        self.stage, self.event = stage, event
        super().__init__(f"Can't {event} when in {stage}.")


class DeliveryError(HandoffError):
    """A message was not taken by its channel.

    permanent: trying the same again cannot help (the address does not exist, say). retry_after_seconds: how long to wait before
    trying again, as a service that limits us says; None if it says nothing.
    """

    def __init__(self, channel: str, message: str, *, permanent: bool = False, retry_after_seconds: float | None = None) -> None:
        self.channel, self.permanent, self.retry_after_seconds = channel, permanent, retry_after_seconds
        super().__init__(f"{channel}: {message}")


class NoAddress(DeliveryError):
    """A person has no address for a channel: that is a matter of the roster, and says nothing about the channel.

    ENDING: how its message ends, by which a stored error is recognised.
    """

    ENDING: Final = "is missing from the roster"

    def __init__(self, channel: str, who: str, what: str) -> None:
        super().__init__(channel, f"the {what} of {who} {self.ENDING}", permanent=True)


class ServiceAway(DeliveryError):
    """The service behind a channel does not answer, limits us or does not let us in: another message would fare no better now."""


class DeliveryUnknown(DeliveryError):
    """Whether a message arrived cannot be told: the connection broke after it was handed over. It is never sent again."""


class LinkError(HandoffError):
    """This link cannot be used."""


class LinkInvalid(LinkError):
    """This link is incomplete or not from here. Open it again from the message you received."""


class LinkOver(LinkError):
    """This link is over. Open the newest message from Baton: its link works."""


class CrmError(HandoffError):
    """The CRM did not take the change, or did not answer.

    permanent: trying again cannot help before a person changes what the message names. retry_after_seconds: how long to wait before
    trying again, as the CRM says; None if it says nothing.
    """

    def __init__(self, message: str, *, permanent: bool = False, retry_after_seconds: float | None = None) -> None:
        self.permanent, self.retry_after_seconds = permanent, retry_after_seconds
        super().__init__(message)


class StaleHandoff(HandoffError):
    """Another attempt has taken over this handoff; this one must stop without writing."""


class RosterError(HandoffError):
    """The roster file has mistakes."""


class StillAtWork(HandoffError):
    """People whom the new roster lacks have open leads or duties; the message lists them."""


class SamePerson(HandoffError):  # noqa: N818 - errors here are named as states
    """Two leads are one person already, or are no two leads, so nobody can tell them apart."""


class AbsenceRefused(HandoffError):
    """The absence cannot stand; the message names each reason and what to do instead."""
