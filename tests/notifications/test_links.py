"""Signed links and nonces: what was written is read, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agreements.errors import LinkInvalid
from notifications.links import Duty, Links, Own, Tenure, ToDispute, ToSign

OLD, NEW, FOREIGN = "old-key-of-this-house", "new-key-of-this-house", "key-of-another-house"
BASE = "https://baton.example/sales"
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
WAIT, ASSIGNMENT = "a41bd6f0c4544eb7b6ca64b1d2f7a9c2", "0d9c7ac9d0b54d0f8f3a7f6d1c2b3a49"
LINKS = Links([NEW], BASE)


def token_of(url: str) -> str:
    assert url.startswith(f"{BASE}/l/")
    return url.removeprefix(f"{BASE}/l/")


def test_a_link_says_whose_it_is() -> None:
    assert LINKS.read(token_of(LINKS.for_tenure(ASSIGNMENT))) == Tenure(ASSIGNMENT)
    assert LINKS.read(token_of(LINKS.for_duty(WAIT, "marta"))) == Duty(WAIT, "marta")


def test_a_link_is_the_same_each_time_and_short_enough_for_a_mail_line() -> None:
    assert LINKS.for_tenure(ASSIGNMENT) == Links([NEW], BASE + "/").for_tenure(ASSIGNMENT)
    assert len(token_of(LINKS.for_tenure(ASSIGNMENT))) < 100
    assert quote(LINKS.for_tenure(ASSIGNMENT), safe=":/") == LINKS.for_tenure(ASSIGNMENT)


@given(assignment=st.text(max_size=60), wait=st.text(max_size=30), person=st.text(max_size=30))
def test_any_id_comes_back(assignment: str, wait: str, person: str) -> None:
    assert LINKS.read(token_of(LINKS.for_tenure(assignment))) == Tenure(assignment)
    assert LINKS.read(token_of(LINKS.for_duty(wait, person))) == Duty(wait, person)


@given(at=st.integers(min_value=0), sign=st.sampled_from("Aa0_-.=/ é\x00"), duty=st.booleans())
def test_no_changed_sign_is_accepted(at: int, sign: str, duty: bool) -> None:
    token = token_of(LINKS.for_duty(WAIT, "marta") if duty else LINKS.for_tenure(ASSIGNMENT))
    at %= len(token)
    assume(token[at] != sign)
    with pytest.raises(LinkInvalid):
        LINKS.read(token[:at] + sign + token[at + 1 :])


@pytest.mark.parametrize("sign", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
def test_the_last_sign_has_one_value_only(sign: str) -> None:
    token = token_of(LINKS.for_tenure(ASSIGNMENT))
    if sign != token[-1]:
        with pytest.raises(LinkInvalid):
            LINKS.read(token[:-1] + sign)


def test_a_truncated_or_lengthened_link_is_invalid() -> None:
    token = token_of(LINKS.for_tenure(ASSIGNMENT))
    for wrong in [*(token[:length] for length in range(len(token))), token + "A", token + "=", token + ".", " " + token, token + "\n"]:
        with pytest.raises(LinkInvalid):
            LINKS.read(wrong)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "ü" * 40, "\udcff", "\x00", "." * 500, "A" * 100_000, "eyJ.eyJ.sig", "../../x"])
def test_nonsense_is_invalid(token: str) -> None:
    with pytest.raises(LinkInvalid):
        LINKS.read(token)


@given(answer=st.integers(min_value=0), person=st.text(max_size=60))
def test_a_link_to_a_dispute_says_of_which_answer_and_whose_it_is_and_is_good_for_nothing_else(answer: int, person: str) -> None:
    url = LINKS.for_dispute(answer, person)
    token = url.removeprefix(f"{BASE}/q/")

    assert LINKS.read_to_dispute(token) == ToDispute(answer, person)
    for read in (LINKS.read, LINKS.read_to_sign):
        with pytest.raises(LinkInvalid):
            read(token)
    with pytest.raises(LinkInvalid):
        LINKS.read_to_dispute(token_of(LINKS.for_tenure(ASSIGNMENT)))


TO_SIGN = ToSign("sales", "cro@northgate.example", "b2b-saas@3", "5b122b48" * 8)


def to_sign_token(asked: ToSign) -> str:
    url = LINKS.for_signature(asked)
    assert url.startswith(f"{BASE}/sign/")
    return url.removeprefix(f"{BASE}/sign/")


@given(address=st.text(max_size=100), reference=st.text(max_size=60))
def test_a_link_for_a_signature_says_what_is_to_be_signed_by_whom(address: str, reference: str) -> None:
    asked = ToSign("marketing", address, reference, TO_SIGN.hash)

    assert LINKS.read_to_sign(to_sign_token(asked)) == asked


def test_the_longest_address_and_name_fit_into_a_link() -> None:
    asked = ToSign("marketing", f"{'x' * 190}@y.example", f"{'n' * 80}@12345", TO_SIGN.hash)

    assert LINKS.read_to_sign(to_sign_token(asked)) == asked


@given(at=st.integers(min_value=0), sign=st.sampled_from("Aa0_-.=/ é\x00"))
def test_no_changed_sign_of_a_link_for_a_signature_is_accepted(at: int, sign: str) -> None:
    token = to_sign_token(TO_SIGN)
    at %= len(token)
    assume(token[at] != sign)
    with pytest.raises(LinkInvalid):
        LINKS.read_to_sign(token[:at] + sign + token[at + 1 :])


def test_a_link_of_one_kind_is_none_of_another() -> None:
    with pytest.raises(LinkInvalid):
        LINKS.read(to_sign_token(TO_SIGN))
    for url in (LINKS.for_tenure(ASSIGNMENT), LINKS.for_duty(WAIT, "marta")):
        with pytest.raises(LinkInvalid):
            LINKS.read_to_sign(token_of(url))
    assert not LINKS.check_nonce(to_sign_token(TO_SIGN), "token", "device", WAIT, now=NOON)


def test_another_houses_link_is_invalid() -> None:
    with pytest.raises(LinkInvalid):
        LINKS.read(token_of(Links([FOREIGN], BASE).for_tenure(ASSIGNMENT)))


def test_a_purpose_cannot_be_changed() -> None:
    nonce = LINKS.nonce("token", "device", WAIT, now=NOON)
    with pytest.raises(LinkInvalid):
        LINKS.read(nonce)
    for url in (LINKS.for_tenure(ASSIGNMENT), LINKS.for_duty(WAIT, "marta")):
        assert not LINKS.check_nonce(token_of(url), "token", "device", WAIT, now=NOON)


def test_keys_rotate_without_breaking_links_that_are_out() -> None:
    before, both = Links([OLD], BASE), Links([OLD, NEW], BASE)
    out = token_of(before.for_tenure(ASSIGNMENT))

    assert both.read(out) == Tenure(ASSIGNMENT)
    assert both.for_tenure(ASSIGNMENT) == LINKS.for_tenure(ASSIGNMENT) != before.for_tenure(ASSIGNMENT)
    with pytest.raises(LinkInvalid):
        LINKS.read(out)


@pytest.mark.parametrize("secrets", [[], [""], ["short"], [NEW, "short"], NEW])
def test_weak_keys_are_refused_at_once(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="keys of at least 16 characters"):
        Links(secrets, BASE)


@pytest.mark.parametrize("base", ["", "baton.example", "ftp://baton.example", "https://", "https://b.example/?x=1", "javascript:alert(1)"])
def test_a_base_that_is_no_address_is_refused_at_once(base: str) -> None:
    with pytest.raises(ValueError, match="https://host"):
        Links([NEW], base)


def test_an_id_too_long_to_be_read_again_is_not_written() -> None:
    with pytest.raises(ValueError, match="too long"):
        LINKS.for_duty(WAIT, "".join(map(chr, range(256, 800))))


def test_a_number_has_four_digits_and_is_that_of_what_the_link_means() -> None:
    tenure, duty = token_of(LINKS.for_tenure(ASSIGNMENT)), token_of(LINKS.for_duty(WAIT, "marta"))
    own = LINKS.for_person("marta").rpartition("/")[2]

    assert all(len(LINKS.number(token)) == 4 and LINKS.number(token).isdecimal() for token in (tenure, duty, own))
    assert LINKS.number(duty) == LINKS.number(own) == LINKS.number(token_of(LINKS.for_duty("another", "marta")))
    assert LINKS.is_number(tenure, LINKS.number(tenure))
    numbers = {LINKS.number(token_of(LINKS.for_tenure(str(one)))) for one in range(300)}
    assert len(numbers) > 280, "numbers of different links are different, as far as four digits go"


@pytest.mark.parametrize("typed", ["", "12", "abcd", "99999", "٤٨٢٧", "\udcff", "1" * 10_000])
def test_nonsense_is_no_number_and_no_code(typed: str) -> None:
    assert not LINKS.is_number(token_of(LINKS.for_tenure(ASSIGNMENT)), typed)
    assert not LINKS.is_code("device 1", typed)


def test_a_code_has_six_digits_and_is_good_for_its_subject_only() -> None:
    assert len(LINKS.code("device 1")) == 6
    assert LINKS.is_code("device 1", LINKS.code("device 1"))
    assert not LINKS.is_code("device 2", LINKS.code("device 1"))


def test_numbers_codes_and_nonces_that_are_out_survive_a_new_key() -> None:
    before, both, foreign = Links([OLD], BASE), Links([OLD, NEW], BASE), Links([FOREIGN], BASE)
    out, again = token_of(before.for_tenure(ASSIGNMENT)), token_of(both.for_tenure(ASSIGNMENT))

    assert before.number(out) != both.number(out) == both.number(again)
    for token in (out, again):
        assert both.is_number(token, before.number(out))
        assert both.is_number(token, both.number(again))
        assert not both.is_number(token, foreign.number(token_of(foreign.for_tenure(ASSIGNMENT))))
    assert both.is_code("device 1", before.code("device 1"))
    nonce = before.nonce(out, "device", "", now=NOON)
    assert both.nonce_age(nonce, out, "device", "", now=NOON + timedelta(seconds=1.5)) == timedelta(seconds=1.5)


def test_a_link_to_somebodys_own_page_is_of_its_own_kind() -> None:
    own = LINKS.for_person("marta").rpartition("/")[2]

    assert LINKS.for_person("marta").startswith(f"{BASE}/m/")
    assert LINKS.read_person(own) == Own("marta")
    with pytest.raises(LinkInvalid):
        LINKS.read(own)
    for token in (token_of(LINKS.for_tenure("marta")), token_of(LINKS.for_duty(WAIT, "marta")), "", "x"):
        with pytest.raises(LinkInvalid):
            LINKS.read_person(token)


def test_a_nonce_is_good_for_its_link_device_and_wait_only() -> None:
    nonce = LINKS.nonce("token", "device", "wait", now=NOON)

    assert LINKS.check_nonce(nonce, "token", "device", "wait", now=NOON + timedelta(minutes=5))
    for three in [("other", "device", "wait"), ("token", "other", "wait"), ("token", "device", "other"), ("tokend", "evice", "wait")]:
        assert not LINKS.check_nonce(nonce, *three, now=NOON)


def test_each_showing_has_its_own_nonce() -> None:
    assert LINKS.nonce("token", "device", "wait", now=NOON) != LINKS.nonce("token", "device", "wait", now=NOON)


@pytest.mark.parametrize(
    ("later", "good"),
    [
        (timedelta(0), True),
        (timedelta(hours=24), True),
        (timedelta(hours=24, seconds=1), False),
        (timedelta(seconds=-30), True),
        (timedelta(minutes=-2), False),
        (timedelta(days=4000), False),
    ],
)
def test_a_nonce_lives_for_a_day(later: timedelta, good: bool) -> None:
    nonce = LINKS.nonce("token", "device", "wait", now=NOON)
    assert LINKS.check_nonce(nonce, "token", "device", "wait", now=NOON + later) is good


def test_the_zone_of_now_makes_no_difference() -> None:
    nonce = LINKS.nonce("token", "device", "wait", now=NOON)
    elsewhere = (NOON + timedelta(hours=23)).astimezone(timezone(timedelta(hours=9)))
    assert LINKS.check_nonce(nonce, "token", "device", "wait", now=elsewhere)


def test_a_browser_without_its_cookie_gets_nowhere() -> None:
    with pytest.raises(ValueError, match="device"):
        LINKS.nonce("token", "", "wait", now=NOON)
    nonce = LINKS.nonce("token", "device", "wait", now=NOON)
    assert not LINKS.check_nonce(nonce, "token", "", "wait", now=NOON)


@pytest.mark.parametrize("nonce", ["", ".", "ü", "A" * 10_000, "\udcff"])
def test_a_forged_nonce_is_not_good(nonce: str) -> None:
    assert not LINKS.check_nonce(nonce, "token", "device", "wait", now=NOON)
    assert not LINKS.check_nonce(Links([FOREIGN], BASE).nonce("token", "device", "wait", now=NOON), "token", "device", "wait", now=NOON)


def test_a_naive_now_is_refused() -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(ValueError, match="zone"):
        LINKS.nonce("token", "device", "wait", now=naive)
    with pytest.raises(ValueError, match="zone"):
        LINKS.check_nonce(LINKS.nonce("token", "device", "wait", now=NOON), "token", "device", "wait", now=naive)


def test_the_path_of_a_link_is_one_part() -> None:
    assert urlsplit(LINKS.for_duty(WAIT, "marta")).path.count("/") == 3


def test_every_message_to_one_person_about_what_others_have_says_the_same_number() -> None:
    links = Links([OLD, NEW], BASE)
    urls = [
        links.for_person("maria"),
        links.for_duty(WAIT, "maria"),
        links.for_digest("maria", "2026-12-01"),
        links.for_dispute(7, "maria"),
    ]
    numbers = {links.number(url.rpartition("/")[2]) for url in urls}

    assert len(numbers) == 1
    assert numbers != {links.number(links.for_digest("ben", "2026-12-01").rpartition("/")[2])}
    with pytest.raises(LinkInvalid):
        links.number(to_sign_token(TO_SIGN))
