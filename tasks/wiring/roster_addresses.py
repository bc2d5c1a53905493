"""Find the addresses in a roster to which no channel can send."""

from __future__ import annotations

from agreements.roster import Roster
from notifications.channels.slack_address import is_slack, slack_id
from notifications.plain_text import tel


def unusable_addresses(people: Roster) -> list[str]:
    """Return the places of chat addresses and phone numbers in a roster that no channel can use; no value is shown."""
    found = []
    for ident, person in people.people.items():
        if why := _wrong_chat(person.chat):
            found.append(f"people.{ident}.chat: {why}")
        if person.phone and not tel(person.phone):
            found.append(f"people.{ident}.phone: no number can be read; write one such as +44 20 7946 0101")
    return found


def _wrong_chat(chat: str) -> str:
    if is_slack(chat):
        return "" if slack_id(chat) else "is no id of a Slack member; write slack:U0123ABCD, as the member's profile shows it"
    if not chat:
        return ""
    from notifications.channels.by_apprise import why_unusable  # imports Apprise: most rosters have no such address

    why = why_unusable(chat)
    return f"{why}; write one as its service shows it, or slack:U0123ABCD" if why else ""
