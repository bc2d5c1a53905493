"""Role mailboxes: addresses that several people of a company read. Such an address identifies nobody."""

from __future__ import annotations

import re
import unicodedata

#: The part before the @, by language. Extend the list where a language or a usual word is missing.
ROLE_MAILBOXES: frozenset[str] = frozenset(
    # English, and words that are the same in several languages
    """
    info infos information contact contacts contactus office offices admin administration administrator hello hi mail email post inbox
    mailbox sales salesteam presales inquiry inquiries enquiry enquiries request requests quote quotes quotation quotations order orders
    ordering purchase purchasing procurement buying buyer support help helpdesk service services servicedesk customer customers
    customercare customerservice customersupport clients client care team marketing communications communication press media newsletter
    news pr events event webinar webinars hr people jobs job career careers recruiting recruitment talent accounts account accounting
    accountspayable accountsreceivable billing invoice invoices invoicing payable payments finance financial legal privacy gdpr dpo
    compliance security abuse postmaster webmaster hostmaster noreply donotreply it itsupport tech technical engineering operations ops
    logistics shipping warehouse reception frontdesk secretary secretariat general group company business export import partner partners
    partnership partnerships investors management director directors ceo cfo coo cto board school hotel reservations reservation booking
    bookings shop store webshop ecommerce feedback returns dispatch facilities production quality travel training members membership
    """.split()
    # German
    + """
    kontakt anfrage anfragen angebot angebote vertrieb verkauf einkauf bestellung bestellungen buero buro kanzlei praxis zentrale
    empfang sekretariat verwaltung kundenservice kundendienst kundenbetreuung kunden beratung hilfe buchhaltung rechnung rechnungen
    rechnungswesen personal personalabteilung bewerbung bewerbungen presse technik werkstatt versand lager leitung geschaeftsleitung
    geschaeftsfuehrung datenschutz redaktion poststelle mailto innendienst aussendienst
    """.split()
    # Spanish and Portuguese
    + """
    ventas venta contacto contactos informacion consultas consulta pedidos pedido compras compra atencion atencionalcliente clientes
    cliente comercial oficina administracion administracao soporte ayuda servicio servicios facturacion facturas factura contabilidad
    tesoreria prensa comunicacion rrhh recursoshumanos empleo direccion gerencia recepcion tienda reservas calidad almacen
    vendas contato contacto geral informacoes suporte atendimento compras financeiro contabilidade faturamento faturas imprensa
    secretaria recepcao loja diretoria rh servico orcamento orcamentos
    """.split()
    # French
    + """
    commercial commerciale commerciaux ventes vente achats achat accueil bonjour renseignements renseignement devis commande commandes
    serviceclient serviceclients clientele bureau secretaire direction gerance comptabilite compta facturation recrutement emploi
    presse assistance aide sav magasin boutique expedition qualite informatique
    """.split()
    # Italian
    + """
    vendite contatti contatto commerciale amministrazione segreteria ufficio acquisti ordini ordine preventivi preventivo informazioni
    assistenza servizio servizioclienti clienti fatture fatturazione contabilita stampa lavoro direzione magazzino posta prenotazioni
    """.split()
    # Dutch and the Nordic languages
    + """
    verkoop inkoop klantenservice administratie kantoor receptie facturen boekhouding vacatures pers algemeen bestellingen offerte
    salg innkjop indkob kundeservice kundservice kontor post postmottak resepsjon faktura regnskab regnskap okonomi ekonomi forsaljning
    kundtjanst inkop kontoret reception bogholderi myynti asiakaspalvelu toimisto laskutus talous tilaukset rekry
    """.split()
    # Polish, Czech, Slovak, Hungarian, Romanian, Croatian, Slovene
    + """
    biuro kontakty sprzedaz handel handlowy zamowienia zakupy oferty oferta sekretariat ksiegowosc faktury kadry rekrutacja obsluga
    obslugaklienta pomoc serwis sklep marketingowy prodej obchod nakup objednavky fakturace ucetni ucetnictvi podpora kancelar predaj
    podatelna sekretarka iroda ertekesites ugyfelszolgalat penzugy kapcsolat rendeles titkarsag vanzari comenzi birou contabilitate
    achizitii relatiiclienti secretariat prodaja nabava podrska racunovodstvo ured tajnistvo
    """.split()
    # Turkish, and Russian and Ukrainian in Latin letters
    + """
    bilgi iletisim satis satinalma destek muhasebe siparis musteri musterihizmetleri ik kurumsal ofis prodazhi zakaz zakazy zakupki
    buhgalteria priemnaya otdel kadri zayavka
    """.split()
)
#: What is written beside such a word: where the office is.
_PLACES = frozenset("uk us usa eu emea apac latam dach de at ch fr es it pl nl be ie en int intl global online web".split())
_BREAKS = re.compile(r"[._\-+]+")


def is_role_address(email: str) -> bool:
    """Whether the address is a mailbox that several people read: `info@`, `sales.uk@`, `service-clients@`, `kontakt2@`."""
    name, _, domain = email.strip().lower().partition("@")
    if not domain:
        return False
    name = "".join(ch for ch in unicodedata.normalize("NFKD", name.split("+", 1)[0] or name) if not unicodedata.combining(ch))
    parts = [part for one in _BREAKS.split(name) if (part := one.strip("0123456789"))]
    if "".join(parts) in ROLE_MAILBOXES:
        return True
    return any(part in ROLE_MAILBOXES for part in parts) and all(part in ROLE_MAILBOXES or part in _PLACES for part in parts)
