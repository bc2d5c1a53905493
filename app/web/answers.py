"""Answers that any part of the site may give: as JSON to a program, and as a plain page to a person."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from app.web.rendering import plain


def is_api(scope: Scope) -> bool:
    """Return whether a program asks, which expects JSON."""
    path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
    return path.startswith(("/api/", "/hooks/", "/intake/"))


def said(scope: Scope, title: str, *sentences: str, status: int) -> Response:
    """Return a response with these sentences: JSON for a program, a page for a person. title: of the page."""
    return JSONResponse({"error": " ".join(sentences)}, status) if is_api(scope) else plain(title, *sentences, status=status)
