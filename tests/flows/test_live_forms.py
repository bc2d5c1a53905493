"""Prefect's own forms on a live server: each asks what its wait needs, sound answers count as claimed, and nonsense says why."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from prefect.client.schemas.responses import SetStateStatus

from flows.forms import keyset
from storage import roster
from storage.tables import Answer
from tests.conftest import ROSTER
from tests.live import Live, live_stack
from tests.present import the
from tests.stage import Taken, events_of

pytestmark = [pytest.mark.long, pytest.mark.live]
AWAY = ", away: [{from: 2027-01-01T00:00:00Z, until: 2027-03-01T00:00:00Z}]"
EVERYBODY_AWAY = ROSTER.replace(", timezone: Europe/London", AWAY)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One stack for the tests of this file; each takes in leads of its own."""
    with live_stack(Path(tmp_path_factory.mktemp("forms"))) as running:
        yield running


def until_acceptance(live: Live) -> Taken:
    taken = live.capture()
    live.until_parked(taken, "AwaitingAcceptance")
    return taken


def until_first_attempt(live: Live) -> Taken:
    taken = until_acceptance(live)
    fill_in(live, taken, answer="accepted", who_answers="Maria")
    live.until_parked(taken, "AwaitingFirstAttempt")
    return taken


def until_outcome(live: Live) -> Taken:
    taken = until_first_attempt(live)
    fill_in(live, taken, answer="attempted", channel="phone", who_answers="Maria")
    live.until_parked(taken, "AwaitingOutcome")
    return taken


def until_decision(live: Live) -> Taken:
    taken = until_acceptance(live)
    fill_in(live, taken, answer="rejected", reason="other", text="Ask marketing.", who_answers="Maria")
    live.until_parked(taken, "AwaitingDecision")
    return taken


def until_note(live: Live) -> Taken:
    taken = live.capture(campaign="")
    live.until_parked(taken, "AwaitingNote")
    return taken


def fill_in(live: Live, taken: Taken, **form: Any) -> Any:
    """Submits the Resume form of the lead's run, as Prefect's window does."""
    run = live.run_of(taken)
    assert run is not None
    return live.prefect(lambda client: client.resume_flow_run(run.id, run_input=form))


def schema_of(live: Live, taken: Taken) -> dict[str, Any]:
    """The form as Prefect's window gets it."""
    run, wait = live.run_of(taken), live.wait_of(taken)
    assert run is not None
    assert wait is not None
    raw = live.prefect(lambda client: client.read_flow_run_input(run.id, keyset(wait.parked_key)["schema"]))
    schema: dict[str, Any] = orjson.loads(raw)
    return schema


def choices(schema: dict[str, Any], name: str) -> list[str]:
    """What can be chosen in this field; empty where the form does not ask."""
    return list(schema["definitions"].get(name, {"enum": []})["enum"])


ALWAYS = {"who_answers", "text"}
RESULT = ALWAYS | {"answer"}
REASONS = {"reason", "colleague", "revisit_on", "renewal_date"}
STATEMENTS = {"why_qualified", "buying_signal", "next_step", "campaign", "pain_point"}
#: How a lead comes to wait so, what its form asks, what must be filled in, what can be answered, what may be answered wrongly (how,
#: and what is said), and a sound answer.
WAITS = [
    (
        until_acceptance,
        RESULT | REASONS - {"renewal_date"} | {"note_wrong"},
        {"answer", "who_answers"},
        ["accepted", "rejected", "handed"],
        [
            ({"answer": "rejected"}, "Please choose one of the agreed reasons."),
            ({"answer": "rejected", "reason": "not-now", "revisit_on": "soon"}, "Please write the date as 2027-01-31"),
            ({"answer": "handed"}, "Please say which colleague takes it."),
            ({"answer": "rejected", "reason": "other"}, "Please say in a few words why"),
            ({"answer": "accepted", "who_answers": "  "}, "Please type your name: an answer has to say who gives it."),
        ],
        ({"answer": "accepted", "note_wrong": ["campaign"]}, "accepted"),
    ),
    (
        until_first_attempt,
        RESULT | REASONS - {"renewal_date"} | {"channel"},
        {"answer", "who_answers"},
        ["attempted", "connected", "opportunity", "returned", "handed"],
        [({"answer": "returned"}, "Please choose one of the agreed reasons."), ({"answer": "handed"}, "which colleague takes it")],
        ({"answer": "connected", "channel": "phone"}, "connected"),
    ),
    (
        until_outcome,
        RESULT | REASONS - {"renewal_date"} | {"channel"},
        {"answer", "who_answers"},
        ["attempted", "connected", "opportunity", "returned", "handed"],
        [({"answer": "returned", "reason": "wrong-rep"}, "Please say which colleague takes it")],
        ({"answer": "opportunity"}, "opportunity"),
    ),
    (
        until_decision,
        ALWAYS | {"choice", "colleague"},
        {"choice", "who_answers"},
        [],
        [({"choice": "nurture", "who_answers": " "}, "Please type your name: an answer has to say who gives it.")],
        ({"choice": "nurture"}, "decided"),
    ),
    (
        until_note,
        ALWAYS | STATEMENTS,
        {"campaign", "who_answers"},
        [],
        [({"campaign": " "}, "Please write down what is still missing in the note: campaign.")],
        ({"campaign": "Spring fair"}, "completed"),
    ),
]


@pytest.mark.parametrize(
    ("until", "asked", "required", "answers", "nonsense", "sound"), WAITS, ids=lambda value: getattr(value, "__name__", "")
)
def test_each_form_asks_what_its_wait_needs_refuses_nonsense_and_takes_an_answer(
    live: Live, until: Any, asked: set[str], required: set[str], answers: list[str], nonsense: list[Any], sound: Any
) -> None:
    taken = until(live)
    schema, wait = schema_of(live, taken), live.wait_of(taken)
    assert set(schema["properties"]) == asked
    assert set(schema["required"]) == required
    assert "leave" not in str(schema).casefold()
    assert choices(schema, "Answer") == answers
    assert taken.incoming.email not in str(schema)
    assert taken.incoming.last_name not in str(schema)

    def parked_again(parks: int) -> bool:
        return live.wait_of(taken).parks > parks

    for form, said in nonsense:
        parks = live.wait_of(taken).parks
        fill_in(live, taken, **{"who_answers": "Maria", **form})
        live.until(partial(parked_again, parks))
        again = live.until_parked(taken, live_name(wait.kind))
        assert said in the(the(again.state).message)
        assert live.wait_of(taken).answer_id is None

    form, kind = sound
    fill_in(live, taken, who_answers="Maria", **form)
    answer = live.until(lambda: answer_to(live, wait.id))
    assert (answer.kind, answer.by, answer.via, answer.data["claimed"]) == (kind, "Maria", "prefect", True)
    event = next(one for one in events_of(live.box, taken) if one.kind == f"answered-{kind}" and one.actor == "Maria")
    assert event.data["claimed"] is True


def live_name(kind: str) -> str:
    """Under which name a run rests while this is owed."""
    from agreements.lifecycle import PARKED_NAMES

    return PARKED_NAMES[kind]


def answer_to(live: Live, wait_id: str) -> Answer | None:
    """The answer that counts for this wait."""
    from storage.tables import Wait

    def find(session: Any, now: Any) -> Answer | None:
        wait = session.get(Wait, wait_id)
        return session.get(Answer, wait.answer_id) if wait.answer_id else None

    return live.box.read_now(find)


@pytest.mark.parametrize(
    "form",
    [
        {"answer": "sold", "who_answers": "Maria"},
        {"answer": "rejected", "reason": "no-such-reason", "who_answers": "Maria"},
        {"answer": "handed", "colleague": "nobody", "who_answers": "Maria"},
        {"answer": "accepted", "note_wrong": ["spelling"], "who_answers": "Maria"},
        {"answer": "accepted"},
        {"answer": "accepted", "who_answers": ""},
        {"who_answers": "Maria", "reason": "not-now"},
        {},
    ],
    ids=str,
)
def test_what_lacks_something_required_or_is_no_choice_prefect_refuses_by_itself_and_the_run_stays_parked(
    live: Live, form: dict[str, Any]
) -> None:
    taken = until_acceptance(live)
    key = live.wait_of(taken).parked_key

    refused = fill_in(live, taken, **form)

    assert refused.status == SetStateStatus.REJECT
    assert the(live.until_parked(taken, "AwaitingAcceptance").state).state_details.pause_key == key
    assert live.wait_of(taken).answer_id is None


def test_who_waits_for_a_rep_to_be_there_is_asked_nothing(live: Live) -> None:
    """Nobody has the lead, so nobody can accept it; a try changes nothing and says so."""
    live.box.write_now(lambda session, now: roster.load(session, EVERYBODY_AWAY, now=now))
    taken = live.capture()
    live.until_parked(taken, "AwaitingDelivery")
    wait = live.wait_of(taken)

    schema = schema_of(live, taken)
    assert set(schema["properties"]) == {"text"}
    assert "there is nothing to answer" in schema["properties"]["text"]["description"]

    fill_in(live, taken, text="Give it to Ana.")

    live.until(lambda: live.wait_of(taken).parks > wait.parks)
    assert "There is nothing to answer right now." in the(the(live.until_parked(taken, "AwaitingDelivery").state).message)
    live.box.write_now(lambda session, now: roster.load(session, ROSTER, now=now))
