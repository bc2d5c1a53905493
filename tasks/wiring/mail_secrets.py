"""The secrets of mail providers, from settings. A setting that cannot be used is named before anything starts."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agreements.words import MailSource
from tasks.wiring.settings import Settings
from tasks.wiring.wrong_setting import WrongSetting

_SHORTEST = 16


@dataclass(frozen=True, slots=True)
class MailSecrets:
    """What proves that a call comes from a provider. providers: those that are set up. ses_certificate: a file, empty to fetch Amazon's.

    sendgrid: the public key, base64 of DER. mailgun: the signing key. postmark: name:password.
    """

    providers: tuple[MailSource, ...] = ()
    ses_topics: tuple[str, ...] = ()
    ses_certificate: str = ""
    sendgrid: str = ""
    mailgun: str = ""
    postmark: str = ""


def mail_secrets(settings: Settings) -> MailSecrets:
    """Return the secrets of the mail providers. Raises WrongSetting with every problem."""
    problems: list[str] = []

    def read(name: str, value: str, file: str, problem: Callable[[str], str]) -> str:
        if value and file:
            problems.append(f"{name} and {name}_FILE: set one of them")
            return ""
        try:
            found = Path(file).expanduser().read_text(encoding="utf-8").strip() if file else value.strip()
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{name}_FILE: the file cannot be read ({type(error).__name__})")
            return ""
        if file and not found:
            problems.append(f"{name}_FILE: the file is empty")
        elif found and (why := problem(found)):
            problems.append(f"{name}: {why}")
        return found

    topics = tuple(one.strip() for one in settings.ses_topics.split(",") if one.strip())
    if wrong := [one for one in topics if not (one.startswith("arn:") and one.count(":") == 5)]:
        problems.append(f"BATON_SES_TOPICS: {len(wrong)} of them is no topic; write arn:aws:sns:REGION:ACCOUNT:NAME, with commas between")
    if settings.ses_certificate_file and not Path(settings.ses_certificate_file).expanduser().is_file():
        problems.append("BATON_SES_CERTIFICATE_FILE: there is no such file")
    sendgrid = read("BATON_SENDGRID_KEY", settings.sendgrid_key, "", _no_public_key)
    mailgun = read("BATON_MAILGUN_KEY", settings.mailgun_key, settings.mailgun_key_file, _too_short)
    postmark = read("BATON_POSTMARK_LOGIN", settings.postmark_login, settings.postmark_login_file, _no_login)
    if problems:
        raise WrongSetting(problems)
    given: dict[MailSource, bool] = {
        "ses": bool(topics), "sendgrid": bool(sendgrid), "mailgun": bool(mailgun), "postmark": bool(postmark),
    }  # fmt: skip
    providers = tuple(name for name, there in given.items() if there)
    return MailSecrets(providers, topics, settings.ses_certificate_file, sendgrid, mailgun, postmark)


def _too_short(text: str) -> str:
    return "" if len(text) >= _SHORTEST else f"it is shorter than {_SHORTEST} characters; copy the whole signing key"


def _no_login(text: str) -> str:
    name, colon, password = text.partition(":")
    return (
        "" if name and colon and len(password) >= _SHORTEST else f"write name:password, with a password of {_SHORTEST} characters or more"
    )


def _no_public_key(text: str) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec  # imported here: few installations need it
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        fits = isinstance(load_der_public_key(b64decode(text, validate=True)), ec.EllipticCurvePublicKey)
    except (ValueError, binascii.Error):
        fits = False
    return "" if fits else "it is no verification key; copy the one that SendGrid shows beside the signed event webhook"
