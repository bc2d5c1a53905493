"""The contract as a page: the same words as everywhere, with pictures. Text from the agreement is always escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from agreements.model import Agreement
from agreements.wording import contract
from notifications.contract_picture import ways
from notifications.html_templates import html_templates

_FOLDER = Path(__file__).parent / "templates" / "contract"
#: Widths of the two pictures, for a screen and for a phone. The page shows the one that fits.
_WIDE, _NARROW = 880, 330


def contract_html(agreement: Agreement) -> Markup:
    """Return the contract as a part of a page, with its own style. It loads nothing and styles nothing else."""
    return Markup(_written("contract.html", agreement))


def contract_page(agreement: Agreement) -> str:
    """Return the contract as a complete page. It loads nothing, so people can print, mail and keep it."""
    return _written("page.html", agreement)


def _written(name: str, agreement: Agreement) -> str:
    pictures = {"wide": ways(agreement, width=_WIDE), "narrow": ways(agreement, width=_NARROW)}
    return _templates().get_template(name).render(document=contract(agreement), pictures=pictures)


@cache
def _templates() -> Environment:
    templates = html_templates(_FOLDER)
    templates.keep_trailing_newline = True
    return templates
