"""What the demo's report counts of the messages that people got: only what lies in the inbox and in the chat room."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import httpx

from app.demo.chat_room import ChatRoom
from app.demo.inbox.inbox import Inbox
from app.demo.report import per_person_day
from storage.message_counts import summary
from tests.app.test_inbox import TUESDAY, mail, send
from tests.patience import PATIENCE_SECONDS


def test_a_post_in_the_room_is_theirs_who_got_the_mail_about_the_same(tmp_path: Path) -> None:
    with ChatRoom() as room, Inbox(folder=tmp_path, now=lambda: TUESDAY) as inbox:
        send(inbox, mail(to="ana@demo.example", key="a1:assigned:email"), mail(to="ana@demo.example", key="digest:ana:2025-03-04"))
        send(inbox, mail(to="ben@demo.example", key="b2:assigned:email"))
        for key in ("a1:assigned:chat", "c3:assigned:chat"):
            said = {"title": "New lead", "message": "Call."}
            address, headers = f"http://127.0.0.1:{room.port}/post", {"x-baton-key": key}
            httpx.post(address, json=said, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS)
        counts = per_person_day(inbox, room)

    day = date(2025, 3, 4)
    assert counts == {("ana@demo.example", day): 3, ("ben@demo.example", day): 1}
    assert summary(counts)["max"] == 3
