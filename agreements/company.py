"""Which company an address belongs to: colleagues are told by the domain that their company has registered, and by nothing else.

Names of companies are not compared: two companies with one name would become one, which is worse than a colleague who is missed.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Protocol

from agreements.lead import DISPOSABLE_PROVIDERS, FREE_PROVIDERS, domain_of

#: Providers of mailboxes besides those that `email: free` asks for: telephone companies, relays, and further free mail.
_PROVIDERS = (
    FREE_PROVIDERS
    | DISPOSABLE_PROVIDERS
    | frozenset(
        """
    126.com 163.com 1und1.de 21cn.com abv.bg alice.it alice.de aliyun.com aon.at appleid.com arcor.de att.net bbox.fr bellsouth.net
    bigpond.com bk.ru blueyonder.co.uk bluewin.ch bol.com.br btopenworld.com centrum.cz charter.net chello.at club-internet.fr comcast.net
    cox.net daum.net duck.com earthlink.net email.cz fastmail.com fastmail.fm foxmail.com free.fr freemail.hu freenet.de freenet.at
    frontier.com gmx.at gmx.ch hanmail.net hetnet.nl hey.com hispeed.ch home.nl hushmail.com ig.com.br inbox.lv inbox.ru interia.pl
    juno.com kabelmail.de kpnmail.nl laposte.net libero.it list.ru lycos.com mac.com mail.de mail.ee mail.ru mailbox.org mailfence.com
    mozmail.com nate.com naver.com neuf.fr ntlworld.com numericable.fr o2.co.uk o2.pl o2online.de onet.eu onet.pl online.de online.no
    online.nl optonline.net optusnet.com.au orange.fr outlook.de pacbell.net planet.nl plus.net pm.me posteo.de posteo.net prodigy.net
    proton.ch qq.com rambler.ru rediffmail.com rocketmail.com rogers.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca simplelogin.com
    sina.cn sina.com skynet.be sky.com sohu.com sunrise.ch swissonline.ch sympatico.ca t-online.de talktalk.net telefonica.net telenet.be
    telia.com telus.net terra.com.br tin.it tiscali.co.uk tiscali.it tutanota.com tutanota.de tuta.io tuta.com uol.com.br ukr.net upcmail.nl
    verizon.net videotron.ca virgilio.it virginmedia.com vodafone.de vodafonemail.de vp.pl wanadoo.fr web.de windstream.net wp.pl xs4all.nl
    xtra.co.nz ya.ru yeah.net ziggo.nl zonnet.nl
    """.split()
    )
)
#: Providers with a domain in many countries, such as yahoo.fr.
_EVERYWHERE = frozenset("aol gmx googlemail hotmail icloud live msn outlook protonmail windowslive yahoo yandex ymail".split())
#: Domains below which each customer has a name, and which the public suffix list lacks.
_SHARED = frozenset({"onmicrosoft.com"})


class _Suffixes(Protocol):
    """What is used of the public suffix list."""

    def privatesuffix(self, domain: str) -> str | None:
        """Return the registered domain, None for a public suffix."""
        ...


def company_key(email: str) -> str:
    """Return the domain by which colleagues are told, in ASCII; empty where the address says nothing about a company.

    `ana@mail.acme.co.uk` and `info@acme.co.uk` are of acme.co.uk. Free mail, throw-away mail, mailboxes of telephone companies and
    addresses directly below a public suffix are of no company.
    """
    return _key_of(domain_of(email).rstrip("."))


@lru_cache(maxsize=4096)
def _key_of(domain: str) -> str:
    try:
        plain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:  # a label that is empty or too long
        return ""
    registered = _registered(plain)
    if not registered or registered in _PROVIDERS or registered.partition(".")[0] in _EVERYWHERE:
        return ""
    return registered


def _registered(domain: str) -> str:
    for shared in _SHARED:
        if domain.endswith(f".{shared}"):
            return ".".join(domain.rsplit(".", shared.count(".") + 2)[-shared.count(".") - 2 :])
        if domain == shared:
            return ""
    return _suffixes().privatesuffix(domain) or ""


@cache
def _suffixes() -> _Suffixes:
    from publicsuffixlist import PublicSuffixList  # reads its list, which takes longer than most commands

    return PublicSuffixList()
