"""What Salesforce refuses, and what a person can do about it. No error repeats a person's values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from agreements.errors import CrmError

#: The code of writes that were taken back because another one in the same transaction failed.
HALTED = "PROCESSING_HALTED"
EXPIRED = "INVALID_SESSION_ID"
#: The most that is shown of the text of a company's own validation rule.
_RULE_MAX = 160
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,79}")
_COLUMN = re.compile(r"No such column '([A-Za-z0-9_.]{1,80})' on (?:entity|sobject of type) '?([A-Za-z0-9_]{1,80})")
_TYPE = re.compile(r"sObject type '([A-Za-z0-9_]{1,80})' is not supported")
_EXTERNAL = re.compile(r"external ID field does not exist or is not accessible: ([A-Za-z0-9_]{1,80})")
_RECORD = re.compile(r"\b[a-zA-Z0-9]{15}(?:[a-zA-Z0-9]{3})?\b")
_ADDRESS = re.compile(r"\S+@\S+")


class Advice(NamedTuple):
    """What a code of Salesforce means. permanent: trying again cannot help before a person acts. says: what happened and what to do."""

    permanent: bool
    says: str


_ADVICE: Mapping[str, Advice] = {
    "REQUEST_LIMIT_EXCEEDED": Advice(False, "the API calls of the last 24 hours are used up; raise the limit or BATON_CRM_POLL_SECONDS"),
    "SERVER_UNAVAILABLE": Advice(False, "the server is not available; Baton tries again"),
    "UNABLE_TO_LOCK_ROW": Advice(False, "somebody else is changing the record; Baton tries again"),
    "DUPLICATE_VALUE": Advice(False, "another write with the same key is under way; Baton tries again"),
    "QUERY_TIMEOUT": Advice(False, "the query took too long; Baton tries again"),
    "INVALID_QUERY_LOCATOR": Advice(False, "the query ended before its last page; Baton reads again"),
    "STORAGE_LIMIT_EXCEEDED": Advice(False, "the storage is full; delete records or buy storage"),
    EXPIRED: Advice(True, "it refuses a token that it has just given; check the login policy of the app and of Baton's user"),
    "API_DISABLED_FOR_ORG": Advice(True, "the API is switched off for this edition or this user; switch on API access"),
    "API_CURRENTLY_DISABLED": Advice(False, "the API is switched off for now; Baton tries again"),
    "INVALID_FIELD": Advice(True, "a field is not there or Baton's user may not use it; create it again, or give access to it"),
    "INVALID_TYPE": Advice(True, "an object is not there or Baton's user may not use it; give access to it"),
    "NOT_FOUND": Advice(True, "a record or a field is not there; look whether it was deleted or hidden from Baton's user"),
    "INACTIVE_OWNER_OR_USER": Advice(True, "the owner's user is inactive; activate it, or give the lead to a colleague"),
    "ENTITY_IS_DELETED": Advice(True, "the record was deleted; restore it from the recycle bin if the lead goes on"),
    "INVALID_CROSS_REFERENCE_KEY": Advice(True, "a record that the write names is not there; look whether it was deleted"),
    "CANNOT_UPDATE_CONVERTED_LEAD": Advice(False, "the lead was just converted; Baton goes on with its contact"),
    "DUPLICATES_DETECTED": Advice(True, "a duplicate rule refuses the new record; merge the records, or let Baton's user pass the rule"),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Advice(True, "a validation rule refuses the values; change the rule or the agreement"),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Advice(True, "a picklist lacks the value; add the value, or change the agreement"),
    "REQUIRED_FIELD_MISSING": Advice(True, "a required field has no value; make it optional for Baton's user, or give it a default"),
    "FIELD_INTEGRITY_EXCEPTION": Advice(True, "a field does not take its value; correct the lead's value or the field"),
    "STRING_TOO_LONG": Advice(True, "a value is longer than its field; lengthen the field, or shorten the value in the agreement"),
    "INVALID_EMAIL_ADDRESS": Advice(True, "it does not take the lead's e-mail address; correct the address"),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Advice(True, "a trigger or flow of your own failed; ask your administrator"),
    "INSUFFICIENT_ACCESS_OR_READONLY": Advice(True, "Baton's user may not change the record; give the user edit access"),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": Advice(True, "Baton's user may not use a linked record; give the user access"),
    "TRANSFER_REQUIRES_READ": Advice(True, "the new owner may not read leads; give that user read access"),
    "MULTIPLE_CHOICES": Advice(True, "several records have the same key; make the field of the key unique"),
    "METHOD_NOT_ALLOWED": Advice(True, "the address takes no such request; check BATON_CRM_URL"),
}
#: The objects of histories exist only where a history is kept.
_HISTORY = Advice(True, "an object has no history; switch on Field History Tracking for its owner and status")
#: What the token endpoint says while it is busy.
_BUSY = ("rate_limit_exceeded", "temporarily_unavailable", "unknown_error")


class SalesforceRefused(CrmError):
    """Salesforce refused a request.

    code: Salesforce's name for the reason. fields: the fields or objects that the reason is about, by their API names.
    """

    def __init__(self, code: str, says: str, *, fields: tuple[str, ...] = (), permanent: bool, rest: float | None = None) -> None:
        super().__init__(says, permanent=permanent, retry_after_seconds=rest)
        self.code, self.fields = code, fields


def refusal(status: int, body: Any, *, rest: float | None = None) -> SalesforceRefused:
    """Return the error for this answer. A reason that is not known is permanent if the fault is the request's (4xx).

    status: of HTTP. body: the answer as read from JSON, anything else if it was none. rest: seconds that Salesforce asks us to wait.
    """
    told = _first(body)
    code, text = str(told.get("errorCode") or ""), str(told.get("message") or "")
    if not _NAME.fullmatch(code):
        code = "MULTIPLE_CHOICES" if status == 300 else ""
    fields = _fields(told.get("fields"), text)
    known = _HISTORY if any(name.endswith("History") for name in fields) else _ADVICE.get(code) or _by_status(status)
    about = f" ({', '.join(fields)})" if fields else ""
    said = _rule(code, text) or _duplicates(code, told)
    permanent = known.permanent and status not in (408, 429) and status < 500
    return SalesforceRefused(
        code, f"Salesforce: {known.says}{about}{said} [{code or status}]", fields=fields, permanent=permanent, rest=rest
    )


def login_refusal(status: int, body: Any) -> SalesforceRefused:
    """Return the error for an answer of the token endpoint that is no token."""
    code = str(body.get("error") or "") if isinstance(body, Mapping) else ""
    code = code if _NAME.fullmatch(code) else str(status)
    if status >= 500 or status in (408, 429) or code in _BUSY:
        return SalesforceRefused(code, f"Salesforce: the log-in is not available; Baton tries again [{code}]", permanent=False)
    advice = "the log-in is refused; write the app's consumer key and secret as BATON_CRM_TOKEN=key:secret, and name its run-as user"
    return SalesforceRefused(code, f"Salesforce: {advice} [{code}]", permanent=True)


def _first(body: Any) -> Mapping[str, Any]:
    """The first reason that is not merely that another write failed."""
    told = [one for one in body if isinstance(one, Mapping)] if isinstance(body, list) else []
    return next((one for one in told if one.get("errorCode") != HALTED), told[0] if told else {})


def _by_status(status: int) -> Advice:
    if status in (408, 429) or status >= 500:
        return Advice(False, "it did not do what was asked; Baton tries again")
    return Advice(True, "it refuses the request; ask your administrator")


def _fields(told: Any, text: str) -> tuple[str, ...]:
    named = [str(one) for one in told] if isinstance(told, list) else []
    if column := _COLUMN.search(text):
        named.append(f"{column[2]}.{column[1]}")
    named += [found[1] for pattern in (_TYPE, _EXTERNAL) if (found := pattern.search(text))]
    return tuple(dict.fromkeys(name for name in named if _NAME.fullmatch(name)))


def _rule(code: str, text: str) -> str:
    """The text of a company's own rule, which says what it wants. Addresses are left out."""
    if code != "FIELD_CUSTOM_VALIDATION_EXCEPTION" or not text:
        return ""
    plain = "".join(char if char.isprintable() else " " for char in _ADDRESS.sub("…", text))
    return f": {plain[:_RULE_MAX]}"


def _duplicates(code: str, told: Mapping[str, Any]) -> str:
    """The ids of the records that a duplicate rule found."""
    if code != "DUPLICATES_DETECTED":
        return ""
    found = list(dict.fromkeys(_record_ids(told.get("duplicateResult") or told.get("duplicateResut"))))
    return f": {', '.join(found[:5])}" if found else ""


def _record_ids(told: Any) -> Iterable[str]:
    if isinstance(told, Mapping):
        if isinstance(ident := told.get("Id"), str) and _RECORD.fullmatch(ident):
            yield ident
        for one in told.values():
            yield from _record_ids(one)
    elif isinstance(told, list):
        for one in told:
            yield from _record_ids(one)
