"""The contract as a page: it says what the contract says, loads nothing from elsewhere, and what people wrote stays text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from agreements import model
from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.wording import contract
from agreements.wording.document import Beside, Block, Lines, Table, Text
from notifications.contract_page import contract_html, contract_page
from notifications.contract_picture import ways
from tests.agreements.changing import everything

EXAMPLES = sorted((Path(model.__file__).parent / "examples").glob("*.yaml"))
WHOLE = everything()
EVIL = "<script>alert(1)</script> & \"quoted\" 'too'"


class Reader(HTMLParser):
    """What a page holds: its tags with their attributes, its text, and which tags were opened and not closed."""

    VOID = frozenset({"meta", "link", "line", "circle", "rect"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)

    @property
    def words(self) -> str:
        """All text, white space made single."""
        return " ".join(" ".join(self.text).split())


def said(block: Block) -> list[str]:
    """Every piece of text of a block."""
    if isinstance(block, Text):
        return [block.words]
    if isinstance(block, Lines):
        return [block.title, *(line.words for line in block.lines), *(line.name.rstrip(":") for line in block.lines)]
    if isinstance(block, Table):
        return [*block.head, *(cell for row in block.rows for cell in row)]
    assert isinstance(block, Beside)
    return [block.word, block.prose, *(text for rules in block.rules for text in said(rules))]


def shown(agreement: Agreement) -> Reader:
    return Reader(contract_page(agreement))


@pytest.mark.parametrize("agreement", [WHOLE, *(read_agreement(path.read_text(encoding="utf-8")) for path in EXAMPLES)])
def test_the_page_says_all_that_the_contract_says(agreement: Agreement) -> None:
    words = shown(agreement).words
    document = contract(agreement)

    texts = [text for section in document.sections for block in section.blocks for text in [section.title, *said(block)]]

    assert len(texts) > 100
    assert [text for text in texts if " ".join(text.split()) not in words] == []


def test_everything_that_is_opened_is_closed() -> None:
    assert shown(WHOLE).open == []
    assert Reader(str(contract_html(WHOLE))).open == []


def test_it_loads_nothing_and_runs_nothing() -> None:
    """It can be mailed, printed and kept; its links stay on it."""
    page = contract_page(WHOLE)
    tags = shown(WHOLE).tags

    addresses = [value for _, attributes in tags for name, value in attributes.items() if name in ("href", "src", "action")]
    assert [one for one in addresses if not (one or "").startswith(("#", "data:,"))] == []
    assert not {tag for tag, _ in tags} & {"script", "iframe", "img", "object", "form"}
    assert "@import" not in page
    assert "url(" not in page


def test_every_entry_of_the_contents_leads_to_a_part_with_that_title() -> None:
    tags = shown(WHOLE).tags

    parts = [attributes["id"] for tag, attributes in tags if tag == "section"]

    assert len(parts) == len(set(parts)) == len(contract(WHOLE).sections)
    assert [attributes["href"] for tag, attributes in tags if tag == "a"] == [f"#{part}" for part in parts]


def test_what_people_wrote_is_only_ever_text() -> None:
    """Put into every text of the agreement, one after another."""
    evil = [
        read_agreement_with("Somebody who may buy."),
        read_agreement_with("manual handover"),
        read_agreement_with("two thirds of the wins"),
        read_agreement_with("Call and ask."),
        read_agreement_with("Not now"),
        read_agreement_with("salesqualifiedlead"),
    ]

    for agreement in evil:
        page = shown(agreement)
        assert "script" not in {tag for tag, _ in page.tags}
        assert EVIL in page.words


def read_agreement_with(written: str) -> Agreement:
    """The whole agreement with that text replaced by one full of markup."""
    text = (Path(__file__).parents[1] / "agreements" / "everything.yaml").read_text(encoding="utf-8")
    assert written in text
    return read_agreement(text.replace(written, '"' + EVIL.replace('"', '\\"') + '"'))


def test_the_style_of_the_part_touches_nothing_outside_it() -> None:
    """It stands on pages of others."""
    css = re.sub(r"/\*.*?\*/", "", (Path(contract_page.__code__.co_filename).parent / "templates/contract/style.css").read_text())
    selectors = [one.strip() for group in re.findall(r"([^{}@]+)\{", re.sub(r"@media[^{]*\{", "", css)) for one in group.split(",")]

    assert len(selectors) > 50
    assert [one for one in selectors if one and not one.startswith(".contract")] == []


@pytest.mark.parametrize("width", [330, 880])
def test_the_picture_shows_each_clock_of_each_leg_within_its_width(width: int) -> None:
    pictures = ways(WHOLE, width=width)

    assert [len(picture.bars) for picture in pictures] == [4, 3]
    assert all(bar.x >= 0 and bar.x + bar.width <= width for picture in pictures for bar in picture.bars)
    assert all(0 <= words.x <= width and words.y <= picture.height for picture in pictures for words in picture.words)


def test_the_first_attempt_is_drawn_from_the_assignment() -> None:
    acceptance, attempt = ways(WHOLE, width=880)[0].bars[1:3]

    assert attempt.x == acceptance.x
    assert attempt.width == pytest.approx(2 * acceptance.width)


def test_reminders_are_marked_at_their_share_of_the_bar() -> None:
    acceptance = ways(WHOLE, width=880)[0].bars[1]

    assert [round((tick - acceptance.x) / acceptance.width, 6) for tick in acceptance.ticks] == [0.5, 0.8]
