"""Chat: one address per person. A Slack app is spoken to as such, with buttons; every other service by Apprise."""

from __future__ import annotations

from agreements.errors import DeliveryError
from notifications.channels.by_apprise import schema_of, send_by_apprise
from notifications.channels.slack import is_slack
from notifications.letter import Channel, Letter
from notifications.rendering import one_line


class ChatChannel:
    """Sends the short form of letters to the person's own chat address, else to one for all.

    default_url: an Apprise URL for people without a chat address, "" for none. slack: for addresses like slack:U0123ABCD, None
    where no Slack app is set up.
    """

    may_bounce = False

    def __init__(self, name: str = "chat", default_url: str = "", slack: Channel | None = None) -> None:
        self.name, self.default_url, self._slack = name, default_url, slack

    async def send(self, letter: Letter) -> str:
        """Sends the short form once and returns what the service said.

        Raises: DeliveryError, permanent where there is no address, or none that can be used, or one for e-mail. It never
        holds the address, which may contain a secret.
        """
        url = letter.to.chat or self.default_url
        if not url:
            raise DeliveryError(self.name, f"{one_line(letter.to.name)[:80]} has no chat address", permanent=True)
        if not is_slack(url):
            return await send_by_apprise(self.name, url, key=letter.key, title=letter.subject, body=letter.chat)
        if self._slack is None:
            raise DeliveryError(self.name, "no Slack app is set up here: BATON_SLACK_TOKEN is empty", permanent=True)
        return await self._slack.send(letter)

    def lane(self, letter: Letter) -> str:
        """Which service a letter goes to: one that hangs holds up no other."""
        url = letter.to.chat or self.default_url
        return "slack-app" if is_slack(url) else schema_of(url)
