"""Whether a CRM fits the agreements and the roster: fields, allowed values, rights and owners. Says what to create there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from agreements import crm_words
from agreements.clauses.clocks import CRM_STAGES
from agreements.crm_words import OWNER
from agreements.model import Agreement
from agreements.roster import Role, Roster

#: Who may own a lead in the CRM.
OWNERS: tuple[Role, ...] = ("rep", "manager")


@dataclass(frozen=True, slots=True)
class FieldThere:
    """A field of the CRM. options: the values that it takes, empty for any text; writable: for Baton's access; unique: no value twice."""

    name: str
    options: frozenset[str] = frozenset()
    writable: bool = True
    unique: bool = False


@dataclass(frozen=True, slots=True)
class FieldWanted:
    """A field of Baton's own that its adapter needs. record: the CRM's name for the kind of record."""

    record: str
    name: str
    unique: bool = False


@dataclass(frozen=True, slots=True)
class CrmThere:
    """What a CRM has. fields: by kind of record and name, in the CRM's spelling. people: the addresses of its active users, in lower case.

    denied: what Baton's access may not read, each as a sentence.
    """

    fields: Mapping[str, Mapping[str, FieldThere]] = field(default_factory=dict)
    people: frozenset[str] = frozenset()
    denied: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing that does not fit, as a sentence that says what to do. create: the field that is missing, None for anything else."""

    what: str
    create: FieldWanted | None = None


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one field that agreements name. written: Baton writes them. versions: the agreements that name it."""

    values: frozenset[str]
    written: bool
    versions: tuple[str, ...]


def values_named(agreements: Iterable[Agreement]) -> dict[str, Values]:
    """Return what agreements say about fields of a lead in the CRM, by the field's name in the agreements. The owner is not among them."""
    named: dict[str, Values] = {}
    for agreement in agreements:
        reasons = [crm_words.values_of(agreement, reason) for reason in agreement.reasons]
        written = [*(crm_words.values_at(agreement, stage) for stage in CRM_STAGES), *reasons]
        read = [dict.fromkeys(agreement.crm.get(crm_words.DETAILS, {}).values(), "")]
        for values, writes in [*((one, True) for one in written), *((one, False) for one in read)]:
            for name, value in values.items():
                before = named.get(name, Values(frozenset(), False, ()))
                versions = tuple(dict.fromkeys([*before.versions, agreement.reference]))
                named[name] = Values(before.values | ({value} if value else set()), before.written or writes, versions)
    named.pop(OWNER, None)
    return named


def misfits(
    there: CrmThere, *, record: str, names: Mapping[str, str], own: Sequence[FieldWanted], agreements: Sequence[Agreement], people: Roster
) -> list[Misfit]:
    """Return everything that does not fit, the gravest first.

    record: the kind of record that a lead is. names: the CRM's field for names that every agreement may use. own: Baton's own fields.
    """
    found = [Misfit(what) for what in there.denied]
    found += _own(there, own)
    fields = there.fields.get(record)
    if fields is not None:
        for name, values in values_named(agreements).items():
            found += [Misfit(what) for what in _values(fields, record, name, names.get(name, name), values)]
    found += [Misfit(what) for what in _people(there, people)]
    return found


def _own(there: CrmThere, own: Sequence[FieldWanted]) -> Iterator[Misfit]:
    for one in own:
        fields = there.fields.get(one.record)
        if fields is None:
            continue  # what may not be read is said already
        known = _field(fields, one.name)
        if known is None:
            unique = ", with unique values" if one.unique else ""
            yield Misfit(f"{one.record} have no field {one.name}: create it as a text{unique}.", create=one)
        elif one.unique and not known.unique:
            yield Misfit(f"The field {one.name} of {one.record} must have unique values: delete it and create it so.")
        elif not known.writable:
            yield Misfit(f"Baton may not write the field {one.name} of {one.record}: give its access the right to.")


def _values(fields: Mapping[str, FieldThere], record: str, name: str, there: str, values: Values) -> Iterator[str]:
    by = " and ".join(values.versions)
    known = _field(fields, there)
    if known is None:
        near = get_close_matches(there, fields, n=1, cutoff=0.7)
        instead = f" Did you mean {near[0]}?" if near else ""
        yield f"{record} have no field {there}, which {by} names{f' as {name}' if name != there else ''}.{instead}"
        return
    if values.written and not known.writable:
        yield f"Baton may not write the field {known.name} of {record}, which {by} names."
    for value in sorted(values.values - known.options) if known.options else ():
        close = {one.casefold(): one for one in known.options}.get(value.casefold())
        near = [close] if close else get_close_matches(value, known.options, n=1)
        instead = f" Did you mean {near[0]!r}?" if near else ""
        yield f"{value!r} is no value of the field {known.name}, which {by} names: add it there.{instead}"


def _field(fields: Mapping[str, FieldThere], name: str) -> FieldThere | None:
    """The field of this name; vendors ignore case."""
    return fields.get(name) or next((one for one in fields.values() if one.name.casefold() == name.casefold()), None)


def _people(there: CrmThere, people: Roster) -> Iterator[str]:
    if not there.people:
        return
    for ident, person in people.people.items():
        if person.role in OWNERS and person.email.lower() not in there.people:
            yield f"{person.name} ({ident}) is no active user of the CRM with the address {person.email}: a lead cannot be theirs there."
