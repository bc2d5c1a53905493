"""What a template of the company cannot do: reach anything but its message, or go on for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifications.letter import Context, LeadView, Recipient
from notifications.rendering import render
from notifications.sandbox import WORK_MAX

CONTEXT = Context(Recipient("ana", "Ana"), LeadView(7, "Harbour", "Lee Ray", criteria=(("rule", "value", 3),)), extra={"a": "b"})
LONG = "{% set ns = namespace(x='x' * 1000) %}"


def fault(folder: Path, template: str, file: str = "subject.txt") -> str:
    """What is said of this template; everything of the message is written all the same."""
    (folder / "told").mkdir()
    (folder / "told" / file).write_text(template)
    letter = render("told", CONTEXT, key="k", folder=folder)
    assert letter.subject == render("told", CONTEXT, key="k").subject
    assert "Harbour" in letter.text
    return "\n".join(map(str, letter.faults))


@pytest.mark.parametrize(
    "template",
    [
        "{{ lead.__class__.__mro__[1].__subclasses__() }}",
        "{{ lead['__class__'] }}",
        "{{ lead|attr('__class__') }}",
        "{{ lead.title.__func__.__globals__ }}",
        "{{ to.__init__.__globals__ }}",
        "{{ ''.__class__ }}",
        "{{ '{0.__class__}'.format(lead) }}",
        "{{ '{a.__class__}'.format_map({'a': lead}) }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ (lead.score).to_bytes(9) }}",
        "{{ extra.update({'a': 'c'}) }}",
        "{{ lead.criteria.append(1) }}",
        "{% set lead.company = 'Other' %}",
        "{{ open('/etc/passwd').read() }}",
        "{{ lipsum(5) }}",
        "{% include '/etc/passwd' %}",
        "{% include '../../rendering.py' %}",
        "{% import 'os' as os %}",
        "{% import 'told/../../letter.py' as other %}",
        "{{ 'www.evil.example'|urlize }}",
        "{% do 1 %}",
        "{% debug %}",
    ],
)
def test_a_template_reaches_nothing_but_its_message(tmp_path: Path, template: str) -> None:
    assert fault(tmp_path, template).startswith("told/subject.txt: ")


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "{% for a in range(10**9) %}{% endfor %}",
        "{% for a in 'x' * 9**9 %}{% endfor %}",
        "{{ 'x' * 10**9 }}",
        "{{ [1] * 10**9 }}",
        "{{ 10**9 * 'x' }}",
        "{{ 9**9**9 }}",
        "{{ 9**9**9**9 }}",
        "{{ 'x'.center(10**9) }}",
        "{{ 'x'.ljust(10**9) }}",
        "{{ 'x'|center(10**9) }}",
        "{{ 'x'|indent(10**9) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '%999999999d'|format(1) }}",
        "{{ '%*d'|format(999999999, 1) }}",
        "{{ '{:999999999d}'.format(1) }}",
        LONG + "{% for a in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        LONG + "{% for a in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        LONG + "{% for a in range(99) %}{% set ns.x = [ns.x, ns.x]|join %}{% endfor %}",
        LONG + "{% for a in range(99) %}{% set ns.x = ns.x|replace('x', ns.x) %}{% endfor %}",
        LONG + "{% for a in range(99) %}{% set ns.x %}{{ ns.x }}{{ ns.x }}{% endset %}{% endfor %}",
        "{% set ns = namespace(x=9) %}{% for a in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}",
        "{% for a in range(9999) %}" + "y" * 1000 + "{% endfor %}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for a in range(9) recursive %}{{ loop(range(9999)) }}{% endfor %}",
        "{% include 'told/subject.txt' %}",
        "{% set n = (n|default(0)) + 1 %}{% if n < 60 %}{% include 'told/subject.txt' %}{% include 'told/subject.txt' %}{% endif %}",
        "{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}",
        "{% extends 'told/subject.txt' %}",
    ],
)
def test_a_template_ends_and_makes_no_endless_text(tmp_path: Path, template: str) -> None:
    assert fault(tmp_path, template).startswith("told/subject.txt: ")


def test_what_a_message_needs_is_far_below_the_limit(tmp_path: Path) -> None:
    """A long message of one's own: a thousand rows with a text in each."""
    row = "{% for a in range(1000) %}<tr><td>{{ a }}</td><td>{{ lead.company|upper ~ ' ' ~ lead.person }}</td></tr>{% endfor %}"
    (tmp_path / "told").mkdir()
    (tmp_path / "told" / "body.html").write_text(row)

    letter = render("told", CONTEXT, key="k", folder=tmp_path)

    assert letter.faults == ()
    assert letter.html.count("<tr>") == 1000
    assert WORK_MAX > 100_000


def test_a_text_of_a_lead_is_escaped_in_html_also_in_a_template_of_the_company(tmp_path: Path) -> None:
    (tmp_path / "told").mkdir()
    (tmp_path / "told" / "body.html").write_text("<p>{{ lead.company ~ '!' }} {% set a %}{{ lead.company }}{% endset %}{{ a }}</p>")
    context = Context(CONTEXT.to, LeadView(7, "<b>&", ""))

    assert render("told", context, key="k", folder=tmp_path).html == "<p>&lt;b&gt;&amp;! &lt;b&gt;&amp;</p>"
