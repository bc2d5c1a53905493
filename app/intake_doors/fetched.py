"""What a vendor's API says of a lead, in the form that maps look into."""

from __future__ import annotations

from typing import Any

from app.intake_doors.map_parts import FetchFrom
from app.intake_doors.paths import words


def as_mapped(source: FetchFrom, found: Any) -> Any:
    """Return the answer of this API as the paths of a map see it. LinkedIn's gets `answers`, all others stay as they are."""
    return _with_answers(found) if source == "linkedin-lead" else found


def _with_answers(found: Any) -> Any:
    """Return LinkedIn's answer with each answer under the name of its question, such as `answers.EMAIL`.

    LinkedIn gives answers by numbers of questions, and says in the form what each number asks.
    """
    if not isinstance(found, dict):
        return found
    asked = {words(one.get("questionId")): one for one in _list_at(found, "form", "content", "questions")}
    answers: dict[str, Any] = {}
    for one in _list_at(found, "formResponse", "answers"):
        question = asked.get(words(one.get("questionId")), {})
        name = question.get("predefinedField") or question.get("name")
        if isinstance(name, str) and name:
            answers.setdefault(name, _answer(one.get("answerDetails"), question))
    return {**found, "answers": answers}


def _answer(details: Any, question: dict[str, Any]) -> Any:
    text = _at(details, "textQuestionAnswer", "answer")
    if text is not None:
        return text
    options = {
        words(one.get("id")): _text_of(one.get("text"))
        for one in _list_at(question, "questionDetails", "multipleChoiceQuestionDetails", "options")
    }
    chosen = _at(details, "multipleChoiceAnswer", "options")
    return [options.get(words(one), words(one)) for one in chosen] if isinstance(chosen, list) else None


def _text_of(text: Any) -> str:
    localized = _at(text, "localized")
    return next((one for one in localized.values() if isinstance(one, str)), "") if isinstance(localized, dict) else words(text)


def _at(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _list_at(value: Any, *names: str) -> list[dict[str, Any]]:
    found = _at(value, *names)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
