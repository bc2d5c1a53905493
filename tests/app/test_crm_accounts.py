"""Accounts for the local CRM from a file: all of it or nothing, each mistake with its line."""

from __future__ import annotations

import pytest

from app.crm_accounts import AccountsUnreadable, read_accounts
from storage.crm.port import Account

PEOPLE = {"ana", "ben"}


@pytest.mark.parametrize(
    ("text", "accounts"),
    [
        ("id,name\nA1,Harbour\n", [Account("A1", "Harbour")]),
        ("\ufeffid;domain;status\nA1;Harbour.example;Customer\n", [Account("A1", "", "harbour.example", status="customer")]),
        (
            'id,name,owner,open_opportunity,opportunity_owner\nA1,"Harbour, Ltd",ana,Yes,ben\n\n',
            [Account("A1", "Harbour, Ltd", owner="ana", open_opportunity=True, opportunity_owner="ben")],
        ),
        ("id,name\n", []),
    ],
)
def test_a_file_is_read(text: str, accounts: list[Account]) -> None:
    assert read_accounts(text.encode(), people=PEOPLE) == accounts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name\nHarbour\n", "line 1: the column `id` is missing"),
        ("id,status\nA1,customer\n", "line 1: a column `name` or `domain` is missing"),
        ("id,name,colour\nA1,Harbour,red\n", "line 1: no account has 'colour'"),
        ("id,name,id\nA1,Harbour,A1\n", "line 1: id is there twice"),
        ("id,name\n,Harbour\n", "line 2: the id is empty"),
        ("id,name\nA1,Harbour\nA1,Quay\n", "line 3: the id A1 is in line 2 too"),
        ("id,name,status\nA1,Harbour,friend\n", "line 2: 'friend' is no status; write one of prospect, customer, former"),
        ("id,name,owner\nA1,Harbour,zoe\n", "line 2: owner 'zoe' is not in the roster"),
        ("id,domain\nA1,https://x.example/\n", "line 2: 'https://x.example/' is no domain"),
        ("id,name,open_opportunity\nA1,Harbour,maybe\n", "line 2: open_opportunity is 'maybe'; write yes or no"),
        ("id,name\nA1,Harbour, Ltd\n", "line 2: it has more cells than the first line names"),
        ("", "line 1: the column `id` is missing"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_nothing_is_read(text: str, said: str) -> None:
    with pytest.raises(AccountsUnreadable) as refused:
        read_accounts(text.encode(), people=PEOPLE)

    assert said in str(refused.value)


def test_every_mistake_of_a_file_is_named_at_once() -> None:
    with pytest.raises(AccountsUnreadable) as refused:
        read_accounts(b"id,name,owner\n,Harbour,zoe\nA2,,ana\n", people=PEOPLE)

    assert len(str(refused.value).splitlines()) == 3


def test_another_encoding_is_named() -> None:
    with pytest.raises(AccountsUnreadable, match="not in UTF-8"):
        read_accounts("id,name\nA1,Hafen Süd\n".encode("latin-1"), people=PEOPLE)
