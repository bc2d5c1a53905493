"""The demo's chat room: receives what Apprise posts as JSON, and shows it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC
from types import TracebackType
from typing import Self

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from app.demo.inbox.pages import served
from app.demo.rendering import environment
from app.web.site import HEADERS


@dataclass(frozen=True, slots=True)
class Post:
    """One message in the room: its key from the header, title and body."""

    key: str
    title: str
    body: str


class ChatRoom:
    """A web page on a free port of this machine; `apprise_url` is the address to send to."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.port = 0
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self.port = self._running.enter_context(served(self._pages()))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._running.close()

    @property
    def apprise_url(self) -> str:
        """Return the address that Apprise sends to."""
        return f"json://127.0.0.1:{self.port}/post"

    def repeated(self) -> int:
        """Return how many messages came with a key that the room had already."""
        keys = [post.key for post in self.posts if post.key]
        return len(keys) - len(set(keys))

    def _pages(self) -> FastAPI:
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

        @app.post("/post")
        async def post(request: Request) -> Response:
            said = await request.json()
            self.posts.append(Post(request.headers.get("x-baton-key", ""), str(said.get("title", "")), str(said.get("message", ""))))
            return JSONResponse({"ok": True})

        template = environment(UTC).get_template("chat_room.html")

        @app.get("/", response_class=HTMLResponse)
        async def room() -> HTMLResponse:
            return HTMLResponse(template.render(posts=self.posts[::-1]), headers=HEADERS)

        return app
