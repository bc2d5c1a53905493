"""The people in a benchmark: leads who ask for a demo, and reps who answer by their links."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import httpx

from agreements.lead import IncomingLead
from app.demo.browser import read_page
from benchmarks.inquiry import demo_request
from storage import devices
from tasks import intake
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import Toolbox

_numbers = itertools.count(1)
#: The activity of a lead that qualifies by points, without asking for a call. Such a lead is in the normal tier.
BY_POINTS = "form_submitted"


def make_lead(**changes: object) -> IncomingLead:
    """Return a demo request by an operations leader: a hot lead that qualifies at once. Each one is another person."""
    number = next(_numbers)
    return demo_request(number, **{"source": "benchmark", "source_id": f"b{number}", **changes})


@dataclass(frozen=True, slots=True)
class Taken:
    """A stored lead."""

    lead_id: int
    handoff_id: int


def capture(box: Toolbox, **changes: object) -> Taken:
    """Store one inquiry in its own transaction."""
    incoming = make_lead(**changes)
    done = box.write_now(lambda session, now: intake.capture(session, incoming, now=now))
    assert done.handoff_id is not None, "a new person begins a handoff"
    return Taken(done.lead_id, done.handoff_id)


def answer(box: Toolbox, assignment_id: str, kind: str, **fields: str) -> bool:
    """Answer for the rep who has that assignment. Return whether the answer counts."""
    token = _token(box, assignment_id)
    return box.write_now(
        lambda session, now: answering.answer(session, OpenedLink(box, token), answering.SentForm(kind, fields), now=now)
    ).won


def _token(box: Toolbox, assignment_id: str) -> str:
    return box.links.for_tenure(assignment_id).rpartition("/")[2]


class Browser:
    """A rep's browser. Baton knows it already, so that one press of a button is an answer."""

    def __init__(self, box: Toolbox, web_url: str, rep: str) -> None:
        self.box, self.web_url, self.rep = box, web_url, rep
        self._client = httpx.Client(timeout=60)
        self._enrolled = False

    def open(self, assignment_id: str) -> tuple[str, dict[str, str]]:
        """Open the lead's page. Return its address and the values that its form sends unchanged."""
        url = f"{self.web_url}/l/{_token(self.box, assignment_id)}"
        shown = self._client.get(url).raise_for_status()
        if not self._enrolled:
            hash = devices.hash_of(self._client.cookies["baton_device"])
            self.box.write_now(lambda session, now: devices.remember(session, hash, self.rep, level=devices.ENROLLED, now=now))
            self._enrolled = True
        form = read_page(shown).form_with("choice")
        assert form is not None, f"the page of assignment {assignment_id} offers no answer"
        return url, form.values

    def press(self, url: str, values: dict[str, str], choice: str) -> None:
        """Send the form. Return when the page has answered, which it does after the commit. Raises where the answer does not count."""
        sent = self._client.post(url, data={**values, "choice": choice}, headers={"Referer": url})
        if sent.status_code != 303 or "?done=" not in sent.headers["location"]:
            raise RuntimeError(f"a press was answered with {sent.status_code} {sent.headers.get('location', '').partition('?')[2]}")

    def close(self) -> None:
        """Close the browser."""
        self._client.close()
