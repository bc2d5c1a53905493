"""Who a conversion is about: the exact personal address, else the id as long as nothing contradicts it."""

from __future__ import annotations

import pytest

from agreements.identity import Shows, Who, contradict, learned, place, same_name, shows
from agreements.role_mailboxes import is_role_address

ANA, BO = ("Ana", "Lind"), ("Bo", "Berg")

#: Who is known under an id (address, first and last name), who comes under it now, and what that shows.
CASES: list[tuple[tuple[str, str, str], tuple[str, str, str], Shows]] = [
    # the same personal address, whatever the name
    (("ana@h.example", *ANA), ("ana@h.example", *ANA), "same"),
    (("ana@h.example", *ANA), ("ANA+demo@H.example", *ANA), "same"),
    (("ana@h.example", *ANA), ("ana@h.example", "", ""), "same"),
    (("ana@h.example", *ANA), ("ana@h.example", *BO), "same"),
    (("ana@gmail.com", *ANA), ("ana@gmail.com", *BO), "same"),
    # another personal address and another name
    (("ana@h.example", *ANA), ("bo@h.example", *BO), "another"),
    (("ana@h.example", *ANA), ("bo@gmail.com", *BO), "another"),
    (("ana@gmail.com", *ANA), ("bo@gmail.com", *BO), "another"),
    (("ana@h.example", *ANA), ("ida@h.example", "Ida", "Lind"), "another"),
    (("ana@h.example", *ANA), ("ana@q.example", "Ana", "Berg"), "another"),
    # another personal address, and nobody says under which name
    (("ana@h.example", *ANA), ("bo@h.example", "", ""), "another"),
    (("ana@h.example", "", ""), ("bo@h.example", *BO), "another"),
    (("ana@h.example", "", ""), ("bo@h.example", "", ""), "another"),
    (("ana@h.example", *ANA), ("ana@q.example", "Ana", ""), "another"),
    (("ana@h.example", *ANA), ("ana@q.example", "A.", "Lind"), "another"),
    # the same full name at another address
    (("ana@h.example", *ANA), ("ana@q.example", *ANA), "moved"),
    (("ana@gmail.com", *ANA), ("ana@h.example", "ANA", "lind"), "moved"),
    (("ana@h.example", *ANA), ("ana@q.example", "Lind", "Ana"), "moved"),
    (("jose@h.example", "José", "Peña"), ("jose@q.example", "Jose", "Pena"), "moved"),
    # no personal address in the conversion: the id decides, as long as the name does not contradict it
    (("ana@h.example", *ANA), ("", "", ""), "same"),
    (("ana@h.example", *ANA), ("", *ANA), "same"),
    (("ana@h.example", *ANA), ("", "A.", "Lind"), "same"),
    (("ana@h.example", *ANA), ("", "Ana Maria", "Lind"), "same"),
    (("ana@h.example", "", ""), ("", *BO), "same"),
    (("ana@h.example", *ANA), ("", *BO), "another"),
    (("ana@h.example", *ANA), ("", "Bo", ""), "another"),
    (("", *ANA), ("", *BO), "another"),
    (("", "", ""), ("", *BO), "same"),
    # mailboxes that several people read
    (("info@h.example", *ANA), ("info@h.example", *ANA), "same"),
    (("info@h.example", *ANA), ("info@h.example", "", ""), "same"),
    (("info@h.example", *ANA), ("info@h.example", *BO), "another"),
    (("kontakt@h.example", *ANA), ("vertrieb@h.example", *BO), "another"),
    (("ana@h.example", *ANA), ("info@h.example", *ANA), "same"),
    (("ana@h.example", *ANA), ("info@h.example", *BO), "another"),
    # the first personal address
    (("info@h.example", *ANA), ("ana@h.example", *ANA), "same"),
    (("info@h.example", *ANA), ("bo@h.example", *BO), "another"),
    (("info@h.example", *ANA), ("bo@h.example", "", ""), "another"),
    (("", *ANA), ("ana@h.example", *ANA), "same"),
    (("", *ANA), ("ana@h.example", "", ""), "another"),
    (("", "", ""), ("ana@h.example", *ANA), "same"),
    (("", "", ""), ("ana@h.example", "", ""), "same"),
]


@pytest.mark.parametrize(("known", "told", "what"), CASES)
def test_who_comes_under_a_known_id(known: tuple[str, str, str], told: tuple[str, str, str], what: Shows) -> None:
    assert shows(Who(*known), Who(*told)) == what


#: First and last name, twice, and whether they cannot be one person's.
NAMES = [
    (("Ana", "Lind"), ("Bo", "Berg"), True),
    (("Ana", "Lind"), ("Ana", "Berg"), True),
    (("Ana", "Lind"), ("Ida", "Lind"), True),
    (("Ana", "Lind"), ("Ida", ""), True),
    (("", "Lind"), ("Bo", "Berg"), True),
    (("Ana", ""), ("", "Lind"), False),
    (("Ana", "Lind"), ("", ""), False),
    (("Ana", "Lind"), ("ana", "LIND"), False),
    (("Ana", "Lind"), ("Lind", "Ana"), False),
    (("Ana", "Lind"), ("A", "Lind"), False),
    (("Ana", "Lind"), ("B.", "Lind"), True),
    (("Ana", "Lind-Berg"), ("Ana", "Lind"), False),
    (("Zoë", "Øster"), ("Zoe", "Øster"), False),
    (("Ana", "Lind"), ("...", "--"), False),
    (("李", "雷"), ("韩", "梅梅"), True),
]


@pytest.mark.parametrize(("one", "other", "differ"), NAMES)
def test_names_of_two_people(one: tuple[str, str], other: tuple[str, str], differ: bool) -> None:
    assert contradict(Who("", *one), Who("", *other)) is differ
    assert contradict(Who("", *other), Who("", *one)) is differ
    assert not (differ and same_name(Who("", *one), Who("", *other)))


def test_among_several_people_of_one_id_the_address_decides_then_the_name_then_who_came_first() -> None:
    people = [Who("ana@h.example", *ANA), Who("bo@h.example", *BO), Who("info@h.example")]

    told = [Who("bo@h.example"), Who("", *BO), Who("", "Ida", "Falk"), Who(), Who("ida@h.example", "Ida", "Falk"), Who("x@h.example", *ANA)]

    assert [place(people, one) for one in told] == [1, 1, 2, 0, 2, 2]
    assert place(people[:2], Who("ida@h.example", "Ida", "Falk")) is None


def test_what_is_learned_of_a_person_fills_gaps_and_nothing_else() -> None:
    assert learned(Who("info@h.example"), Who("ana@h.example", *ANA)) == Who("ana@h.example", *ANA)
    assert learned(Who("ana@h.example", *ANA), Who("ana@h.example", *BO)) == Who("ana@h.example", *ANA)
    assert learned(Who("ana@h.example", *ANA), Who("info@h.example")) == Who("ana@h.example", *ANA)
    assert learned(Who("", "", "Lind"), Who("", "Ana", "")) == Who("", "Ana", "Lind")


ROLES = """
info@h.example INFO+uk@h.example sales@h.example sales.uk@h.example sales-de@h.example contact@h.example kontakt@h.example
kontakt2@h.example vertrieb@h.example einkauf@h.example büro@h.example buero@h.example ventas@h.example contacto@h.example
atencion-al-cliente@h.example commercial@h.example service-clients@h.example serviceclient@h.example achats@h.example
vendite@h.example ufficio.acquisti@h.example verkoop@h.example salg@h.example myynti@h.example biuro@h.example sprzedaz@h.example
prodej@h.example ertekesites@h.example vanzari@h.example satis@h.example bilgi@h.example vendas@h.example no-reply@h.example
customer_service@h.example hr@h.example
""".split()
PERSONAL = """
ana@h.example ana.lind@h.example a.lind@h.example lind@h.example infante@h.example salesman@h.example mark.sales@h.example
contessa@h.example 12345@h.example anainfo@h.example info.lind@h.example bo.uk@h.example rosales@h.example
""".split()


@pytest.mark.parametrize("email", ROLES)
def test_a_mailbox_that_several_people_read(email: str) -> None:
    assert is_role_address(email)


@pytest.mark.parametrize("email", [*PERSONAL, "", "info", "@h.example"])
def test_an_address_of_one_person(email: str) -> None:
    assert not is_role_address(email)
