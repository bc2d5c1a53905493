"""Taking in leads: no lead is compared with all others."""

from __future__ import annotations

import httpx

from app.web.site import create_site
from storage import handoffs, keys
from storage.keys import Scope
from tasks.wiring.toolbox import Toolbox
from tests.patience import PATIENCE_SECONDS
from tests.present import the
from tests.stage import capture
from tests.storage.budgets.measuring import assert_at_most, assert_no_scan, from_5_to_25
from tests.storage.plans import Work, recorded

#: Taking in: a new lead, something more of a known one, a known person under a new id or at another company, and one who
#: comes back after the end. One of them is the lock that PostgreSQL needs, one asks whether the person was erased.
CAPTURE_NEW, CAPTURE_MORE, CAPTURE_SAME_PERSON, CAPTURE_MOVED, CAPTURE_CAME_BACK = 23, 14, 23, 33, 27
#: The same for a new lead at the API: the key is looked up once a request. And each further lead of a batch.
SENT_NEW, SENT_IN_BATCH = CAPTURE_NEW + 1, CAPTURE_NEW


async def test_taking_in_does_not_look_at_other_leads(box: Toolbox) -> None:
    with recorded(box.database) as new:
        taken = capture(box)
    known = {"source_id": taken.source_id, "email": taken.incoming.email}
    with recorded(box.database) as more:
        capture(box, conversion_id="more", **known)
    with recorded(box.database) as same_person:
        capture(box, email=taken.incoming.email)
    other = capture(box)
    with recorded(box.database) as moved:
        capture(box, conversion_id="moved", source_id=other.source_id, email="lee@quay.example", company="Quay")
    box.write_now(lambda session, now: handoffs.move(session, the(handoffs.latest_of(session, taken.lead_id)), "disqualified", now=now))
    with recorded(box.database) as came_back:
        capture(box, conversion_id="back", **known)

    for work in (new, more, same_person, moved, came_back):
        assert_no_scan(box, work)
    assert_at_most(new, CAPTURE_NEW)
    assert_at_most(more, CAPTURE_MORE)
    assert_at_most(same_person, CAPTURE_SAME_PERSON)
    assert_at_most(moved, CAPTURE_MOVED)
    assert_at_most(came_back, CAPTURE_CAME_BACK)


async def test_a_lead_and_a_batch_at_the_api_do_not_look_at_other_leads(box: Toolbox) -> None:
    key = box.write_now(lambda session, now: keys.create(session, "form", now, [Scope.INTAKE]))
    inside, known = httpx.ASGITransport(app=create_site(box)), {"authorization": f"Bearer {key}"}

    async with httpx.AsyncClient(transport=inside, base_url="http://baton.test", headers=known, timeout=PATIENCE_SECONDS) as form:

        async def sent(count: int) -> Work:
            batch = [{"source_id": f"{count}-{number}", "email": f"kim-{number}@sent-{count}.example"} for number in range(count)]
            with recorded(box.database) as work:
                answer = await form.post("/api/leads", json=batch if count > 1 else batch[0])
            assert answer.status_code in (200, 201, 207), answer.text
            return work

        one = await sent(1)
        each, many = await from_5_to_25(sent)

    assert_no_scan(box, one)
    assert_no_scan(box, many)
    assert_at_most(one, SENT_NEW)
    assert each <= SENT_IN_BATCH, many.most_often()
