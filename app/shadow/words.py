"""What the values of a CRM mean for an audit: as a map says, else as the agreement does, and else in the usual words of the vendor."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from agreements.clauses.after import Then
from agreements.clauses.clocks import CrmStage
from agreements.crm_words import OWNER, meaning, watched
from agreements.model import Agreement
from agreements.words import word
from app.csv_import.audit_columns import StatusMeaning
from app.shadow.crm_map import CrmMap

#: The field of a lead's status, by the name that every agreement may use.
STATUS = "status"
Statuses = Mapping[StatusMeaning, tuple[str, ...]]
#: The usual values of each vendor, by the name of the CRM.
_USUAL: Mapping[str, Statuses] = {
    "HubSpot": {
        "new": ("NEW", "OPEN"),
        "accepted": ("IN_PROGRESS", "ATTEMPTED_TO_CONTACT", "CONNECTED"),
        "opportunity": ("OPEN_DEAL",),
        "rejected": ("UNQUALIFIED",),
        "recycled": ("BAD_TIMING",),
    },
    "Salesforce": {
        "new": ("New", "Open - Not Contacted"),
        "accepted": ("Contacted", "Working", "Working - Contacted"),
        "opportunity": ("Qualified", "Closed - Converted"),
        "rejected": ("Unqualified", "Closed - Not Converted"),
        "recycled": ("Nurture", "Nurturing"),
    },
}
#: The words of the audit itself.
_PLAIN: Statuses = {name: (name,) for name in ("new", "accepted", "opportunity", "rejected", "recycled", "won", "lost")}
#: What a stage of an agreement is for an audit. A rejection depends on its reason.
_STAGES: Mapping[CrmStage, StatusMeaning] = {
    "accepted": "accepted",
    "attempted": "accepted",
    "sql": "opportunity",
    "opportunity": "opportunity",
    "rejected": "rejected",
    "suppressed": "rejected",
}
#: The consequences of a reason after which marketing has the lead again.
_BACK_TO_MARKETING: tuple[Then, ...] = ("nurture", "fix-note", "marketing-triage")


@dataclass(frozen=True, slots=True)
class Said:
    """What values say: a word for the status, and a reason, each empty for nothing."""

    word: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """What values mean. Fields are empty for the usual one, or for none.

    by: who says it, as a noun.
    fields: the fields of a lead to read.
    statuses: meaning -> words for a status.
    agreement: its clauses decide; None where each value of the status is a word by itself.
    status, reason, tier, source, created: the fields of these.
    unreachable: the reasons that say nobody was reached.
    """

    by: str
    fields: tuple[str, ...]
    statuses: Statuses
    agreement: Agreement | None = None
    status: str = STATUS
    reason: str = ""
    tier: str = ""
    source: str = ""
    created: str = ""
    unreachable: tuple[str, ...] = ()

    @property
    def tells_reasons(self) -> bool:
        """Whether anything says why a lead was rejected."""
        return bool(self.reason) or bool(self.agreement and any(one.crm for one in self.agreement.reasons))

    @property
    def deciding(self) -> tuple[str, ...]:
        """The fields whose changes say that the status changed."""
        return tuple(name for name in self.fields if name not in (self.reason, self.tier)) if self.agreement else (self.status,)

    def said(self, known: Mapping[str, str], new: Collection[str]) -> Said:
        """Return what the values say, of which those of the fields `new` have just changed."""
        if self.agreement is None:
            return Said(known.get(self.status, "") if self.status in new else "", known.get(self.reason, ""))
        found = meaning(self.agreement, known, new)
        reason = self.agreement.reason(found.reason) if found.reason else None
        stage = word(found.kind, _STAGES)
        if stage is None:
            return Said(known.get(self.status, "") if self.status in new else "", known.get(self.reason, ""))
        meant = "recycled" if reason and reason.then in _BACK_TO_MARKETING else _STAGES[stage]
        return Said(meant, found.reason or known.get(self.reason, ""))


def words_of(crm: str, agreement: Agreement | None, mapping: CrmMap | None) -> Words:
    """Return what the values of this CRM mean. agreement: the one that the user chose, None for none."""
    given = (mapping or CrmMap()).audit
    agreed = agreement if agreement and len(watched(agreement)) > 1 and not given.statuses else None
    by, statuses = f"the usual words of {crm}", _USUAL.get(crm, _PLAIN)
    if given.statuses:
        by, statuses = "the map", given.statuses
    elif agreed:
        by, statuses = f"`crm` and `reasons` of {agreed.reference}, and else by {by}", _with(_PLAIN, statuses)
    status = given.status or STATUS
    named = [status, given.reason, given.tier, *(watched(agreed) - {OWNER} if agreed else ())]
    return Words(
        by=by,
        fields=tuple(sorted({name for name in named if name})),
        statuses=_with_deals(statuses),
        agreement=agreed,
        status=status,
        reason=given.reason,
        tier=given.tier,
        source=given.source,
        created=given.created,
        unreachable=given.unreachable,
    )


def _with(statuses: Statuses, others: Statuses) -> Statuses:
    """Return the words of both."""
    return {name: tuple(dict.fromkeys((*cells, *others.get(name, ())))) for name, cells in statuses.items()}


def _with_deals(statuses: Statuses) -> Statuses:
    """Return the words with one for a lead that got a deal."""
    words = {one.casefold() for several in statuses.values() for one in several}
    if DEAL in words:
        return statuses
    return {**statuses, "opportunity": (*statuses.get("opportunity", ()), DEAL)}


#: The word for a lead that got a deal, whatever its status says.
DEAL = "opportunity"
