"""Build the form that Prefect shows on Resume, and read the answer that a manager typed into it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

import httpx
import orjson
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.input import RunInput
from prefect.input.run_input import Keyset
from pydantic import Field, create_model
from sqlmodel import Session

from agreements.errors import HandoffError
from agreements.model import STATEMENTS
from agreements.roster import Roster
from agreements.words import GIVEN_BACK, Decision, GivenAnswer, TouchChannel
from flows import tidying
from notifications.rendering import label
from storage import chores, handoffs, time_offset, waits
from storage.tables import Handoff, Wait
from tasks.choices import CHANNELS, DUTIES, decisions, rep_choices
from tasks.replies import answering, link_page
from tasks.wiring import toolbox

#: The choice for a question that does not apply.
NOTHING = "(no answer)"
#: The questions that a form may ask besides the answer.
_ASKED = ("reason", "colleague", "choice", "channel", "revisit_on", "renewal_date", "refused", "text")
_NO_PERSONAL = "No personal data of the lead, please."


def keyset(key: str) -> Keyset:
    """Return the names under which Prefect keeps the form and the answer of this pause key."""
    return {"schema": f"wait-{key}-schema", "response": f"wait-{key}-response", "description": f"wait-{key}-description"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form asks: title, description (no personal data), and the choices of each field as words.

    answers: empty where nobody can answer just now. Where there is only one, the form does not ask for it.
    channels: how the rep may have tried the lead. renewal: whether a reason asks when a contract ends. refusals:
    what the lead may refuse, where a reason asks for it. states: the statements
    of the note. lacks: the required statements that the note lacks. ticks: the statements that may be ticked as wrong or missing.
    """

    title: str
    description: str
    answers: tuple[GivenAnswer, ...]
    reasons: tuple[str, ...]
    colleagues: tuple[str, ...]
    choices: tuple[Decision, ...]
    channels: tuple[TouchChannel, ...] = ()
    renewal: bool = False
    refusals: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    ticks: tuple[str, ...] = ()

    def model(self) -> type[RunInput]:
        """Return the form as the class that Prefect wants."""
        fields: dict[str, Any] = {}
        if len(self.answers) > 1:
            fields["answer"] = _required("Answer", self.answers, "Answer")
        if self.choices:
            fields["choice"] = _required("Decision", self.choices, "What becomes of the lead")
        if self.answers:
            fields["who_answers"] = _line("Who answers (your name)", "Baton shows the answer under this name.", required=True)
        if self.reasons:
            fields["reason"] = _optional("Reason", self.reasons, "Reason, when it is rejected or returned")
        if self.colleagues:
            fields["colleague"] = _optional("Colleague", self.colleagues, "To whom, when it is handed on")
        if self.ticks:
            fields["note_wrong"] = _ticks(self.ticks)
        for name in self.states:
            fields[name] = _line(label(name), f"For the note. {_NO_PERSONAL}", required=name in self.lacks)
        if self.channels:
            fields["channel"] = _optional("Channel", self.channels, "How you tried to reach them")
        if self.reasons:
            fields["revisit_on"] = _line("Contact them again on", "As 2027-01-31, if they named a day.")
        if self.renewal:
            fields["renewal_date"] = _line("Their contract ends on", "As 2027-01-31, if they said so.")
        if self.refusals:
            fields["refused"] = _optional("Refused", self.refusals, "What they refuse, when they do not want to be contacted")
        fields["text"] = _line("In a few words", _NO_PERSONAL)
        return create_model("Answer", __base__=RunInput, **fields)

    def schema(self) -> str:
        """Return the form as the JSON schema that Prefect keeps. The description of the first question says what the form is about."""
        found = orjson.loads(_schema(replace(self, title="", description="")))
        first = next(iter(found["properties"].values()))
        first["description"] = " ".join(filter(None, (self.description, first.get("description"))))
        return orjson.dumps(found).decode()


@lru_cache(maxsize=256)
def _schema(form: Asked) -> bytes:
    """Build the schema once for all leads with the same questions. Both of Prefect's windows read the choices from `definitions`."""
    schema = form.model().model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    for place, field in enumerate(schema["properties"].values()):
        field["position"] = place
    return orjson.dumps({**schema, "definitions": schema.get("$defs", {})})


def _line(title: str, about: str, *, required: bool = False) -> Any:
    if required:
        return (str, Field(min_length=1, title=title, description=about))
    return (str, Field(default="", title=title, description=about))


def _required(name: str, words: tuple[str, ...], title: str) -> Any:
    return (_choices(name, words), Field(title=title))


def _optional(name: str, words: tuple[str, ...], title: str) -> Any:
    return (_choices(name, (NOTHING, *words)), Field(default=NOTHING, title=title))


def _ticks(names: tuple[str, ...]) -> Any:
    about = "Only if you accept. Marketing gets a message."
    words = _choices("Statement", names)
    return (list[words], Field(default=[], title="What in the note was wrong or missing", description=about))  # type: ignore[valid-type]


def _choices(name: str, words: tuple[str, ...]) -> Any:
    return Enum(name, {f"c{number}": word for number, word in enumerate(words)}, type=str)


def asked(session: Session, handoff: Handoff, wait: Wait, people: Roster) -> Asked:
    """Return what the form of this wait asks, with the reasons of its agreement."""
    agreement = handoffs.agreement_of(session, handoff)
    answers = DUTIES.get(wait.kind) or rep_choices(agreement, handoff, wait)
    gives_reason = any(kind in GIVEN_BACK for kind in answers)
    colleagues = tuple(ident for ident, person in people.people.items() if person.role == "rep" and ident != handoff.rep)
    return Asked(
        title=f"Lead {handoff.lead_id}",
        description=_about(handoff, wait, people, answers),
        answers=answers,
        reasons=tuple(reason.code for reason in agreement.reasons) if gives_reason else (),
        colleagues=colleagues if "handed" in answers or wait.kind == "decision" else (),
        choices=tuple(decisions(wait)) if wait.kind == "decision" else (),
        channels=tuple(CHANNELS) if "attempted" in answers else (),
        states=STATEMENTS if "completed" in answers else (),
        lacks=link_page.lacking_in_note(session, handoff, agreement) if "completed" in answers else (),
        ticks=STATEMENTS if "accepted" in answers else (),
        renewal=gives_reason and any("renewal_date" in reason.ask for reason in agreement.reasons),
        refusals=tuple(code for code, _ in link_page.refusals_of(agreement)) if gives_reason else (),
    )


def _about(handoff: Handoff, wait: Wait, people: Roster, answers: tuple[GivenAnswer, ...]) -> str:
    if not answers:
        return f"Nobody has lead {handoff.lead_id} just now, so there is nothing to answer."
    url = toolbox.current().settings.public_url
    return f"Lead {handoff.lead_id} is with {people.name_of(wait.holder)}. An answer here counts like any other; pages: {url}."


async def collect(handoff_id: int, run_id: str, *, client: PrefectClient | None = None) -> bool:
    """Read the form of the parked wait and answer the wait with it, from the time of the resume. True when the answer won.

    Then delete what was typed at Prefect. client: given for a run that a person has resumed. In that case the form is read even
    when somebody else answered first, and its answer is kept as late.
    """
    box = toolbox.current()
    wait = await box.read(lambda session, now: waits.open_of(session, handoff_id))
    if wait is None or not wait.parked_key or (wait.answer_id is not None and client is None):
        return False
    if client is None:
        async with get_client() as own:
            return await _collect(own, wait, UUID(run_id))
    return await _collect(client, wait, UUID(run_id))


async def _collect(client: PrefectClient, wait: Wait, run_id: UUID) -> bool:
    values = await _response(client, wait.parked_key, run_id)
    if not values:
        return False
    resumed = await resumed_at(client, wait.parked_key, run_id)
    if resumed is None:
        return False
    box, name = toolbox.current(), keyset(wait.parked_key)["response"]

    def store(session: Session, now: datetime) -> bool:
        is_new = chores.add_input(session, str(run_id), name, now=now)
        return take(session, wait.id, values, resumed=resumed, now=now) if is_new else False

    taken = await box.write(store)
    box.fault("form stored")
    with suppress(httpx.HTTPError, PrefectHTTPStatusError):  # the server is down: the worker deletes the input when the server is back
        await tidying.delete_input(box, client, str(run_id), name)
    return taken


async def _response(client: PrefectClient, key: str, run_id: UUID) -> dict[str, Any]:
    try:
        raw = await client.read_flow_run_input(run_id, keyset(key)["response"])
    except ObjectNotFound:
        return {}
    except PrefectHTTPStatusError as error:
        if error.response.status_code == 404:
            return {}
        raise
    found = orjson.loads(raw)
    return found if isinstance(found, dict) else {}


async def resumed_at(client: PrefectClient, key: str, run_id: UUID) -> datetime | None:
    """Return when the run that was parked under this key was resumed, in real time. None while it is parked."""
    states: list[State] = sorted(await client.read_flow_run_states(run_id), key=lambda state: state.timestamp)
    parked = [number for number, state in enumerate(states) if state.is_paused() and state.state_details.pause_key == key]
    if not parked or parked[-1] + 1 >= len(states):
        return None
    return states[parked[-1] + 1].timestamp


def take(session: Session, wait_id: str, values: dict[str, Any], *, resumed: datetime, now: datetime) -> bool:
    """Answer the wait with a form, from the time of the resume. A refused answer becomes a remark that the next park shows."""
    wait = session.get(Wait, wait_id)
    assert wait is not None, "a wait is never deleted"
    at = min(resumed + time_offset.ahead_at(session, resumed), now)
    only = DUTIES.get(wait.kind, (NOTHING,))[0]  # the form does not ask for the answer where there is only one
    kind = str(values.get("answer") or only)
    fields = {name: "" if values.get(name) == NOTHING else str(values.get(name) or "") for name in (*_ASKED, *STATEMENTS)}
    ticks = values.get("note_wrong")
    fields["note_wrong"] = ",".join(map(str, ticks)) if isinstance(ticks, list) else ""
    if kind == NOTHING and not any(fields.values()):
        return False
    by = str(values.get("who_answers") or "")
    try:
        reply = answering.answer_wait(
            session, wait_id, answering.SentForm(answering.kind_of(kind), fields, via="prefect"), by=by, now=now, answered_at=at
        )
    except HandoffError as refused:
        wait.remark = f"The last answer could not be used: {refused}"
        session.add(wait)
        return False
    return reply.won
