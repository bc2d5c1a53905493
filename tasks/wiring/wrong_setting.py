"""The error for settings that cannot be used, raised before anything is done with them."""

from __future__ import annotations

from agreements.errors import HandoffError


class WrongSetting(HandoffError):
    """Settings cannot be used; each line of `problems` names one and says what to write instead, and never its value."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))
