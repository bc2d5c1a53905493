"""docs/messages.md names every message, and everything that a template may use."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from jinja2 import FileSystemLoader
from jinja2.filters import FILTERS

from notifications.catalogue import WHO_GETS
from notifications.letter import Context, LeadView, Recipient
from notifications.rendering import TEMPLATES, message_names
from notifications.samples import is_about_a_lead, sample
from notifications.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT.joinpath("docs", "messages.md").read_text(encoding="utf-8")
#: Every word that the page shows as code.
CODE = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`]+)`", PAGE.replace("```", "")))))


def test_the_table_of_messages_is_the_catalogue_and_the_catalogue_is_complete() -> None:
    table = PAGE.partition("|---|---|---|\n")[2].partition("\n\n")[0].splitlines()

    assert table == [f"| `{name}` | {who} | {when} |" for name, (who, when) in WHO_GETS.items()]
    assert set(WHO_GETS) == set(message_names())


def test_every_name_that_a_template_may_use_is_on_the_page() -> None:
    contexts = {type(sample(message)) for message in message_names()} | {Context, LeadView}
    names = {one.name for kind in contexts for one in fields(kind)} | {f"to.{one.name}" for one in fields(Recipient) if one.name != "chat"}

    assert sorted(name for name in names if name.removeprefix("to.") not in CODE) == []


def test_every_filter_of_ours_is_on_the_page_and_so_is_each_that_is_not_there() -> None:
    made = TEMPLATES.parent.joinpath("rendering.py").read_text().partition("compiled=")[2].partition(")\n")[0]
    given = set(re.findall(r"(\w+)=", made))
    gone = set(FILTERS) - set(Sandbox(FileSystemLoader(TEMPLATES)).filters)

    assert len(given) == 8
    assert given <= CODE
    assert gone <= CODE
    assert len(gone) >= 10


def test_messages_about_a_lead_and_others_are_told_apart() -> None:
    others = [
        "absence-told", "alarm-told", "complaint-told", "crm-told", "device-code", "digest", "links-ended", "marketing-digest",
        "number-guessed", "reason-told", "review-told", "signature-asked",
        "signature-told", "test", "trail-head",
    ]  # fmt: skip

    assert [message for message in message_names() if not is_about_a_lead(message)] == others
