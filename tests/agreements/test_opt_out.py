"""How a refusal is told, and what an entry of the do-not-contact list is."""

from __future__ import annotations

import pytest

from agreements.opt_out import channel_of, dialled_key, phone_key, read_entry, refused_by
from agreements.words import OptOutChannel
from tests.fakes import make_lead


@pytest.mark.parametrize(
    ("activity", "flag", "refused"),
    [
        ("demo_requested", False, ""),
        ("demo_requested", True, "all"),
        ("unsubscribed", False, "all"),
        ("Opt-Out", False, "all"),
        ("do not contact", False, "all"),
        ("do_not_call", False, "phone"),
        ("email_opt_out", False, "email"),
        ("do_not_call", True, "all"),
        ("unsubscribed_page_viewed", False, ""),
    ],
)
def test_what_an_inquiry_refuses(activity: str, flag: bool, refused: str) -> None:
    assert refused_by(make_lead(activity=activity, do_not_contact=flag)) == refused


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        (" Lee+news@Harbour.Example ", "lee@harbour.example", "address"),
        ("Harbour.example", "harbour.example", "domain"),
        ("@harbour.example", "harbour.example", "domain"),
        ("+44 (0)20 7946-0101", "442079460101", "phone"),
        ("0049 30 123456", "4930123456", "phone"),
    ],
)
def test_an_entry_is_an_address_a_domain_or_a_number(text: str, value: str, kind: str) -> None:
    found = read_entry(text)

    assert (found.value, found.kind) == (value, kind)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no address, domain or phone number"),
        ("lee", "no address, domain or phone number"),
        ("lee@harbour", "no e-mail address"),
        ("lee@@harbour.example", "no e-mail address"),
        ("020 7946 0101", "with its country code"),
        ("+44", "with its country code"),
        ("+44 20 7946 0101 0202 0303 0404", "with its country code"),
        ("1.2E+15", "no address, domain or phone number"),
        ("-harbour.example", "no address, domain or phone number"),
        ("Lee <lee@harbour.example>", "no e-mail address"),
    ],
)
def test_what_is_no_entry_is_refused_with_the_remedy(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_entry(text)


@pytest.mark.parametrize(
    ("text", "channel", "fits"),
    [
        ("lee@harbour.example", "phone", True),
        ("lee@harbour.example", "email", True),
        ("harbour.example", "email", True),
        ("harbour.example", "phone", False),
        ("+44 20 7946 0101", "phone", True),
        ("+44 20 7946 0101", "email", False),
    ],
)
def test_an_entry_refuses_only_a_channel_that_it_has(text: str, channel: OptOutChannel, fits: bool) -> None:
    if fits:
        assert channel_of(read_entry(text), channel) == channel
    else:
        with pytest.raises(ValueError, match="says nothing about"):
            channel_of(read_entry(text), channel)


@pytest.mark.parametrize("written", ["+44 20 7946 0101", "0044 20 79460101", "+44-20-7946.0101", "44 20 7946 0101"])
def test_a_number_is_the_same_in_every_way_of_writing_it(written: str) -> None:
    assert phone_key(written) == "442079460101"


@pytest.mark.parametrize(
    ("written", "country", "key"),
    [
        ("+44 20 7946 0101", "", "442079460101"),
        ("+44 (0)20 7946 0101", "US", "442079460101"),
        ("0044 20 7946 0101", "", "442079460101"),
        ("020 7946 0101", "GB", "442079460101"),
        ("(415) 555-2671", "US", "14155552671"),
        ("030 123456", "DE", "4930123456"),
        ("011 44 20 7946 0101", "US", "442079460101"),
        ("06 12 34 56 78", "FR", "33612345678"),
        ("06 1234 5678", "IT", "390612345678"),
        ("020 7946 0101", "", ""),
        ("020 7946 0101", "Britain", ""),
        ("12", "GB", ""),
        ("+999 123456789", "", ""),
        ("call me", "GB", ""),
        ("", "GB", ""),
    ],
)
def test_a_number_is_compared_as_one_dials_it_from_abroad(written: str, country: str, key: str) -> None:
    assert dialled_key(written, country) == key
