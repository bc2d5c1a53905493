"""The settings of an installation: environment variables, each with a default that works on one machine."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from agreements.errors import HandoffError
from tasks.wiring import secret_files


class KeysElsewhere(HandoffError):  # noqa: N818 - errors here are named as states
    """The keys are set by BATON_SECRETS. Write a new one behind them there, after a comma, and restart every part."""


class Settings(BaseSettings):
    """Every setting is an environment variable BATON_<NAME>.

    home: folder for everything that Baton keeps in files. database_url: SQLite in home, or postgresql://…. secrets: keys that sign links,
    oldest first, separated by commas. trail_key: key of the trail's hash chain. Baton makes both keys once and keeps them in home
    if they are not set. trail_mail_to: gets the head of that chain by e-mail each day; empty for no mail. undo_minutes: replaces
    the agreement's minutes. crm_url: which CRM, and where. crm_token, crm_token_file: its secret, read when needed.
    crm_poll_seconds: real seconds between two reads of the CRM. crm_people: reps
    read their tasks in the CRM, so a task there proves that the rep was told. feed_poll_minutes: time between two reads
    of a calendar feed. feed_days: how far ahead a feed is read. feed_private_hosts: hosts of feeds in the company's own network,
    separated by commas. prefect_ui_url: the address at which managers reach Prefect's own window; empty for no links to it.

    ses_topics: topics of Amazon SNS whose messages about e-mail count, separated by commas. ses_certificate_file: the certificate that
    signs them, instead of the one that Amazon names. sendgrid_key: SendGrid's verification key. mailgun_key: Mailgun's signing key.
    postmark_login: name:password of calls from Postmark. mailgun_key_file, postmark_login_file: files with the same.

    requests_per_key, requests_per_address, failures_per_address: the most in a minute for one web process, 0 for no limit.
    request_seconds: real seconds for a request's headers, and again for its body, 0 for no limit. trusted_proxies: addresses
    and networks whose X-Forwarded-For counts, separated by commas.
    """

    model_config = SettingsConfigDict(env_prefix="BATON_", extra="ignore")

    home: Path = Path("~/.baton")
    database_url: str = ""
    crm_url: str = "local:"
    crm_token: str = ""
    crm_token_file: str = ""
    crm_path: str = ""
    crm_people: bool = False
    crm_hook_secret: str = ""
    secrets: str = ""
    trail_key: str = ""
    trail_mail_to: str = Field(default="", pattern=r"^$|^[^@\s,]+@[^@\s,]+$", description="an e-mail address, or nothing")
    web_host: str = "127.0.0.1"
    web_port: int = 8787
    web_url: str = ""
    prefect_ui_url: str = Field(default="", pattern=r"^$|^https?://[^\s/]\S*$", description="an address that begins with http, or nothing")
    smtp_url: str = "smtp://127.0.0.1:1025"
    smtp_token_file: str = ""
    smtp_ca_file: str = ""
    mail_from: str = "Baton <baton@localhost>"
    bounce_address: str = ""
    ses_topics: str = ""
    ses_certificate_file: str = ""
    sendgrid_key: str = ""
    mailgun_key: str = ""
    mailgun_key_file: str = ""
    postmark_login: str = ""
    postmark_login_file: str = ""
    chat_url: str = ""
    slack_token: str = ""
    slack_signing_secret: str = ""
    slack_api_url: str = "https://slack.com/api/"
    sms_url: str = ""
    webhook_url: str = ""
    webhook_secret: str = ""
    nurture_url: str = ""
    nurture_secret: str = ""
    templates: str = ""
    work_pool: str = "baton"
    undo_minutes: float | None = Field(default=None, ge=0)
    crm_poll_seconds: float = Field(default=30, gt=0)
    feed_poll_minutes: float = Field(default=15, ge=1)
    feed_days: int = Field(default=90, ge=1, le=730)
    feed_private_hosts: str = ""
    tick_seconds: float = Field(default=1, gt=0)
    resume_at_once: int = Field(default=0, ge=0, description="0: one on SQLite, eight on PostgreSQL")
    attempts_at_once: int = Field(default=4, ge=1)
    requests_per_key: int = Field(default=600, ge=0)
    requests_per_address: int = Field(default=300, ge=0)
    failures_per_address: int = Field(default=20, ge=0)
    request_seconds: float = Field(default=10, ge=0)
    trusted_proxies: str = "127.0.0.1,::1"

    @property
    def folder(self) -> Path:
        """The absolute path of BATON_HOME; makes the folder if it is missing."""
        folder = self.home.expanduser().absolute()
        folder.mkdir(mode=secret_files.CLOSED_FOLDER, parents=True, exist_ok=True)
        return folder

    @property
    def database(self) -> str:
        """The application database's URL."""
        return self.database_url or f"sqlite:///{self.folder / 'baton.db'}"

    @property
    def public_url(self) -> str:
        """The base URL of Baton's pages, without a slash at the end."""
        return (self.web_url or f"http://{self.web_host}:{self.web_port}").rstrip("/")

    @property
    def prefect_window(self) -> str:
        """The address of Prefect's own window, without a slash at the end; empty if managers get no links to it."""
        return self.prefect_ui_url.rstrip("/")

    def signing_keys(self) -> list[str]:
        """The keys that sign links, oldest first."""
        given = [key.strip() for key in self.secrets.split(",") if key.strip()]
        return given or secret_files.kept(self.folder, "link-key").split()

    def rotate(self) -> int:
        """Adds a new signing key to those in home, and returns how many keys there are then.

        Links that were sent stay good: every kept key is accepted. Raises KeysElsewhere if the keys come from BATON_SECRETS.
        """
        if self.secrets.strip(", "):
            raise KeysElsewhere()
        path = self.folder / "link-key"
        with (self.folder / ".link-key.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two rotations at once lose no key: the second waits here
            keys = [*self.signing_keys(), secrets.token_urlsafe(32)]
            secret_files.write(self.folder / f".link-key.{os.getpid()}", "\n".join(keys) + "\n").replace(path)
        return len(keys)

    def person_key(self) -> bytes:
        """The key of the hashes by which Baton recognizes erased people. It is derived from the trail's key."""
        return hmac.new(self.seal_key(), b"erased people", hashlib.sha256).digest()

    def seal_key(self) -> bytes:
        """The key of the trail's hash chain."""
        return (self.trail_key or secret_files.kept(self.folder, "trail-key")).encode()
