"""The words of the vocabularies: each is defined in one place, and mypy sees it wherever it is stored or compared."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from agreements import words
from agreements.clauses.clocks import LEG_CLOCK_NAMES, Clocks, LegClocks
from agreements.lifecycle import TRANSITIONS
from flows.steps import STEPS
from notifications.rendering import TEMPLATES
from tasks.choices import REP_CHOICES
from tests.test_architecture import sources as every_module

ROOT = Path(__file__).resolve().parents[1]
#: What is called like this holds a word of a vocabulary.
WORDS = frozenset(
    {
        "about", "back_to", "because", "channel", "closed_because", "counts_against", "do", "ended_because", "event", "kind", "level",
        "message", "needs", "operator", "outcome", "owed_by", "party", "policy", "role", "ruling", "stage", "state", "step", "then", "via",
        "wait_kind",
    }
)  # fmt: skip
#: Annotations of a text, or of several.
_TEXT = re.compile(r"str\b|(tuple|list|set|frozenset|Sequence|Collection|Iterable)\[str\b")
#: The places where such a name holds free text, and why.
FREE = {
    "agreements/errors.py": "the text of an error, and what was asked for in vain",
    "agreements/lead.py Done.kind": "a company names what its leads do",
    "agreements/scoring.py is_done kind": "a company names what its leads do",
    "storage/tables/leads.py Activity.kind": "a company names what its leads do",
    "storage/past.py PastActivity.kind": "a company names what its leads do",
    "storage/tables/keeping.py Consent.channel": "a source names the channels of a consent",
    "storage/tables/process_state.py Claim.about": "a sentence",
    "storage/claims.py take about": "a sentence",
    "storage/schema.py new_step message": "a sentence",
    "notifications/letter.py LeadView.message": "what the lead wrote",
    "notifications/contract_picture.py Words.kind": "a class of the style sheet",
    "notifications/channels/mail_message.py _message_id kind": "a part of a mail header",
    "notifications/channels/by_apprise.py send_by_apprise channel": "a name for error messages",
    "notifications/channels/over_http.py post channel": "a name for error messages",
    "notifications/checking.py": "the name of a folder with templates",
    "notifications/faults.py _names message": "the text of an error",
    "notifications/rendering.py render message": "the name of a folder with templates, from outside",
    "notifications/sandbox.py call_binop operator": "an operator of Jinja",
    "agreements/opportunities.py Facts.stage": "a company names the stages of its opportunities",
    "storage/tables/crm.py Opportunity.stage": "a company names the stages of its opportunities",
    "storage/crm/local.py person_logs": "what a CRM says, read in tasks/crm",
    "agreements/timeline.py Step.do": "an action in words, with its track and its turn",
    "agreements/lifecycle.py again stage": "a stored text, read here",
    "tasks/choices.py did kind": "a stored text, read here",
    "flows/forms.py _line about": "a sentence",
    "flows/resting.py Rest.message": "a sentence for Prefect",
    "app/csv_import/row_judge.py _told kind": "a kind of error of pydantic",
    "app/commands/channel_trial.py": "an argument of the command line, read there",
    "app/commands/lead_list.py": "an option of the command line",
    "app/commands/leads.py": "an option of the command line, read here",
    "app/demo/finale.py _lead message": "what the lead wrote",
    "app/demo/people.py": "what somebody in the demo is like",
    "app/message_preview.py": "an argument of the command line, read here",
    "app/commands/message_texts.py": "an argument of the command line, read there",
    "app/terminal.py fail message": "a sentence",
}


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Return every module by its path. Migrations describe tables as they were."""
    return ((path, tree) for path, tree in every_module() if "/migrations/" not in path)


def plain_texts(tree: ast.Module) -> Iterator[str]:
    """Yield the fields and parameters that hold a word by their name, and are annotated as plain text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            fields = [one for one in node.body if isinstance(one, ast.AnnAssign)]
            yield from (f"{node.name}.{ast.unparse(one.target)}" for one in fields if _is_word(one.target) and _is_text(one.annotation))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            yield from (f"{node.name} {one.arg}" for one in given if one.arg in WORDS and _is_text(one.annotation))


def _is_text(annotation: ast.expr | None) -> bool:
    return annotation is not None and bool(_TEXT.match(ast.unparse(annotation)))


def _is_word(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id in WORDS) or (isinstance(node, ast.Attribute) and node.attr in WORDS)


def _is_bare(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(node.value)


def comparisons(tree: ast.Module) -> Iterator[tuple[ast.Compare, ast.expr, ast.cmpop, ast.expr]]:
    """Yield every two things that are compared, with the whole comparison."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield from ((node, *pair) for pair in zip((node.left, *node.comparators), node.ops, node.comparators, strict=False))


def test_what_holds_a_word_is_typed_with_its_vocabulary() -> None:
    """A typo in a plain text is a comparison that never holds, and nobody is told."""
    found = {f"{path} {name}" for path, tree in sources() for name in plain_texts(tree)}
    listed = {one: [place for place in FREE if one == place or one.startswith(f"{place} ")] for one in found}

    assert sorted(one for one, places in listed.items() if not places) == []
    assert {place for places in listed.values() for place in places} == set(FREE), "a place that holds no free text leaves the list"


def test_several_words_are_compared_by_a_group_with_a_type() -> None:
    """Where a tuple stands in the comparison, mypy finds a typo only if every word is wrong."""
    wrong = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, tree in sources()
        for node, left, op, right in comparisons(tree)
        if isinstance(op, ast.In | ast.NotIn) and _is_word(left)
        if isinstance(right, ast.Tuple | ast.List | ast.Set) and any(map(_is_bare, right.elts))
    ]
    wrong += [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("in_", "not_in")
        if any(isinstance(one, ast.Tuple | ast.List | ast.Set) and any(map(_is_bare, one.elts)) for one in node.args)
    ]

    assert wrong == []


def test_columns_are_compared_with_words_where_mypy_sees_them() -> None:
    """`col(Wait.kind)` is compared with anything; `Wait.kind` only with kinds of waits."""
    wrong = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, tree in sources()
        for node, left, op, right in comparisons(tree)
        if isinstance(left, ast.Call) and isinstance(left.func, ast.Name) and left.func.id == "col"
        if any(map(_is_word, left.args)) and isinstance(op, ast.Eq | ast.NotEq) and _is_bare(right)
    ]

    assert wrong == []


def test_stages_and_states_are_compared_with_their_members() -> None:
    """A member of a StrEnum is a text, so that mypy allows its comparison with any text."""
    wrong = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, tree in sources()
        for node, left, _, right in comparisons(tree)
        if isinstance(left, ast.Attribute) and left.attr in ("stage", "state") and _is_bare(right)
    ]

    assert wrong == []


def test_stages_and_states_of_rows_are_used_as_the_texts_that_they_are() -> None:
    """A row that was loaded holds the text of a stage, which has no `value`."""
    rows = ("handoff", "row", "answer", "delivery", "latest", "event", "wait")
    wrong = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("value", "name") and isinstance(node.value, ast.Attribute)
        if node.value.attr in ("stage", "state") and isinstance(node.value.value, ast.Name) and node.value.value.id in rows
    ]

    assert wrong == []


def test_the_vocabularies_say_what_there_is() -> None:
    """Nothing in them is left over, and nothing is missing."""
    templates = {one.name for one in TEMPLATES.iterdir() if (one / "subject.txt").is_file()}
    moves = {event for events in TRANSITIONS.values() for event in events}

    assert set(words.TEMPLATE_NAMES) == templates
    assert set(get_args(words.Move)) == moves
    assert set(get_args(words.StepName)) == set(STEPS)
    assert set(words.ANSWERED) == set(get_args(words.AnswerKind))
    assert all(event == f"answered-{kind}" for kind, event in words.ANSWERED.items())
    assert tuple(Clocks.model_fields) == words.CLOCK_NAMES
    assert tuple(LegClocks.model_fields) == LEG_CLOCK_NAMES
    assert {kind for kinds in REP_CHOICES.values() for kind in kinds} | {"completed", "decided"} == set(get_args(words.GivenAnswer))


@pytest.mark.parametrize(("text", "read"), [("accepted", "accepted"), ("acepted", None), ("", None), ("Accepted", None)])
def test_a_text_from_outside_is_read_as_the_word_that_it_is(text: str, read: str | None) -> None:
    """Nothing is guessed: a word is written as it is defined, or it is none."""
    assert words.word(text, get_args(words.GivenAnswer)) == read


#: One comparison or value with a typo for each vocabulary.
TYPOS = """
def of_waits(wait: Wait, answer: Answer, wake: Wake, dispute: Dispute) -> None:
    print(wait.kind == "desicion")
    print(wait.about == "prof")
    print(wait.closed_because == "mised")
    print(answer.kind == "acepted")
    print(answer.via == "links")
    print(wake.kind == "undoo")
    print(dispute.ruling == "upheald")
    print(select(Wait).where(Wait.kind == "desicion"))
    print(select(Answer).where(Answer.kind != "dedline"))

def of_deliveries(row: Delivery, item: DigestItem) -> None:
    print(row.message == "asigned")
    print(row.channel == "emial")
    print(row.state == AnswerState.COUNTED)
    print(item.kind == "mised")
    print(Copy("key", "emial", "ana"), Message("asigned"))

def of_handoffs(handoff: Handoff, row: Assignment, tried: Touch, event: Event) -> None:
    print(handoff.stage == AnswerState.COUNTED)
    print(handoff.step == "scren")
    print(row.ended_because == "note-retruned")
    print(tried.kind == "conected", tried.channel == "fone")
    print(event.kind == "mised")

def of_agreements(rung: Rung, reason: Reason, rule: ScreenRule, clock: Clock, person: Person, test: Test) -> None:
    print(rung.do == "reasign")
    print(reason.then == "nurtur")
    print(reason.back_to == "same-repp")
    print(rule.then == "rout")
    print(clock.owed_by == "sails")
    print(person.role == "repp")
    print(test.operator == "at_lest")

def of_others(visit: Visit, follows: Consequence, signature: Signature, device: Device, sight: PageView, chore: PrefectChore) -> None:
    print(visit.level == "knwon")
    print(follows.event == "recyled")
    print(signature.party == "marketting")
    print(device.level == "knwon")
    print(sight.what == "loked")
    print(chore.kind == "inputs")

def of_functions(session: Session, handoff: Handoff, now: datetime) -> None:
    trail.record(session, "mised", now=now)
    handoffs.move(session, handoff, "asigned", now=now)
    wakes.add(session, 1, "undoo", key="", not_before=now)
    waits.NewWait("desicion", holder="ana", due_at=now)
    waits.NewAnswer("acepted", by="ana", via="links")
    handoffs.end_assignment(session, handoff, because="note-retruned", now=now)
"""
IMPORTS = """
from datetime import datetime
from sqlmodel import Session, select
from agreements.criteria import Test
from agreements.disposition import Consequence
from agreements.model import Clock, Reason, Rung, ScreenRule
from agreements.roster import Person
from storage import handoffs, trail, waits, wakes
from storage.deliveries import Copy, Message
from storage.tables import (
    Answer, AnswerState, Assignment, Delivery, Device, DigestItem, Dispute, Event, Handoff, PrefectChore, PageView, Signature,
    Touch, Wait, Wake,
)
from tasks.replies.link_page import Visit
"""


@pytest.mark.long
def test_mypy_finds_a_typo_in_every_vocabulary(tmp_path: Path) -> None:
    """Each line with a typo is an error, and no other line is."""
    code = IMPORTS + TYPOS
    (tmp_path / "typos.py").write_text(code, encoding="utf-8")
    wanted = {number for number, line in enumerate(code.splitlines(), start=1) if line.startswith("    print(") or _calls(line)}

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(tmp_path / "typos.py")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    found = {int(line.split(":")[1]) for line in done.stdout.splitlines() if "typos.py:" in line and ": error:" in line}
    assert found == wanted, done.stdout + done.stderr


def _calls(line: str) -> bool:
    return line.startswith(("    trail.", "    handoffs.", "    wakes.", "    waits."))
