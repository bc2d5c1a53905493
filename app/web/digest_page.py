"""The page behind a digest: one form for everything that is open for one person. Looking changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from fastapi import APIRouter
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.web.bodies import body_of, read_form
from app.web.callers import Caller, age_of_form, remembered, sender_of
from app.web.page_notices import number
from app.web.rendering import page
from notifications.plain_text import clean
from tasks.replies import digest_page
from tasks.replies.answering import SentForm, kind_of
from tasks.replies.browsers import Sender
from tasks.replies.digest_page import DigestPage, OpenRow, RowReply
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import Toolbox

#: How many rows the form has at once; the others are on the next page.
ROWS_AT_ONCE = 50
#: The fields that each row may send along with its choice.
ROW_FIELDS = ("choice", "wait", "reason", "colleague", "channel", "refused", "text")
MAX_FIELDS = ROWS_AT_ONCE * len(ROW_FIELDS) + 3
MAX_FORM_BYTES = 256_000
#: The choice that leaves its row unanswered.
LEAVE = "leave"
_OPEN_AGAIN = "You did not open this page in this browser, or you opened it too long ago. Please choose here again."
_NOTHING = "Please choose an answer in at least one row."


def routes(box: Toolbox) -> APIRouter:
    """Return the routes of the digest pages."""
    router, pages = APIRouter(include_in_schema=False), DigestPages(box)
    router.add_api_route("/d/{token}", pages.show, methods=["GET", "HEAD"], response_model=None)
    router.add_api_route("/d/{token}", pages.take, methods=["POST"], response_model=None)
    return router


@dataclass(frozen=True, slots=True)
class _Shown:
    """How the page of a digest looks this time: its first row, what was typed, and the result for each row that was sent."""

    status: int = 200
    start: int = 0
    saved: int = 0
    typed: Mapping[str, str] = field(default_factory=dict)
    replies: Mapping[str, RowReply] = field(default_factory=dict)
    problem: str = ""
    asks_number: bool = False


@dataclass(frozen=True, slots=True)
class _Sent:
    """The fields that were sent for one row."""

    ident: str
    wait_id: str
    choice: str
    fields: Mapping[str, str]


class DigestPages:
    """Answers requests to a digest's link. An unknown link raises LinkInvalid, a form too large BodyTooLarge."""

    def __init__(self, box: Toolbox) -> None:
        self.box = box

    async def show(self, request: Request, token: str) -> Response:
        """Show what is open now."""
        asked = request.query_params
        start = number(asked.get("from", ""))
        return await self._page(Caller.of(request, token, folder="d"), _Shown(start=start, saved=number(asked.get("saved", ""))))

    async def take(self, request: Request, token: str) -> Response:
        """Save the answered rows one by one. A refusal is shown beside its row, with what was typed kept.

        Where a robot may have pressed, nothing is saved without the code from the message. Nothing need be held meanwhile: the
        page keeps what was typed, and the answers count from the press that carried the code.
        """
        caller = Caller.of(request, token, folder="d")
        typed = await _form_of(request)
        self.box.links.read_digest(token)
        start = number(typed.get("from", ""))
        age = await age_of_form(self.box, request, caller, typed)
        if age is None:
            return await self._page(caller, _Shown(status=403, start=start, problem=_OPEN_AGAIN))
        rows = _sent(typed)
        if not rows:
            return await self._page(caller, _Shown(status=422, start=start, typed=typed, problem=_NOTHING))
        sender = sender_of(request, caller, age)
        proof = await self.box.write(
            lambda session, now: digest_page.prove(session, OpenedLink(self.box, token), typed.get("number", ""), sender=sender, now=now)
        )
        if proof.refused:
            return await self._page(caller, _Shown(status=422, start=start, typed=typed, problem=proof.refused, asks_number=True))
        caller = caller.promoted() if proof.device != caller.hash else caller
        sender = replace(sender, was=proof.was, device=proof.device)
        replies = {row.ident: await self._answer(token, row, typed["nonce"], sender) for row in rows}
        saved = sum(reply.saved for reply in replies.values())
        if saved == len(replies):
            return remembered(self.box, RedirectResponse(f"{caller.path}?saved={saved}", 303), caller)
        return await self._page(caller, _Shown(status=422, start=start, typed=typed, replies=replies, saved=saved))

    async def _answer(self, token: str, row: _Sent, press: str, sender: Sender) -> RowReply:
        link, sent = OpenedLink(self.box, token), SentForm(kind_of(row.choice), row.fields, key=press)
        return await self.box.write(
            lambda session, now: digest_page.answer_row(session, link, row.ident, sent, wait_id=row.wait_id, now=now, sender=sender)
        )

    async def _page(self, caller: Caller, shown: _Shown = _Shown()) -> Response:
        def look(session: Session, now: datetime) -> tuple[DigestPage, str]:
            seen = digest_page.open_round(session, OpenedLink(self.box, caller.token), now=now, device=caller.hash)
            return seen, self.box.links.nonce(caller.token, caller.hash, "", now=now)

        seen, nonce = await self.box.read(look)
        start = shown.start if 0 <= shown.start < len(seen.rows) else 0
        response = page(
            "digest.html",
            status=shown.status,
            seen=seen,
            shown=seen.rows[start : start + ROWS_AT_ONCE],
            start=start,
            following=start + ROWS_AT_ONCE if len(seen.rows) > start + ROWS_AT_ONCE else 0,
            zone=seen.timezone,
            now=seen.now,
            path=caller.path,
            nonce=nonce,
            saved=shown.saved,
            typed=_kept(seen.rows, shown.typed, shown.replies),
            replies=shown.replies,
            problem=shown.problem,
            asks_number=shown.asks_number or not seen.level,
            number_typed="" if shown.asks_number else shown.typed.get("number", ""),
            leave=LEAVE,
        )
        return remembered(self.box, response, caller)


async def _form_of(request: Request) -> dict[str, str]:
    fields = read_form(await body_of(request, MAX_FORM_BYTES), most=MAX_FIELDS)
    return {name: clean(value) for name, value in fields.items()}


def _sent(typed: Mapping[str, str]) -> list[_Sent]:
    """Return the rows in which something was chosen."""
    chosen = {name.removeprefix("choice-"): value for name, value in typed.items() if name.startswith("choice-")}
    return [
        _Sent(ident, typed.get(f"wait-{ident}", ""), choice, {name: typed.get(f"{name}-{ident}", "") for name in ROW_FIELDS[2:]})
        for ident, choice in chosen.items()
        if choice and choice != LEAVE
    ]


def _kept(rows: tuple[OpenRow, ...], typed: Mapping[str, str], replies: Mapping[str, RowReply]) -> dict[str, dict[str, str]]:
    """Return what stays in the form, by row and field: everything except saved answers and choices that are gone."""
    kept: dict[str, dict[str, str]] = {}
    for row in rows:
        reply = replies.get(row.ident)
        fields = {} if reply and reply.saved else {name: typed.get(f"{name}-{row.ident}", "") for name in ROW_FIELDS}
        kept[row.ident] = {**dict.fromkeys(ROW_FIELDS, ""), **fields}
    return kept
