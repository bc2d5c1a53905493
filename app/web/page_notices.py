"""What a page says first: thanks and undo after an answer, who was first where it came late, and what became of an undo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tasks.replies.link_page import Given, Visit

#: What happens after an answer.
NEXT = {
    "accepted": "The lead is yours. The next thing owed is a first attempt to reach them; this page will say by when.",
    "rejected": "Marketing is told your reason, and what was agreed for it is done. You need do nothing more.",
    "returned": "Marketing is told your reason, and what was agreed for it is done. You need do nothing more.",
    "handed": "Your colleague gets the lead with all that is known of it, and a clock of their own.",
    "attempted": "Noted. Come back to this page when you know more; it will say by when.",
    "connected": "Noted. Come back to this page when you know what comes of it; it will say by when.",
    "sql": "Whoever takes it next gets the lead with its note and all that is known of it. You need do nothing more.",
    "opportunity": "The opportunity is created in the CRM, and marketing is told.",
    "completed": "The lead goes to sales at once, with what you wrote.",
    "decided": "It is carried out at once, and whoever has the lead is told.",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What a page says first. given: the answer it is about; thanks: it is thanked for; undo: this browser may take it back now;
    again: offer the form."""

    title: str
    sentences: tuple[str, ...] = ()
    given: Given | None = None
    thanks: bool = False
    undo: bool = False
    again: bool = False


def notice_for(visit: Visit, asked: Mapping[str, str]) -> Notice | None:
    """What to say first on this visit, None for nothing.

    asked: how an answer was left (done, late, noted, undone, kept), each with the answer's number or kind; only what the visit
    itself shows is said of it.
    """
    given = {one.answer_id: one for one in visit.answers}
    done = given.get(number(asked.get("done", "")))
    if done is None and not asked:
        done = next((one for one in visit.answers if one.here and one.undo_until), None)
    if done is not None and done.mine:
        return _thanks(visit, done)
    open_yet = next((one for one in visit.answers if may_take_back(visit, one)), None)
    if open_yet is not None and not asked:
        foreign = Notice("Was this you?", ("It was answered through your link, from a browser that was not known as yours.",))
        return replace(foreign if open_yet.forwarded else Notice("You can still take this back"), given=open_yet, undo=True)
    if asked.get("noted") in NEXT:
        return Notice("Thank you", (NEXT[asked["noted"]],), thanks=True)
    if "late" in asked:
        return _late(visit, given.get(number(asked["late"])))
    if "undone" in asked and number(asked["undone"]) not in given:  # it may count again, where something was faster
        return Notice("Taken back", ("It is as if you had not answered, and the time runs on.",), again=True)
    if "kept" in asked or "undone" in asked:
        kept = given.get(number(asked.get("kept") or asked.get("undone", "")))
        stays = kept.stays_because if kept and kept.mine else ""
        return Notice("It can no longer be taken back", (stays or "What you answered has been carried out.",))
    return None


def may_take_back(visit: Visit, given: Given) -> bool:
    """Whether the addressee, in a browser of their own, may take back what was answered as them, wherever that was."""
    return is_theirs(visit, given) and given.undo_until is not None and not visit.ended


def is_theirs(visit: Visit, given: Given) -> bool:
    """Whether it was answered as the addressee, and a browser of their own asks: they may be told why it stays."""
    return bool(visit.level) and not visit.members and given.mine


def number(text: str) -> int:
    """The number that text is, 0 for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0


def _thanks(visit: Visit, done: Given) -> Notice:
    own = done.here and done.undo_until is not None and not visit.ended
    return Notice("Thank you", (visit.ended or NEXT.get(done.kind, ""),), done, thanks=True, undo=own)


def _late(visit: Visit, first: Given | None) -> Notice:
    title = "This was answered before" if first else "This can no longer be answered"
    return Notice(title, tuple(filter(None, ("Your answer changed nothing.", visit.ended))), first)
