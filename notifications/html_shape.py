"""The shape of a page or a letter: which tags it has in which order, and where its links lead. Texts do not belong to it."""

from __future__ import annotations

from html.parser import HTMLParser


class Shape(HTMLParser):
    """Tags, comments and links of some HTML. Line breaks are left out: there are as many as lines somebody wrote."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag, with the names of its attributes."""
        if tag != "br":
            self.tags.append(f"{tag} {sorted(name for name, _ in attrs)}")
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "formaction", "background", "data")]

    def handle_endtag(self, tag: str) -> None:
        """The end of one."""
        self.tags.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        """A comment, which Outlook may read as more than that."""
        self.tags.append(f"!{data}")

    def handle_decl(self, decl: str) -> None:
        """A declaration."""
        self.tags.append(f"!{decl}")

    def unknown_decl(self, data: str) -> None:
        """A marked section."""
        self.tags.append(f"![{data}")

    def handle_pi(self, data: str) -> None:
        """A processing instruction."""
        self.tags.append(f"?{data}")
