"""What is said to whom: a letter, its recipient, and what a channel promises. The views are what templates and pages show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agreements.wording.document import Contract


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person who is told something. timezone: in which they read times."""

    id: str
    name: str
    email: str = ""
    phone: str = ""
    chat: str = ""
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class LeadView:
    """A lead as people see it. score, fit, engagement: points; requested_time: aware, None for none.

    statements: the handoff note by name (why_qualified, buying_signal, next_step, campaign, pain_point).
    criteria: rule, value and points of each criterion that counted. message: what the lead wrote, its own words.
    history: what happened before, oldest first, each an aware instant and a sentence. persona, product: for whom and for what,
    by the agreement. leg: which hand has it, where there are several. brought_in_by: the rep who found the lead, by name. beside:
    what other sources told otherwise: name of the fact, value, source, and an aware instant.
    """

    number: int
    company: str
    person: str
    job_title: str = ""
    email: str = ""
    phone: str = ""
    country: str = ""
    entry_channel: str = ""
    campaign: str = ""
    message: str = ""
    requested_time: datetime | None = None
    tier: str = "normal"
    score: int = 0
    fit: int = 0
    engagement: int = 0
    fast_lane: bool = False
    stage: str = ""
    agreement: str = ""
    persona: str = ""
    product: str = ""
    leg: str = ""
    brought_in_by: str = ""
    statements: Mapping[str, str] = field(default_factory=dict)
    criteria: tuple[tuple[str, str, int], ...] = ()
    history: tuple[tuple[datetime, str], ...] = ()
    beside: tuple[tuple[str, str, str, datetime], ...] = ()

    @property
    def title(self) -> str:
        """Return the lead in one line: the company, else the person, with the lead's number."""
        return f"{self.company or self.person or 'Unknown company'} (lead {self.number})"


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a message template may use.

    due_at: by when an answer is owed, aware, None for nothing owed; promise: that in the agreement's words.
    rep: name of who has the lead; what: what the message is about in one sentence; extra: further words by name. number: the code that the
    reader types the first time they answer on a device; page: the link to the reader's own page, empty for none.
    """

    to: Recipient
    lead: LeadView
    link: str = ""
    due_at: datetime | None = None
    promise: str = ""
    rep: str = ""
    what: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    number: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class CodeContext:
    """Everything that a message with a code may use. link: where it is typed, empty where that is open in the browser.

    code: empty for a reader who only has to know. minutes: for how long the code works. whose: the name of the person whose code
    somebody guessed at.
    """

    to: Recipient
    link: str
    code: str
    minutes: int
    whose: str = ""


@dataclass(frozen=True, slots=True)
class HeadContext:
    """Everything that the mail with the head of the trail may use.

    head: the digest of a seal; seal: its number; events: how many were sealed up to it; sealed_at: when it was made, in words.
    """

    to: Recipient
    link: str
    head: str
    seal: str
    events: str
    sealed_at: str


@dataclass(frozen=True, slots=True)
class SigningContext:
    """Everything that a message which asks for a signature may use.

    reference: name@version; party: for whom it is signed; begins: the first day on which it counts; code: six digits that are
    typed beside the name; contract: all of it in words, None where it is too long for a message; differences: from the version
    `compared_with`, empty where there is none.
    """

    to: Recipient
    link: str
    reference: str
    party: str
    begins: str
    code: str
    contract: Contract | None = None
    differences: tuple[str, ...] = ()
    compared_with: str = ""


@dataclass(frozen=True, slots=True)
class SignatureContext:
    """Everything that a message may use which tells of a signature.

    reference: name@version; what: who signed, or took a signature back, in one sentence; why: in the words of the person who took it
    back, empty for none; deployable: both parties have signed.
    """

    to: Recipient
    link: str
    reference: str
    what: str
    why: str = ""
    deployable: bool = False


class Told(Protocol):
    """What every message is told by: a dataclass whose fields are the names that its templates may use, these two among them."""

    @property
    def to(self) -> Recipient:
        """Who reads it."""
        ...

    @property
    def link(self) -> str:
        """The link where the reader may act; empty for none."""
        ...


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a template: its file below the folder of templates, the line (0 where none is known), and what to do."""

    file: str
    problem: str
    line: int = 0

    @property
    def place(self) -> str:
        """Return file and line, without anything that a lead wrote."""
        return f"{self.file}, line {self.line}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.file}: {f'line {self.line}: ' if self.line else ''}{self.problem}"


@dataclass(frozen=True, slots=True)
class DigestRow:
    """One lead in a digest. what: why it stands there; done: it was settled since; link: where its reader may act, if anywhere."""

    number: int
    company: str
    stage: str
    what: str
    due_at: datetime | None = None
    link: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True)
class DigestContext:
    """Everything that a digest may use. link: of its page; more: how many rows stand only there; number, page: as in Context."""

    to: Recipient
    link: str
    rows: tuple[DigestRow, ...]
    more: int = 0
    number: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to be sent. key goes along, so that a repeat is recognised; thread keeps one lead's letters together.

    facts: what a CRM needs (lead_number, owner, company, contact, due, …); chat: the short form for a chat channel. bounce_mark:
    what goes into the return path, so that a bounce names the delivery; empty for none. faults: the company's own templates
    that could not be used, for whose parts Baton's own stand.
    """

    key: str
    message: str
    to: Recipient
    subject: str
    text: str
    html: str
    chat: str
    link: str = ""
    thread: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    bounce_mark: str = ""
    faults: tuple[Fault, ...] = ()


class Channel(Protocol):
    """A way to reach a person. may_bounce: what was taken may still come back, so it counts as arrived only some time later."""

    name: str
    may_bounce: bool

    async def send(self, letter: Letter) -> str:
        """Send the letter and return the proof that the service took it. Raises DeliveryError, which says whether it is permanent."""
        ...
