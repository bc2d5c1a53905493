"""The people and teams: who may get leads, who decides, who is away when; a faulty file is refused and says where."""

from __future__ import annotations

from datetime import datetime

import pytest

from agreements.checks import problems_with_roster
from agreements.errors import RosterError
from agreements.loading import read_agreement
from agreements.roster import read_roster
from tests.agreements.tables import cases
from tests.conftest import AGREEMENT, ROSTER
from tests.present import the

EXAMPLE = read_roster(ROSTER)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def refused(text: str) -> str:
    with pytest.raises(RosterError) as error:
        read_roster(text)
    return str(error.value)


def changed(old: str, new: str) -> str:
    assert old in ROSTER
    return ROSTER.replace(old, new, 1)


def test_the_example_is_read() -> None:
    assert the(EXAMPLE.person("ana")).email == "ana@northgate.example"
    assert EXAMPLE.person("nobody") is None
    assert EXAMPLE.teams["emea"].manager == "maria"


def test_a_teams_reps_are_in_the_order_of_the_file_and_no_managers() -> None:
    assert EXAMPLE.reps_of("emea") == ["ana", "ben", "cleo", "emil"]
    assert EXAMPLE.reps_of("nowhere") == []


def test_everybody_has_somebody_who_decides_for_them() -> None:
    assert [EXAMPLE.manager_of(one) for one in ("ana", "dan", "dora", "nobody")] == ["maria", "marcus", "oscar", "oscar"]


def test_people_are_called_by_their_name_and_strangers_by_what_they_gave() -> None:
    assert (EXAMPLE.name_of("ana"), EXAMPLE.name_of("clock")) == ("Ana Silva", "clock")


@pytest.mark.parametrize(
    ("when", "away"),
    [
        ("2027-01-10T23:59:59+00:00", False),
        ("2027-01-11T00:00:00+00:00", True),
        ("2027-02-07T23:59:59+00:00", True),
        ("2027-02-08T00:00:00+00:00", False),
        ("2027-02-08T00:30:00+01:00", True),
    ],
)
def test_somebody_is_away_from_the_first_instant_until_the_last(when: str, away: bool) -> None:
    emil = EXAMPLE.people["emil"]

    assert emil.is_away(at(when)) is away
    assert emil.back_at(at(when)) == (at("2027-02-08T00:00:00+00:00") if away else at(when))


OVERLAPPING = "[{from: 2027-01-11T00:00:00Z, until: 2027-02-08T00:00:00Z}, {from: 2027-01-20T00:00:00Z, until: 2027-03-01T00:00:00Z}]"


def test_two_absences_at_once_are_refused() -> None:
    text = changed("[{from: 2027-01-11T00:00:00Z, until: 2027-02-08T00:00:00Z}]", OVERLAPPING)

    with pytest.raises(RosterError, match=r"people\.emil\.away\.1: overlaps the absence from 2027-01-11 00:00"):
        read_roster(text)


def test_of_two_absences_at_once_in_a_roster_that_is_loaded_the_longer_counts() -> None:
    text = changed("[{from: 2027-01-11T00:00:00Z, until: 2027-02-08T00:00:00Z}]", OVERLAPPING)

    emil = read_roster(text, loaded=True).people["emil"]

    assert emil.back_at(at("2027-02-01T00:00:00+00:00")) == at("2027-03-01T00:00:00+00:00")


@pytest.mark.parametrize("case", cases("broken_rosters.yaml"))
def test_a_faulty_roster_is_refused_and_says_where(case: dict[str, str]) -> None:
    assert case["said"] in refused(changed(case["for"], case["write"]))


@pytest.mark.parametrize(
    "text", ["", "just words", "- a\n- b\n", "teams: [", "\t", "people: {}\n", "a: !!python/name:os.system x", "a: \x07"], ids=ascii
)
def test_what_is_no_roster_is_refused_and_never_a_crash(text: str) -> None:
    assert refused(text)


def test_all_mistakes_are_told_at_once() -> None:
    text = changed("ana@northgate.example", "ana").replace("marketing: mina\n", "marketing: min\n")

    assert len(refused(text).splitlines()) == 2


@pytest.mark.timeout(120)  # it would fill the memory
def test_an_alias_bomb_is_refused_before_it_goes_off() -> None:
    bomb = "a: &a {x: 1, y: 2}\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} {{x: *{chr(97 + n)}, y: *{chr(97 + n)}}}\n" for n in range(24))

    assert "aliases" in refused(bomb)


def test_a_roster_nested_a_thousand_deep_is_refused() -> None:
    assert refused("a: " + "[" * 1000 + "]" * 1000)


def test_an_agreement_and_a_roster_that_fit_have_no_problems() -> None:
    assert problems_with_roster(read_agreement(AGREEMENT), EXAMPLE) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("- {team: emea}", "- {team: apac}", "routing.segments.1.team: there is no team 'apac' in the roster; it has emea, americas"),
        ("default_acceptor: dora", "default_acceptor: zoe", "routing.default_acceptor: nobody in the roster is called 'zoe'"),
    ],
)
def test_what_an_agreement_names_and_the_roster_has_not_is_told(old: str, new: str, said: str) -> None:
    agreement = read_agreement(AGREEMENT.replace(old, new))

    assert problems_with_roster(agreement, EXAMPLE) == [said]


def test_a_calendar_that_only_the_roster_knows_is_told() -> None:
    roster = read_roster(changed("capacity: 100", "calendar: paris"))

    assert problems_with_roster(read_agreement(AGREEMENT), roster) == ["people.dora.calendar: the agreement has no calendar 'paris'"]


SECOND_LEG = "legs: [sdr, {name: ae, segments: [{when: {country: GB}, team: closers}, {team: emea}]}]"


@pytest.mark.parametrize(
    ("agreement", "roster", "said"),
    [
        (("legs: [sdr]", SECOND_LEG), ("", ""), "legs.1.segments.0.team: there is no team 'closers' in the roster; it has emea, americas"),
        (
            ("everyone_away: hold", "everyone_away: on-call-or-hold\n  on_call: doras"),
            ("", ""),
            "routing.on_call: nobody in the roster is called 'doras'; did you mean 'dora'?",
        ),
        (
            ("", ""),
            ("team: americas, timezone: Europe/London}\n  faye", "role: operator, timezone: Europe/London}\n  faye"),
            "",
        ),
        (
            ("", ""),
            ("team: americas", "team: emea"),
            "teams.americas: nobody in this team is a rep, so all its leads go to the default acceptor; give it one",
        ),
    ],
    ids=["a team of a leg", "who is on call", "one rep is enough", "a team without reps"],
)
def test_everything_that_is_named_must_be_there(agreement: tuple[str, str], roster: tuple[str, str], said: str) -> None:
    people = read_roster(ROSTER.replace(*roster))

    found = problems_with_roster(read_agreement(AGREEMENT.replace(*agreement)), people)

    assert found == ([said] if said else [])


def test_a_manager_who_is_gone_is_told() -> None:
    without = EXAMPLE.model_copy(update={"people": {name: one for name, one in EXAMPLE.people.items() if name != "maria"}})

    [problem] = problems_with_roster(read_agreement(AGREEMENT), without)

    assert problem.startswith("teams.emea.manager: nobody in the roster is called 'maria'; name one of ana, ")


def with_mailbox(line: str) -> str:
    return changed("people:\n", f"people:\n  inbound: {{name: Inbound, email: inbound@northgate.example, {line}}}\n")


def test_a_mailbox_may_be_read_by_several() -> None:
    person = the(read_roster(with_mailbox("team: emea, shared: true, members: [ana, ben]")).person("inbound"))
    assert (person.shared, person.members) == (True, ("ana", "ben"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("shared: true", "people.inbound.members: a shared mailbox needs the ids of those who read it, such as [ana, ben]"),
        ("members: [ana]", "people.inbound.members: only a shared mailbox has members; write shared: true, or leave them out"),
        ("shared: true, members: [ana, zoe]", "people.inbound.members: 'zoe' is not somebody with the role rep"),
        ("shared: true, members: [maria]", "people.inbound.members: 'maria' is not somebody with the role rep"),
        ("shared: true, members: [inbound]", "people.inbound.members: 'inbound' is not somebody with the role rep"),
        ("role: operator, shared: true, members: [oscar]", "people.inbound.shared: an operator gets alarms and answers nothing"),
    ],
)
def test_a_mailbox_that_nobody_reads_is_refused(line: str, said: str) -> None:
    assert said in refused(with_mailbox(line))
