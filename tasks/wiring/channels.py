"""The channels of this installation, from its settings. A setting that cannot be used is named before anything starts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from agreements.words import ChannelName, MailSource
from notifications.channels.by_apprise import why_unusable
from notifications.channels.chat import ChatChannel
from notifications.channels.crm import CrmChannel, TakesAssignments
from notifications.channels.email import EmailChannel, SmtpServer, trusting
from notifications.channels.mail_message import sender_of, split_address
from notifications.channels.slack import SlackApi, SlackChannel
from notifications.channels.sms import SmsChannel
from notifications.channels.webhook import WebhookChannel
from notifications.circuit_breaker import CircuitBreaker
from notifications.letter import Channel
from tasks.wiring.mail_secrets import mail_secrets
from tasks.wiring.settings import Settings
from tasks.wiring.wrong_setting import WrongSetting


def wire_channels(settings: Settings, crm: TakesAssignments) -> dict[ChannelName, Channel]:
    """Return every channel that is set up, each behind its own circuit breaker. Raises WrongSetting with every problem."""
    made, problems = _made(settings)
    if problems:
        raise WrongSetting(problems)
    channels: dict[ChannelName, Channel] = {"crm": CircuitBreaker(CrmChannel(crm))}
    for name, channel in made.items():
        channels[name] = CircuitBreaker(channel, lane=channel.lane) if isinstance(channel, ChatChannel) else CircuitBreaker(channel)
    return {**channels, "manager-email": channels["email"]}


def problems_of(settings: Settings) -> list[str]:
    """Return the settings that cannot be used, each with what to write instead; no value is shown."""
    return _made(settings)[1]


def slack_api(settings: Settings) -> SlackApi | None:
    """The Slack app of this installation, None where there is none. Raises ValueError for a setting that cannot be used."""
    return SlackApi(settings.slack_token, url=settings.slack_api_url) if settings.slack_token else None


def _made(settings: Settings) -> tuple[Mapping[ChannelName, Channel], list[str]]:
    """Every channel except the CRM: those that could be made, and the problems with the rest."""
    made: dict[ChannelName, Channel] = {}
    problems: list[str] = []

    @contextmanager
    def named(setting: str) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            problems.append(f"{setting}: {error}")

    with named("BATON_MAIL_FROM"):
        sender_of(settings.mail_from)
    try:
        echoes = mail_secrets(settings).providers
    except WrongSetting as wrong:
        problems += wrong.problems
        echoes = ()
    if settings.bounce_address:
        with named("BATON_BOUNCE_ADDRESS"):
            split_address(settings.bounce_address)
    with named("BATON_SMTP_CA_FILE"):
        trusting(settings.smtp_ca_file)
    if not problems:
        with named("BATON_SMTP_URL"):
            made["email"] = _email(settings, echoes)
    with named("BATON_SLACK_TOKEN"):
        made["chat"] = _chat(settings)
    if settings.chat_url and (why := why_unusable(settings.chat_url)):
        problems.append(f"BATON_CHAT_URL: {why}; write one such as slack://TOKEN_A/TOKEN_B/TOKEN_C")
    if settings.sms_url:
        with named("BATON_SMS_URL"):
            made["sms"] = SmsChannel(settings.sms_url)
    if settings.webhook_url:
        with named("BATON_WEBHOOK_URL or BATON_WEBHOOK_SECRET"):
            made["webhook"] = WebhookChannel(settings.webhook_url, settings.webhook_secret)
    return made, problems


def _email(settings: Settings, echoes: Collection[MailSource]) -> EmailChannel:
    server = SmtpServer.from_url(settings.smtp_url, token_file=settings.smtp_token_file, ca_file=settings.smtp_ca_file)
    return EmailChannel(server, sender=settings.mail_from, bounces=settings.bounce_address, echoes=echoes)


def _chat(settings: Settings) -> ChatChannel:
    if settings.slack_token and not settings.slack_signing_secret:
        raise ValueError("set BATON_SLACK_SIGNING_SECRET too, or nobody can press the buttons")
    api = slack_api(settings)
    return ChatChannel(default_url=settings.chat_url, slack=SlackChannel(api) if api else None)
