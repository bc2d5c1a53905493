"""What a template of the company cannot do: reach anything but its message, or go on for ever."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from notifications.letter import Context, LeadView, Recipient
from notifications.rendering import render
from notifications.sandbox import WORK_MAX
from tests.examples import spread

CONTEXT = Context(Recipient("ana", "Ana"), LeadView(7, "Harbour", "Lee Ray", criteria=(("rule", "value", 3),)), extra={"a": "b"})
DOUBLED = "{% set ns = namespace(x=1) %}{% for a in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"
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


#: Templates that would take for ever or make a text without end. The second one takes the longest.
ENDLESS = [
    "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
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
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% for a in range(9) recursive %}{{ loop(range(9999)) }}{% endfor %}",
    "{% include 'told/subject.txt' %}",
    "{% set n = (n|default(0)) + 1 %}{% if n < 60 %}{% include 'told/subject.txt' %}{% include 'told/subject.txt' %}{% endif %}",
    "{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}",
    "{% extends 'told/subject.txt' %}",
    "{{ range(9999)|join('y' * 100000) }}",
    "{{ ([1] * 50000)|join('y' * 50000) }}",
    "{{ [['y' * 50000] * 9999]|map('join')|list|length }}",
    "{{ ('%(a)s' * 5000)|format(a='y' * 50000) }}",
    "{{ ('%(a)s' * 5000) % {'a': 'y' * 50000} }}",
    "{{ ('%s' * 900) % (('y' * 90000,) * 900) }}",
    "{{ ([[1] * 9999] * 9999)|sum(start=[]) }}",
    "{{ 1|round(10**9, 'floor') }}",
    "{{ 1|round(precision=-10**9, method='ceil') }}",
    DOUBLED + "{{ ns.x }}",
    DOUBLED + "{{ ns.x|string }}",
    DOUBLED + "{{ ns.x ~ '' }}",
    DOUBLED + "{{ ns.x|upper }}",
    DOUBLED + "{{ '%s' % ns.x }}",
    DOUBLED + "{{ '%s' % (ns.x,) }}",
    DOUBLED + DOUBLED.replace("ns", "nt") + "{% if ns.x == nt.x %}{% endif %}",
    DOUBLED.replace("[ns.x, ns.x]", "dict(a=ns.x, b=ns.x)") + "{{ ns.x }}",
    DOUBLED.replace("[ns.x, ns.x]", "(ns.x, ns.x)") + "{{ ns.x }}",
    DOUBLED.replace("[ns.x, ns.x]", "{1: ns.x, 2: ns.x}") + "{{ ns.x }}",
    DOUBLED.replace("[ns.x, ns.x]", "namespace(a=ns.x, b=ns.x)") + "{{ ns.x }}",
    "{% set a = namespace() %}{% set a.x = [a, a] %}{{ a }}",
    "{% set s = 'y' * 100000 %}{% set z %}{% for a in range(9999) %}{{ s }}{% endfor %}{% endset %}",
    "{% set z %}{% for a in range(9999) %}" + "y" * 100_000 + "{% endfor %}{% endset %}",
    "{% set z %}{% for a in range(9999) %}{{ '" + "y" * 100_000 + "' }}{% endfor %}{% endset %}",
    "{% filter upper %}{% for a in range(9999) %}" + "y" * 100_000 + "{% endfor %}{% endfilter %}",
    "{% macro m() %}{% for a in range(9999) %}" + "y" * 100_000 + "{% endfor %}{% endmacro %}{{ m()|length }}",
    "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "{% if 1 %}" * 2_000 + "{% endif %}" * 2_000,
    "y" * 600_000,
]


@pytest.mark.parametrize("template", spread(ENDLESS, one_in=4))
def test_a_template_ends_and_makes_no_endless_text(tmp_path: Path, template: str) -> None:
    tracemalloc.start()
    try:
        assert fault(tmp_path, template).startswith("told/subject.txt: ")
        assert tracemalloc.get_traced_memory()[1] < 100_000_000, "nor on its way, before it is refused"
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ ['a', 'b']|join(', ') }}", "a, b"),
        ("{{ ['a', 'b']|map('upper')|join }}", "AB"),
        ("{{ lead.criteria|map(attribute=0)|join('/') }}", "rule"),
        ("{{ 'aXb'|replace('X', '-') }}", "a-b"),
        ("{{ 'aXbX'|replace(old='X', new='-', count=1) }}", "a-bX"),
        ("{{ '%s of %d'|format('a', 3) }}", "a of 3"),
        ("{{ '%(a)s'|format(a='b') }} {{ '%s' % 'c' }} {{ '%s%s' % ('d', 'e') }}", "b c de"),
        ("{{ [1, 2, 3]|sum }} {{ 2.567|round(1) }} {{ [1, 2]|length }} {{ (1, 2)[1] }} {{ {'a': 4}['a'] }}", "6 2.6 2 2 4"),
        ("{% for a, b in [(1, 2), (3, 4)] %}{{ a }}{{ b }}{% endfor %}", "1234"),
        ("{% set a, b = 1, 2 %}{{ b ~ a }} {{ none is none }} {{ [1, 'x'] }}", "21 True [1, 'x']"),
    ],
)
def test_what_a_message_needs_is_written_as_always(tmp_path: Path, template: str, said: str) -> None:
    (tmp_path / "told").mkdir()
    (tmp_path / "told" / "subject.txt").write_text(template)

    letter = render("told", CONTEXT, key="k", folder=tmp_path)

    assert (letter.subject, letter.faults) == (said, ())


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
