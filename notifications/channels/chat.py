"""Chat: one address per person. Slack ids go through the Slack app, with buttons, all other addresses through Apprise."""

from __future__ import annotations

from agreements.errors import DeliveryError, NoAddress
from notifications.channels.by_apprise import schema_of, send_by_apprise
from notifications.channels.slack_address import is_slack
from notifications.letter import Channel, Letter
from notifications.plain_text import one_line


class ChatChannel:
    """Sends the short form of letters to the person's chat address, or to the default one.

    default_url: an Apprise URL for people without a chat address, "" for none. slack: for addresses like slack:U0123ABCD, None
    where no Slack app is set up.
    """

    may_bounce = False
    read_by_people = True

    def __init__(self, name: str = "chat", default_url: str = "", slack: Channel | None = None) -> None:
        self.name, self.default_url, self._slack = name, default_url, slack

    async def send(self, letter: Letter) -> str:
        """Send the short form once and return the service's answer.

        Raises: DeliveryError, permanent where the address is missing, unusable or one for e-mail. The error never
        holds the address, because it may contain a secret.
        """
        url = letter.to.chat or self.default_url
        if not url:
            raise NoAddress(self.name, one_line(letter.to.name)[:80], "chat address")
        if not is_slack(url):
            return await send_by_apprise(self.name, url, key=letter.key, title=letter.subject, body=letter.chat)
        if self._slack is None:
            raise DeliveryError(self.name, "no Slack app is set up here: BATON_SLACK_TOKEN is empty", permanent=True)
        return await self._slack.send(letter)

    def lane(self, letter: Letter) -> str:
        """Return the service that a letter goes to, so that a service that hangs does not hold up the others."""
        url = letter.to.chat or self.default_url
        return "slack-app" if is_slack(url) else schema_of(url)
