"""Detect from a new conversion whether the person has a new role or a new company."""

from __future__ import annotations

from agreements.lead import domain_of, kinds_of_mail


def another_role(was: str, now: str) -> bool:
    """Whether these job titles, both known, differ by more than case and spaces."""
    return _differ(was, now)


def another_company(was: tuple[str, str], now: tuple[str, str]) -> bool:
    """Whether the person is at another company. was, now: its name and the person's address, each empty if unknown.

    If both addresses are at a company's own domain, the domains decide, and the names do not count. Otherwise the names
    decide, compared without case and spaces.
    """
    (old_name, old_mail), (new_name, new_mail) = was, now
    if _is_companys(old_mail) and _is_companys(new_mail):
        return not _same_domain(domain_of(old_mail), domain_of(new_mail))
    return _differ(old_name, new_name)


def _is_companys(mail: str) -> bool:
    return "company" in kinds_of_mail(mail)


def _same_domain(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _differ(one: str, other: str) -> bool:
    return bool(_plain(one)) and bool(_plain(other)) and _plain(one) != _plain(other)


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()
