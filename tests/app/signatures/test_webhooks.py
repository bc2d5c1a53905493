"""Signatures: what the vendors publish passes; one changed byte, an old time or a missing header does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace

import pytest

from app.signatures import webhooks, wrong
from app.signatures.webhooks import Plain, Scheme, SentRequest
from app.signatures.wrong import SignatureWrong

NOW = 1_790_000_000.0
_CLIENT = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
_EVENTS = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation",'
    b'"attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]'
)


def digest(secret: str, text: bytes) -> bytes:
    return hmac.new(secret.encode(), text, hashlib.sha256).digest()


class TestPublishedVectors:
    """Requests and signatures as the vendors publish them."""

    def test_hubspot_version_1(self) -> None:
        given = {"x-hubspot-signature": "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"}
        assert webhooks.check("hubspot-v1", SentRequest(_EVENTS, given), _CLIENT, now=NOW)

    @pytest.mark.parametrize(
        ("method", "body", "signature"),
        [
            ("GET", b"", "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"),
            ("POST", b'{"example_field":"example_value"}', "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900"),
        ],
    )
    def test_hubspot_version_2(self, method: str, body: bytes, signature: str) -> None:
        sent = SentRequest(body, {"x-hubspot-signature": signature}, "https://www.example.com/webhook_uri", method)
        assert webhooks.check("hubspot-v2", sent, _CLIENT, now=NOW)

    def test_hubspot_version_3(self) -> None:
        body = (
            b'[{"eventId":100,"subscriptionId":2439752,"portalId":8136442,"occurredAt":1704970386905,'
            b'"subscriptionType":"deal.propertyChange","attemptNumber":0,"objectId":123,"changeSource":"CRM",'
            b'"propertyName":"dealstage","propertyValue":"sample-value"}]'
        )
        headers = {
            "x-hubspot-signature-v3": "IirHW2rKOnmjwy3EF7Czp86mGntxQZVDVhKTlGj5jx8=",
            "x-hubspot-request-timestamp": "1704975585199",
        }
        sent = SentRequest(body, headers, "https://api.beta/webhooks")
        assert webhooks.check("hubspot-v3", sent, "3da21a3d-5964-494c-a638-c56abb76d825", now=1_704_975_600)

    def test_the_signature_that_facebook_and_github_share(self) -> None:
        given = {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
        assert webhooks.check("facebook", SentRequest(b"Hello, World!", given), "It's a Secret to Everybody", now=NOW)

    def test_hmac_of_rfc_4231(self) -> None:
        given = {"x-signature": "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843"}
        sent = SentRequest(b"what do ya want for nothing?", given)
        assert webhooks.check("hmac-sha256", sent, "Jefe", now=NOW)


def signed(scheme: Scheme, secret: str = "s3cret", at: float = NOW) -> SentRequest:
    """A request as this vendor signs it, by its documentation."""
    body, url = b'{"a": "\xc3\xa4"}', "https://baton.example/intake/x?from=a%20b"
    second, milli = str(int(at)), str(int(at * 1000))
    headers = {
        "hubspot-v1": {"x-hubspot-signature": hashlib.sha256(secret.encode() + body).hexdigest()},
        "hubspot-v2": {"x-hubspot-signature": hashlib.sha256(secret.encode() + b"POST" + url.encode() + body).hexdigest()},
        "hubspot-v3": {
            "x-hubspot-signature-v3": base64.b64encode(digest(secret, b"POST" + url.encode() + body + milli.encode())).decode(),
            "x-hubspot-request-timestamp": milli,
        },
        "typeform": {"typeform-signature": "sha256=" + base64.b64encode(digest(secret, body)).decode()},
        "facebook": {"x-hub-signature-256": "sha256=" + digest(secret, body).hex()},
        "linkedin": {"x-li-signature": digest(secret, b"hmacsha256=" + body).hex()},
        "calendly": {"calendly-webhook-signature": f"t={second},v1={digest(secret, second.encode() + b'.' + body).hex()}"},
        "hmac-sha256": {"x-signature": digest(secret, body).hex()},
    }[scheme]
    return SentRequest(body, headers, url)


SCHEMES: list[Scheme] = ["hubspot-v1", "hubspot-v2", "hubspot-v3", "typeform", "facebook", "linkedin", "calendly", "hmac-sha256"]
TIMED: list[tuple[Scheme, float]] = [("hubspot-v3", 300), ("calendly", 180)]


@pytest.mark.parametrize("scheme", SCHEMES)
class TestEachVendor:
    def test_what_is_signed_rightly_passes_and_has_one_mark(self, scheme: Scheme) -> None:
        marks = {webhooks.check(scheme, signed(scheme), "s3cret", now=NOW) for _ in range(2)}
        assert len(marks) == 1
        assert "s3cret" not in marks.pop()

    def test_one_changed_byte_does_not_pass(self, scheme: Scheme) -> None:
        sent = signed(scheme)
        for place in range(len(sent.body)):
            changed = bytearray(sent.body)
            changed[place] ^= 1
            with pytest.raises(SignatureWrong):
                webhooks.check(scheme, replace(sent, body=bytes(changed)), "s3cret", now=NOW)

    def test_one_changed_character_of_a_header_does_not_pass(self, scheme: Scheme) -> None:
        sent = signed(scheme)
        for name, value in sent.headers.items():
            for place in (0, len(value) // 2, len(value) - 1 - value.endswith("=")):
                other = "0" if value[place] != "0" else "1"
                changed = {**sent.headers, name: value[:place] + other + value[place + 1 :]}
                with pytest.raises(SignatureWrong):
                    webhooks.check(scheme, replace(sent, headers=changed), "s3cret", now=NOW)

    @pytest.mark.parametrize("secret", ["", "s3cre", "s3cret ", "S3CRET", "\u00e9"])
    def test_another_secret_does_not_pass(self, scheme: Scheme, secret: str) -> None:
        with pytest.raises(SignatureWrong):
            webhooks.check(scheme, signed(scheme), secret, now=NOW)

    @pytest.mark.parametrize("value", [None, "", " ", "sha256=", "\u00e9", "t=1,v1=", "x" * 5000])
    def test_no_signature_or_none_at_all_does_not_pass(self, scheme: Scheme, value: str | None) -> None:
        sent = signed(scheme)
        name = next(iter(sent.headers))
        headers = {**sent.headers, name: value} if value is not None else {}
        with pytest.raises(SignatureWrong):
            webhooks.check(scheme, replace(sent, headers=headers), "s3cret", now=NOW)


@pytest.mark.parametrize(("scheme", "window"), TIMED)
class TestSignedTimes:
    @pytest.mark.parametrize("share", [-0.99, 0, 0.99])
    def test_within_the_window_it_passes(self, scheme: Scheme, window: float, share: float) -> None:
        assert webhooks.check(scheme, signed(scheme), "s3cret", now=NOW + share * window)

    @pytest.mark.parametrize("share", [-1.01, 1.01, 100])
    def test_an_old_time_or_one_ahead_does_not_pass(self, scheme: Scheme, window: float, share: float) -> None:
        with pytest.raises(SignatureWrong, match="too old"):
            webhooks.check(scheme, signed(scheme), "s3cret", now=NOW + share * window)


class TestDetails:
    @pytest.mark.parametrize(
        ("sent", "signed"),
        [
            ("https://b.example/x?a=%3A%2F%3F%40", "https://b.example/x?a=:/?@"),
            ("https://b.example/x?a=%21%24%27%28%29%2a%2C%3b", "https://b.example/x?a=!$'()*,;"),
            ("https://b.example/x?a=%20%25%26%2B%C3%A4", "https://b.example/x?a=%20%25%26%2B%C3%A4"),
            ("https://b.example/x?a=%3", "https://b.example/x?a=%3"),
        ],
    )
    def test_hubspot_signs_some_characters_of_the_address_decoded(self, sent: str, signed: str) -> None:
        assert webhooks.as_hubspot_signs(sent) == signed

    @pytest.mark.parametrize("written", ["", "soon", "-1", "1.5e9", "9" * 40, "\u0661"])
    def test_a_time_that_is_no_number_does_not_pass(self, written: str) -> None:
        headers = {"calendly-webhook-signature": f"t={written},v1=00"}
        with pytest.raises(SignatureWrong, match="no number"):
            webhooks.check("calendly", SentRequest(b"", headers), "s3cret", now=NOW)

    def test_linkedin_may_write_its_prefix_before_the_signature(self) -> None:
        sent = signed("linkedin")
        prefixed = {"x-li-signature": "hmacsha256=" + sent.headers["x-li-signature"]}
        assert webhooks.check("linkedin", replace(sent, headers=prefixed), "s3cret", now=NOW)

    def test_while_calendly_changes_its_key_one_of_two_signatures_is_enough(self) -> None:
        sent = signed("calendly")
        time, right = sent.headers["calendly-webhook-signature"].split(",")
        both = {"calendly-webhook-signature": f"{time},v1={'0' * 64},{right}"}
        assert webhooks.check("calendly", replace(sent, headers=both), "s3cret", now=NOW)

    @pytest.mark.parametrize(("encoding", "prefix"), [("hex", ""), ("hex", "sha256="), ("base64", ""), ("base64", "v1,")])
    def test_another_sender_signs_as_its_map_says(self, encoding: webhooks.Encoding, prefix: str) -> None:
        how = Plain(header="X-Firm-Sign", encoding=encoding, prefix=prefix, timestamp_header="X-Firm-Time")
        found = digest("s3cret", b"1790000000.{}")
        value = prefix + (found.hex() if encoding == "hex" else base64.b64encode(found).decode())
        sent = SentRequest(b"{}", {"x-firm-sign": value, "x-firm-time": "1790000000"})

        assert webhooks.check("hmac-sha256", sent, "s3cret", now=NOW, plain=how)
        with pytest.raises(SignatureWrong, match="too old"):
            webhooks.check("hmac-sha256", sent, "s3cret", now=NOW + 301, plain=how)

    def test_the_answer_to_linkedins_challenge_is_signed(self) -> None:
        code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
        assert webhooks.linkedin_response(code, "s3cret") == digest("s3cret", code.encode()).hex()

    def test_nothing_is_like_an_empty_word(self) -> None:
        assert [wrong.is_same(*pair) for pair in (("a", "a"), ("a", "b"), ("", ""), ("a", ""), ("", "a"))] == [True] + [False] * 4
