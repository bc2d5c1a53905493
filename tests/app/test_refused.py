"""Every door that asks for a reason asks what the person refuses, where a reason of the agreement asks for it."""

from __future__ import annotations

from app.web import slack_words
from app.web.digest_page import ROW_FIELDS
from flows import forms
from storage import handoffs, roster
from tasks.replies import answering
from tasks.replies.digest_page import open_round
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import agree_on, wait_of
from tests.driver import Driver
from tests.stage import capture, newest, token_of
from tests.tasks.steps.test_reasons import ASKS, reason

WORDS = [("all", "every contact"), ("phone", "calls and text messages"), ("email", "e-mail")]


async def test_slack_asks_and_says_what_is_missing_beside_the_question(driver: Driver, box: Toolbox) -> None:
    agree_on(box, reason("do-not-contact", **ASKS))
    taken = capture(box)
    await driver.settle()
    seen = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token_of(box, taken)), now=now))

    fields = {block["block_id"]: block for block in slack_words.reason_dialog(seen, "token")["blocks"]}

    assert [(one["value"], one["text"]["text"]) for one in fields["refused"]["element"]["options"]] == WORDS
    assert "initial_option" not in fields["refused"]["element"]
    sent = {"refused": {"refused": {"selected_option": {"value": "phone"}}}}
    assert slack_words.fields_of(sent)["refused"] == "phone"
    missing = "Please say what they refuse (all, phone, email): the reason 'Asked not to be contacted' needs that."
    assert slack_words.beside(missing, {"reason": "do-not-contact"}) == {"refused": missing}


async def test_prefects_form_and_the_digest_ask_too(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, reason("do-not-contact", **ASKS))
    taken = capture(box)
    await driver.settle()
    wait, handoff = wait_of(box, taken), newest(box, taken)
    digest = box.links.for_digest("ana", "2027-02-01", at=time.at).rpartition("/")[2]

    form = box.read_now(lambda session, now: forms.asked(session, handoffs.get(session, handoff.id), wait, roster.current(session)))
    [row] = box.read_now(lambda session, now: open_round(session, OpenedLink(box, digest), now=now)).rows

    assert form.refusals == ("all", "phone", "email")
    assert "refused" in form.model().model_json_schema()["properties"]
    assert list(row.refusals) == WORDS
    assert "refused" in ROW_FIELDS


async def test_where_no_reason_asks_no_door_does(driver: Driver, box: Toolbox) -> None:
    taken = capture(box)
    await driver.settle()
    wait, handoff = wait_of(box, taken), newest(box, taken)
    seen = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token_of(box, taken)), now=now))

    form = box.read_now(lambda session, now: forms.asked(session, handoffs.get(session, handoff.id), wait, roster.current(session)))

    assert all(block["block_id"] != "refused" for block in slack_words.reason_dialog(seen, "token")["blocks"])
    assert form.refusals == ()
