"""Text messages: the person's phone number is put into the Apprise URL of the service that sends them."""

from __future__ import annotations

from urllib.parse import quote

from agreements.errors import DeliveryError, NoAddress
from notifications.channels.by_apprise import send_by_apprise, why_unusable
from notifications.letter import Letter
from notifications.plain_text import one_line, tel

PLACE = "{phone}"


class SmsChannel:
    """Sends subject and link to the person's phone. url: an Apprise URL with {phone} in place of the number.

    Raises: ValueError where {phone} is missing or Apprise cannot use the URL. The error never holds the URL.
    """

    may_bounce = False
    read_by_people = True

    def __init__(self, url: str, name: str = "sms") -> None:
        self.name, self._url = name, url
        if PLACE not in url:
            raise ValueError("write {phone} where the number goes, as in twilio://SID:TOKEN@FROM/{phone}")
        if why := why_unusable(_filled(url, "+15550100199")):
            raise ValueError(f"it {why}" if why.startswith("is ") else why)

    async def send(self, letter: Letter) -> str:
        """Send the letter once and return "apprise: <schema> accepted".

        Raises: DeliveryError, permanent where the person has no readable phone number.
        """
        number = tel(letter.to.phone).removeprefix("tel:")
        if not number:
            who = one_line(letter.to.name)[:80]
            if not letter.to.phone:
                raise NoAddress(self.name, who, "phone number")
            raise DeliveryError(self.name, f"the phone number of {who} cannot be read", permanent=True)
        body = "\n".join(filter(None, (letter.subject, letter.link)))
        return await send_by_apprise(self.name, _filled(self._url, number), key=letter.key, title="", body=body)


def _filled(url: str, number: str) -> str:
    return url.replace(PLACE, quote(number, safe=""))
