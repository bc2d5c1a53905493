"""What a page says first: thanks and undo after an answer, who was first after a late one, and the result of an undo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from agreements.words import AnswerKind, NoWord, word
from tasks.replies.link_page import ShownAnswer, Visit

#: What happens after an answer.
NEXT: Mapping[AnswerKind | NoWord, str] = {
    "accepted": "The lead is yours. Next, try to reach them. This page will say by when.",
    "rejected": "We tell marketing your reason and do what the agreement says for it. You do not need to do anything else.",
    "returned": "We tell marketing your reason and do what the agreement says for it. You do not need to do anything else.",
    "handed": "Your colleague gets the lead with everything we know about it, and gets the full time to answer.",
    "attempted": "Noted. Come back to this page when you know more. It will say by when.",
    "connected": "Noted. Come back to this page when you know what came of the lead. It will say by when.",
    "sql": "The next team gets the lead with its note and everything we know about it. You do not need to do anything else.",
    "opportunity": "We create the opportunity in the CRM and tell marketing.",
    "completed": "The lead goes to sales right away, with what you wrote.",
    "decided": "We carry out your decision right away and tell the rep who has the lead.",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What a page says first. given: the answer it is about; thanks: it thanks the visitor; undo: this browser may take the answer
    back now; again: offer the form."""

    title: str
    sentences: tuple[str, ...] = ()
    given: ShownAnswer | None = None
    thanks: bool = False
    undo: bool = False
    again: bool = False


def notice_for(visit: Visit, asked: Mapping[str, str]) -> Notice | None:
    """Return what to say first on this visit, None for nothing.

    asked: how an answer was left (done, late, noted, undone, kept), each with the answer's number or kind. The notice only says
    what the visit itself shows.
    """
    given = {one.answer_id: one for one in visit.answers}
    done = given.get(number(asked.get("done", "")))
    if done is None and not asked:
        done = next((one for one in visit.answers if one.here and one.undo_until), None)
    if done is not None and done.mine:
        return _thanks(visit, done)
    open_yet = next((one for one in visit.answers if may_take_back(visit, one)), None)
    if open_yet is not None and not asked:
        foreign = Notice("Was this you?", ("Somebody answered through your link in a browser that we do not know as yours.",))
        return replace(foreign if open_yet.forwarded else Notice("You can still take this back"), given=open_yet, undo=True)
    if noted := word(asked.get("noted", ""), NEXT):
        return Notice("Thank you", (NEXT[noted],), thanks=True)
    if "late" in asked:
        return _late(visit, given.get(number(asked["late"])))
    if "undone" in asked and number(asked["undone"]) not in given:  # the answer may count again, where another write was faster
        return Notice("Taken back", ("It is as if you had not answered. The time to answer keeps running.",), again=True)
    if "kept" in asked or "undone" in asked:
        kept = given.get(number(asked.get("kept") or asked.get("undone", "")))
        stays = kept.stays_because if kept and kept.mine else ""
        return Notice("It can no longer be taken back", (stays or "Your answer has been carried out.",))
    return None


def may_take_back(visit: Visit, given: ShownAnswer) -> bool:
    """Return whether the addressee, in their own browser, may take back an answer in their name, from any channel."""
    return is_theirs(visit, given) and given.undo_until is not None and not visit.ended


def is_theirs(visit: Visit, given: ShownAnswer) -> bool:
    """Return whether the answer is the addressee's and their own browser asks: then the page may say why the answer stays."""
    return bool(visit.level) and not visit.members and given.mine


def number(text: str) -> int:
    """Return the text as a number, 0 where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0


def _thanks(visit: Visit, done: ShownAnswer) -> Notice:
    own = done.here and done.undo_until is not None and not visit.ended
    return Notice("Thank you", (visit.ended or NEXT.get(done.kind, ""),), done, thanks=True, undo=own)


def _late(visit: Visit, first: ShownAnswer | None) -> Notice:
    title = "This was already answered" if first else "This can no longer be answered"
    return Notice(title, tuple(filter(None, ("Your answer changed nothing.", visit.ended))), first)
