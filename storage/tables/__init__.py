"""The tables. Only the modules of storage create rows. Table classes do not validate, so never pass outside data through them."""

from __future__ import annotations

from storage.tables.access import ApiKey, Device, Level, LinkEnd, Look, MailedCode, PageView, SeenAs, WrongNumber
from storage.tables.alarms import Alarm, WorkerBeat
from storage.tables.base import new_id
from storage.tables.contract import AgreementVersion, Signature, SignatureRequest
from storage.tables.crm import CrmChange, CrmValue, Opportunity
from storage.tables.deliveries import Delivery, DeliveryState, Digest, DigestItem, ItemKind, MailFinding
from storage.tables.handoffs import Assignment, Handoff, HandoffNote, Offer, Touch, TurnSheet
from storage.tables.intake import DoorDay, KeptAddress, KeptPayload, SeenDelivery
from storage.tables.keeping import Consent, ErasedPerson, Erasure, PrefectChore
from storage.tables.leads import Activity, Lead, LeadSource, LeadValues, SharedSource, Suppression, TwinPair
from storage.tables.learned import AutoReply, CalendarFeed, Settled
from storage.tables.nurture import Enrolment, EnrolmentState, Wanted
from storage.tables.process_state import Bookmark, Claim, ClockReading
from storage.tables.reviews import KeptReview, ReviewDecision, WeekCount
from storage.tables.roster import Absence, RosterSnapshot
from storage.tables.trail import Event, PersonalText, Seal
from storage.tables.waits import Answer, AnswerState, Dispute, GivenRuling, Wait, Wake, WakeKind

__all__ = [
    "Absence",
    "Activity",
    "AgreementVersion",
    "Alarm",
    "Answer",
    "AnswerState",
    "ApiKey",
    "Assignment",
    "AutoReply",
    "Bookmark",
    "CalendarFeed",
    "Claim",
    "ClockReading",
    "Consent",
    "CrmChange",
    "CrmValue",
    "Delivery",
    "DeliveryState",
    "Device",
    "Digest",
    "DigestItem",
    "Dispute",
    "DoorDay",
    "ErasedPerson",
    "Enrolment",
    "EnrolmentState",
    "Erasure",
    "Event",
    "GivenRuling",
    "Handoff",
    "HandoffNote",
    "ItemKind",
    "KeptAddress",
    "KeptPayload",
    "KeptReview",
    "Lead",
    "LeadSource",
    "LeadValues",
    "Level",
    "LinkEnd",
    "Look",
    "MailFinding",
    "MailedCode",
    "Offer",
    "Opportunity",
    "PageView",
    "PersonalText",
    "PrefectChore",
    "ReviewDecision",
    "RosterSnapshot",
    "Seal",
    "SeenAs",
    "SeenDelivery",
    "Settled",
    "SharedSource",
    "Signature",
    "SignatureRequest",
    "Suppression",
    "Touch",
    "TurnSheet",
    "TwinPair",
    "Wait",
    "Wake",
    "WakeKind",
    "Wanted",
    "WeekCount",
    "WorkerBeat",
    "WrongNumber",
    "new_id",
]
