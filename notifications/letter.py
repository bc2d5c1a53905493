"""A letter, its recipient, and the promise of a channel. Templates and pages show the views in this file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from agreements.lifecycle import Stage
from agreements.prospect import Whereabouts
from agreements.words import NoWord, OptOutChannel, Party, TemplateName
from notifications.prefect_window import WindowLink

if TYPE_CHECKING:
    from agreements.wording.document import Contract


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person who gets a message. timezone: the zone in which they read times."""

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
    history: earlier events, oldest first, each an aware instant and a sentence. persona, product: by the agreement. leg: the
    current hand-over, where a lead has several. brought_in_by: name of the rep who found the lead. beside: values from other
    sources that differ, each with the name of the fact, value, source, and an aware instant. asked_at: when the lead made its
    newest request, aware. where: the zones in which the lead may be. asked: how long ago that was, and at what time of the lead's
    day. requested_there: the requested time by the lead's own clock, empty for none or an unknown zone.
    refuses: what the person refused; the view then has no such address.
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
    stage: Stage | NoWord = ""
    agreement: str = ""
    persona: str = ""
    product: str = ""
    leg: str = ""
    brought_in_by: str = ""
    statements: Mapping[str, str] = field(default_factory=dict)
    criteria: tuple[tuple[str, str, int], ...] = ()
    history: tuple[tuple[datetime, str], ...] = ()
    beside: tuple[tuple[str, str, str, datetime], ...] = ()
    asked_at: datetime | None = None
    where: Whereabouts = Whereabouts()
    asked: str = ""
    requested_there: str = ""
    refuses: tuple[OptOutChannel, ...] = ()

    @property
    def title(self) -> str:
        """Return the lead in one line: the company, or else the person, with the lead's number."""
        return f"{self.company or self.person or 'Unknown company'} (lead {self.number})"


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a message template may use.

    due_at: when an answer is due, aware, None where no answer is due. promise: this deadline in the agreement's words.
    rep: name of the person who has the lead. what: the subject in one sentence. extra: further words by name. number: the code
    that the reader types the first time they answer on a device. page: the link to the reader's own page, empty for none.
    colleague: that another person of the company is with a rep too, in one sentence, empty for none. colleague_link: the link to
    that lead, empty where another rep has it.
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
    colleague: str = ""
    colleague_link: str = ""


@dataclass(frozen=True, slots=True)
class CodeContext:
    """Everything that a message with a code may use. link: the page for the code, empty where it is open in the browser.

    code: empty for a reader who only has to know. minutes: how long the code works. whose: name of the person whose code
    somebody tried to guess.
    """

    to: Recipient
    link: str
    code: str
    minutes: int
    whose: str = ""


@dataclass(frozen=True, slots=True)
class AbsenceContext:
    """Everything that a message about somebody's absence or mailbox, or about the CRM, may use.

    subject: what it is about, in a few words. what, why, todo: what happened, the reason, and what the reader may do, in sentences.
    command: the same at the command line, empty for none. number: the code beside the link, empty for no link.
    """

    to: Recipient
    link: str
    subject: str
    what: str
    why: str
    todo: str
    command: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One alarm. what: what is wrong, or that it is over, in sentences. todo: what the operator may do, empty where it is over."""

    what: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class AlarmContext:
    """Everything that a message about alarms may use. subject: in a few words; command: where all alarms are listed."""

    to: Recipient
    link: str
    subject: str
    rows: tuple[AlarmRow, ...]
    command: str


@dataclass(frozen=True, slots=True)
class HeadContext:
    """Everything that the mail with the head of the trail may use.

    head: the digest of a seal. seal: its number. events: how many events are sealed up to it. sealed_at: its time, in words.
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

    reference: name@version. party: the party to sign for. begins: the first day on which it counts. code: six digits that the
    signer types beside the name. contract: the whole contract in words, None where it is too long for a message. differences:
    the changes since the version `compared_with`, empty where there is none.
    """

    to: Recipient
    link: str
    reference: str
    party: Party
    begins: str
    code: str
    contract: Contract | None = None
    differences: tuple[str, ...] = ()
    compared_with: str = ""


@dataclass(frozen=True, slots=True)
class SignatureContext:
    """Everything that a message about a signature may use.

    reference: name@version. what: one sentence that says who signed or took a signature back. why: the words of the person who
    took a signature back, empty for none. deployable: both parties have signed.
    """

    to: Recipient
    link: str
    reference: str
    what: str
    why: str = ""
    deployable: bool = False


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One objective in a mail about a review. target: as agreed, empty for none. measured, pace: in words.

    reached: yes, no, or empty where nothing can be said.
    """

    name: str
    side: Party
    target: str
    measured: str
    reached: str
    pace: str


@dataclass(frozen=True, slots=True)
class ReviewContext:
    """Everything that a mail about a review may use.

    reference: name@version. days: which days it is about, in words. what: the result in sentences. todo: what to decide, each in a
    sentence. rows: the objectives of both sides. command: what shows the whole review. link: the reader's page with all open leads, empty
    for most readers; number: the code for it.
    """

    to: Recipient
    link: str
    subject: str
    reference: str
    days: str
    what: str
    todo: tuple[str, ...]
    rows: tuple[ReviewRow, ...]
    command: str
    number: str = ""


class Told(Protocol):
    """The content of a message: a dataclass whose fields are the names that its templates may use. Every one has these two."""

    @property
    def to(self) -> Recipient:
        """The reader of the message."""
        ...

    @property
    def link(self) -> str:
        """The link where the reader may act, empty for none."""
        ...


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake in a template: its file below the folder of templates, the line (0 where unknown), and what to do."""

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
    """One lead in a digest. what: why it is listed. done: somebody settled it since. link: where the reader may act, if anywhere."""

    number: int
    company: str
    stage: Stage
    what: str
    due_at: datetime | None = None
    link: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True)
class DigestContext:
    """Everything that a digest may use. link: its page. more: how many rows only the page shows. number, page: as in Context.

    window: lists of runs in Prefect's own window, for a manager.
    """

    to: Recipient
    link: str
    rows: tuple[DigestRow, ...]
    more: int = 0
    number: str = ""
    page: str = ""
    window: Sequence[WindowLink] = ()


@dataclass(frozen=True, slots=True)
class NewsRow:
    """What became of one lead since the last digest. told: each event as a sentence and an aware instant, oldest first.

    wrote: the words of the person who answered last, empty for none. link: where marketing may dispute, empty where it may not.
    dispute_until: aware, None where there is nothing to dispute.
    """

    number: int
    company: str
    campaign: str
    source: str
    told: tuple[tuple[str, datetime], ...]
    wrote: str = ""
    link: str = ""
    dispute_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewsGroup:
    """The leads of which the same became. name: what became of them. count: how many, also those without a row.

    page: where those that are still open in this stage are listed, empty for none. others: the numbers of leads without a row.
    """

    name: str
    count: int
    rows: tuple[NewsRow, ...]
    page: str = ""
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NewsContext:
    """Everything that marketing's digest may use. link: the page with what waits for the reader, else the page of all open leads.

    waiting: what the reader has to do. more: how many of these only the page shows. number: as in Context. page: the reader's own page.
    """

    to: Recipient
    link: str
    waiting: tuple[DigestRow, ...]
    groups: tuple[NewsGroup, ...]
    more: int = 0
    number: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A page that goes with an e-mail. name: of the file; html: its content."""

    name: str
    html: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to be sent. key: by which a receiver recognises a repeat. thread: keeps one lead's letters together.

    facts: what a CRM needs (lead_number, owner, company, contact, due, …). chat: the short form for a chat channel. bounce_mark:
    goes into the return path, so that a bounce names the delivery, empty for none. attachment: goes with an e-mail; the other channels
    leave it out. faults: mistakes in the company's own
    templates; Baton's own templates wrote these parts.
    """

    key: str
    message: TemplateName
    to: Recipient
    subject: str
    text: str
    html: str
    chat: str
    link: str = ""
    thread: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    bounce_mark: str = ""
    attachment: Attachment | None = None
    faults: tuple[Fault, ...] = ()


class Channel(Protocol):
    """A way to reach a person.

    may_bounce: an accepted message may still come back, so it counts as arrived some time later. read_by_people: somebody reads
    what arrives; on any other channel a message proves nothing.
    """

    name: str
    may_bounce: bool
    read_by_people: bool

    async def send(self, letter: Letter) -> str:
        """Send the letter and return the proof that the service took it. Raises DeliveryError, which says whether it is permanent."""
        ...
