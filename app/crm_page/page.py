"""The web pages of the local CRM: the list of leads, and one lead with a form for its owner and status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from notifications.html_templates import html_templates
from storage.crm.local import LocalCrm
from storage.crm.local_records import newest, record_of

#: The addresses under which the page answers. Another name in a request comes from a page that tries to reach it by DNS.
HERE = ("127.0.0.1", "localhost")
_POLICY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
#: The longest value that the form takes.
_LONGEST = 200


def pages(crm: LocalCrm, *, people: Callable[[], dict[str, str]], now: Callable[[], datetime]) -> FastAPI:
    """Return the web application. people: id and name of everybody who may own a lead; now: Baton's time, aware."""
    app = FastAPI(title="Local CRM", docs_url=None, redoc_url=None, openapi_url=None)
    templates = html_templates(Path(__file__).parent / "templates")

    def render(name: str, status: int = 200, **words: Any) -> Response:
        page = templates.get_template(name).render(people=people(), **words)
        return HTMLResponse(page, status_code=status, headers=_POLICY)

    @app.middleware("http")
    async def only_from_here(request: Request, go_on: Any) -> Response:
        origin = request.headers.get("origin")
        names = [request.url.hostname, *([urlsplit(origin).hostname] if origin else [])]
        if any(name not in HERE for name in names):
            return Response("This page answers only on this machine.", status_code=403, headers=_POLICY)
        answer: Response = await go_on(request)
        return answer

    @app.get("/", response_class=HTMLResponse)
    def leads() -> Response:
        return render("list.html", records=newest(crm.path))

    @app.get("/leads/{number:int}", response_class=HTMLResponse)
    def lead(number: int, saved: str = "") -> Response:
        record = record_of(crm.path, number)
        if record is None:
            return render("missing.html", 404, number=number)
        return render("lead.html", record=record, saved=bool(saved), problem="")

    @app.post("/leads/{number:int}")
    def change(
        number: int, by: Annotated[str, Form()] = "", owner: Annotated[str, Form()] = "", status: Annotated[str, Form()] = ""
    ) -> Response:
        record = record_of(crm.path, number)
        if record is None:
            return render("missing.html", 404, number=number)
        known, status = people(), status.strip()
        if by not in known or owner not in ("", *known) or len(status) > _LONGEST:
            return render("lead.html", 422, record=record, saved=False, problem="Please choose who you are, and an owner of the list.")
        said = {"owner": owner, "status": status}
        new = {name: value for name, value in said.items() if value and value != record.fields.get(name, "")}
        if new:
            crm.person_changes(number, by=by, at=now(), values=new)
        return RedirectResponse(f"/leads/{number}?saved=yes", status_code=303)

    return app
