"""The lead that tests and benchmarks store, written once."""

from __future__ import annotations

from agreements.lead import IncomingLead


def demo_request(number: int, **changes: object) -> IncomingLead:
    """Return a demo request by an operations leader, which qualifies at once. Each number is another person at another company."""
    base = {
        "email": f"person{number}@company{number}.example",
        "first_name": "Pat",
        "last_name": f"Person{number}",
        "company": f"Company {number}",
        "job_title": "Head of Operations",
        "country": "GB",
        "activity": "demo_requested",
        "campaign": "spring",
        "fields": {"industry": "logistics", "employees": 300},
    }
    return IncomingLead.model_validate({**base, **changes})
