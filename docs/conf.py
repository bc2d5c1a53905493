"""How `make docs` builds the site: Sphinx reads the pages where they stand, and checks every link and anchor."""

from __future__ import annotations

import shutil
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]

project = "Baton"
html_title = "Baton"
root_doc = "README"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
include_patterns = ["*.md", "docs/**", "[a-z]*/README.md", "tests/*/README.md"]
myst_heading_anchors = 4
myst_enable_extensions = ["html_image"]
highlight_language = "text"
html_theme = "furo"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False

#: The menu: the pages for each kind of reader. A page that no list names is added to the last list.
MENU = {
    "Start": ["docs/demo", "docs/getting-started"],
    "For sales and managers": ["docs/answering", "docs/open-leads", "docs/prefect-ui"],
    "For marketing and RevOps": [
        "docs/agreements",
        "docs/audit",
        "docs/review",
        "docs/intake",
        "docs/backtest",
        "docs/lifecycle",
        "docs/where-time-went",
        "docs/messages",
    ],
    "For operators": [
        "docs/operations",
        "docs/roster",
        "docs/leads",
        "docs/settings",
        "docs/channels",
        "docs/crm",
        "docs/hubspot",
        "docs/salesforce",
        "docs/scaling-out",
        "docs/security",
        "docs/benchmarks",
        "SECURITY",
    ],
    "For engineers": ["docs/architecture", "tests/fundamentals/README", "CONTRIBUTING", "docs/adding-a-channel"],
    "Folders": ["agreements/README", "storage/README", "notifications/README", "tasks/README", "flows/README", "app/README"],
    "More": ["docs/compared", "docs/decisions/README", "CHANGELOG"],
}


def menu() -> str:
    """The menu in the words of Sphinx."""
    listed = {page for pages in MENU.values() for page in pages}
    others = [f"docs/{path.stem}" for path in sorted((ROOT / "docs").glob("*.md")) if f"docs/{path.stem}" not in listed]
    lists = {name: [*pages, *(others if name == "More" else [])] for name, pages in MENU.items()}
    return "".join(toctree(pages, f":caption: {name}") for name, pages in lists.items())


def toctree(pages: list[str], option: str) -> str:
    """A list of pages for the menu. The text does not show it."""
    return "\n".join(["", "```{toctree}", ":hidden:", option, *pages, "```", ""])


def add_menu(app: Sphinx, page: str, source: list[str]) -> None:
    """Hands Sphinx the menu behind the text of the first page, and the list of decisions behind theirs."""
    if page == root_doc:
        source[0] += menu()
    if page == "docs/decisions/README":
        source[0] += toctree(["[0-9]*"], ":glob:")


def add_index(app: Sphinx, error: Exception | None) -> None:
    """The first page also has the name by which web servers look for one."""
    if error is None:
        shutil.copyfile(Path(app.outdir) / f"{root_doc}.html", Path(app.outdir) / "index.html")


def setup(app: Sphinx) -> None:
    """Sphinx calls this once."""
    app.connect("source-read", add_menu)
    app.connect("build-finished", add_index)
