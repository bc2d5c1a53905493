"""Countries as people write them: names, codes of two and of three letters, and local names become codes of two letters."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

#: The codes that need no look into the library, which takes a moment to load. `XK` is in use though no code of the list.
CODES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD
    CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF
    GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
    KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI
    SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
    VN VU WF WS YE YT ZA ZM ZW XK
    """.split()
)
#: Usual names and abbreviations that the library lacks.
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "AE": ("UAE", "Emirates"),
    "BO": ("Bolivia",),
    "CD": ("DRC", "DR Congo", "Congo Kinshasa", "Democratic Republic of the Congo"),
    "CG": ("Congo Brazzaville", "Republic of the Congo"),
    "CI": ("Ivory Coast",),
    "CV": ("Cape Verde",),
    "CZ": ("Czech Republic",),
    "FK": ("Falklands",),
    "GB": ("UK", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland", "United Kingdom of Great Britain"),
    "GR": ("EL", "Hellas"),
    "IE": ("Republic of Ireland", "Eire"),
    "KP": ("DPRK",),
    "KR": ("ROK", "Republic of Korea"),
    "MK": ("Macedonia",),
    "MM": ("Burma",),
    "MO": ("Macau",),
    "NL": ("Holland",),
    "PS": ("Palestine",),
    "RU": ("Russia", "Россия"),
    "SZ": ("Swaziland",),
    "TR": ("Turkey",),
    "TW": ("Taiwan ROC",),
    "US": ("US of A", "United States of America", "Estados Unidos de América", "EE UU", "EEUU"),
    "VA": ("Vatican", "Vatican City"),
    "XK": ("Kosovo", "XKX"),
}
#: Names that people give to more than one country.
_SEVERAL: Mapping[str, tuple[str, ...]] = {
    "congo": ("CD", "CG"),
    "korea": ("KP", "KR"),
    "saint martin": ("MF", "SX"),
    "st martin": ("MF", "SX"),
    "virgin islands": ("VG", "VI"),
}
#: The languages whose names are known besides English. In rarer ones the library has mistakes.
_LANGUAGES = (
    "ar bg ca cs cy da de el es et eu fa fi fr ga gl he hr hu id is it ja ko lt lv mk ms mt nb_NO nl nn pl pt pt_BR ro ru sk sl sq sr sv "
    "th tr uk vi zh_CN zh_TW"
).split()
_NAMES = ("name", "common_name", "official_name")
_INVERTED = re.compile(r"(.+), (.+)")


def country_code(text: str) -> str:
    """Return the code of two letters for a country as somebody wrote it.

    A text that names no country, or more than one, comes back as it is, two letters in capitals.
    """
    if text in CODES:
        return text
    codes = _codes(text)
    if len(codes) == 1:
        return codes[0]
    return text.upper() if len(text) == 2 else text


def unclear_country(text: str) -> str:
    """Say what is wrong with a country as somebody wrote it; empty if it names one country, or if there is no text."""
    codes = (text,) if text in CODES else _codes(text)
    if not text or len(codes) == 1:
        return ""
    if codes:
        return f"{text[:40]!r} can be {' or '.join(f'{code} ({country_name(code)})' for code in codes)}; write the code"
    return f"{text[:40]!r} is no country that Baton knows; write its English name or its code of two letters, such as GB"


@lru_cache(maxsize=1024)
def country_name(code: str) -> str:
    """Return the usual English name of the country with this code of two letters, the code itself for an unknown one."""
    import pycountry

    found: Any = pycountry.countries.get(alpha_2=code)
    return (getattr(found, "common_name", "") or found.name) if found else {"XK": "Kosovo"}.get(code, code)


@lru_cache(maxsize=4096)
def _codes(text: str) -> tuple[str, ...]:
    """Return the codes of the countries that this text may mean."""
    key = _key(text)
    if not key:
        return ()
    if several := _SEVERAL.get(key):
        return several
    turned = _key(_INVERTED.sub(r"\2 \1", text))
    english = _in_english()
    return english.get(key) or english.get(turned) or _in_other_languages().get(key) or ()


def _key(text: str) -> str:
    """Return the text without what people write in different ways: case, accents, dots, dashes, and `the` in front."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("&", " and "))
    letters = "".join(" " if one in "-_,()'\u2019/" else one for one in plain if not unicodedata.combining(one) and one != ".")
    words = letters.split()
    return " ".join(words[1:] if words[:1] == ["the"] and len(words) > 1 else words)


@cache
def _in_english() -> Mapping[str, tuple[str, ...]]:
    import pycountry

    codes = {_key(name): one.alpha_2 for one in pycountry.countries for name in (one.alpha_2, one.alpha_3)}
    names = ((_key(name), one.alpha_2) for one in pycountry.countries for name in _names_of(one))
    aliases = ((_key(name), code) for code, others in _ALIASES.items() for name in (code, *others) if _key(name) not in codes)
    return {**_gathered([*names, *aliases]), **{key: (code,) for key, code in codes.items()}}


@cache
def _in_other_languages() -> Mapping[str, tuple[str, ...]]:
    """Return the countries by their names in other languages. Read only when a text is no English name: it takes a moment."""
    import gettext

    import pycountry

    def names() -> Iterator[tuple[str, str]]:
        for language in _LANGUAGES:
            words = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True)
            for one in pycountry.countries:
                for name in filter(None, (getattr(one, name, "") for name in _NAMES)):
                    yield _key(words.gettext(name)), one.alpha_2

    return _gathered(names())


def _names_of(one: Any) -> Iterator[str]:
    """Yield the English names of a country, `Korea, Republic of` also as `Republic of Korea`."""
    for name in filter(None, (getattr(one, name, "") for name in _NAMES)):
        yield name
        if found := _INVERTED.fullmatch(name):
            yield f"{found[2]} {found[1]}"


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return the codes by name: the one that most languages give, all of them where no code has the majority."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for key, code in pairs:
        found[key][code] += 1
    return {key: _clear(codes) for key, codes in found.items()}


def _clear(codes: Counter[str]) -> tuple[str, ...]:
    (most, times), *_ = codes.most_common(1)
    return (most,) if times * 2 > codes.total() else tuple(sorted(codes))
