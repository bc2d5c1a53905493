"""The shape of a page or a letter: its tags in order and the targets of its links, without its texts."""

from __future__ import annotations

from html.parser import HTMLParser


class Shape(HTMLParser):
    """Tags, comments and links of some HTML. Line breaks are left out, because their number depends on a text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag with the names of its attributes."""
        if tag != "br":
            self.tags.append(f"{tag} {sorted(name for name, _ in attrs)}")
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "formaction", "background", "data")]

    def handle_endtag(self, tag: str) -> None:
        """Note the end of a tag."""
        self.tags.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        """Note a comment, because Outlook may carry it out."""
        self.tags.append(f"!{data}")

    def handle_decl(self, decl: str) -> None:
        """Note a declaration."""
        self.tags.append(f"!{decl}")

    def unknown_decl(self, data: str) -> None:
        """Note a marked section."""
        self.tags.append(f"![{data}")

    def handle_pi(self, data: str) -> None:
        """Note a processing instruction."""
        self.tags.append(f"?{data}")
