"""A question to a CRM is asked again where that may help, after the pause that the CRM names."""

from __future__ import annotations

import pytest

from agreements.errors import CrmError
from storage.crm.asked_again import LONGEST_PAUSE_SECONDS, TRIES, asked_again


class Asking:
    """A question with these answers, one after another, and the pauses between."""

    def __init__(self, *answers: str | CrmError) -> None:
        self.answers, self.pauses = list(answers), list[float]()

    async def once(self) -> str:
        answer = self.answers.pop(0)
        if isinstance(answer, CrmError):
            raise answer
        return answer

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


async def test_a_busy_crm_is_asked_again_after_the_pause_that_it_names() -> None:
    asking = Asking(CrmError("busy", retry_after_seconds=7), CrmError("away"), "here")

    assert await asked_again(asking.once, pause=asking.pause) == "here"
    assert asking.pauses == [7, 4]


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (CrmError("refused", permanent=True), 1),
        (CrmError("tomorrow", retry_after_seconds=LONGEST_PAUSE_SECONDS + 1), 1),
        (CrmError("away"), TRIES),
    ],
)
async def test_the_error_comes_out_where_asking_again_does_not_help(error: CrmError, asked: int) -> None:
    asking = Asking(*[error] * 9)

    with pytest.raises(CrmError, match=str(error)):
        await asked_again(asking.once, pause=asking.pause)

    assert len(asking.answers) == 9 - asked
