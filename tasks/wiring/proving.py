"""Which channels of this installation can prove that a rep was told. Read from the settings alone: nothing is opened."""

from __future__ import annotations

from agreements.checks.with_channels import Installed
from agreements.roster import Person, Roster
from agreements.words import ChannelName
from notifications.channels.slack_address import is_slack
from tasks.wiring.settings import Settings

#: What each channel means that is not always there, and how to set it up.
_SETTINGS: dict[ChannelName, str] = {"sms": "BATON_SMS_URL", "webhook": "BATON_WEBHOOK_URL"}


def installed(settings: Settings, people: Roster | None = None) -> Installed:
    """Return the channels of this installation, and which of them reach each rep of this roster."""
    absent = {name: setting for name, setting in _SETTINGS.items() if not getattr(settings, setting.removeprefix("BATON_").lower())}
    reps = {name: one for name, one in people.people.items() if one.role == "rep"} if people else {}
    unread: frozenset[ChannelName] = frozenset() if settings.crm_people else frozenset({"crm"})
    return Installed(absent, unread, {name: frozenset(_reaching(settings, one)) for name, one in reps.items()})


def _reaching(settings: Settings, person: Person) -> list[ChannelName]:
    chat = person.chat or settings.chat_url
    found: dict[ChannelName, bool] = {
        "crm": True,
        "webhook": True,
        "manager-email": True,
        "email": bool(person.email),
        "sms": bool(person.phone),
        "chat": bool(settings.slack_token) if is_slack(chat) else bool(chat),
    }
    return [name for name, reaches in found.items() if reaches]


def in_words(here: Installed, *, counts_unread: bool) -> str:
    """Return one sentence: which channels can prove something here, and which cannot, with the reason."""
    known: tuple[ChannelName, ...] = ("email", "chat", "crm", "sms", "webhook")
    able = [name for name in known if name not in here.absent and (counts_unread or name not in here.unread)]
    cannot = [f"{name} (set {setting})" for name, setting in here.absent.items()]
    if not counts_unread:
        cannot += [f"{name} (nobody reads it; set BATON_CRM_PEOPLE=true if reps work in it)" for name in sorted(here.unread)]
    told = f"Channels that can prove here that a rep was told: {', '.join(able)}."
    return f"{told} Channels that cannot: {', '.join(cannot)}." if cannot else told
