"""Metrics: the measures of an installation in the text format of Prometheus. Names, help and units are in one table each."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from storage.measures import Measures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def text_of(measures: Measures) -> bytes:
    """Return the measures as Prometheus reads them."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(measures))
    return generate_latest(registry)


class _Once(Collector):
    """Gives the metrics of one moment."""

    def __init__(self, measures: Measures) -> None:
        self._measures = measures

    def collect(self) -> Iterator[Metric]:
        yield from _of_leads(self._measures)
        yield from _of_processes(self._measures)
        yield from _of_messages(self._measures)
        yield from _of_the_trail(self._measures)
        yield from _to_look_at(self._measures)


def _of_leads(told: Measures) -> Iterator[Metric]:
    yield CounterMetricFamily("baton_leads_taken_in", "Leads that were taken in so far, by the highest number.", told.leads)
    leads = GaugeMetricFamily("baton_leads_open", "Open leads by stage, tier and agreement.", labels=("stage", "tier", "agreement"))
    for (stage, tier, agreement), count in sorted(told.open_leads.items()):
        leads.add_metric((stage, tier, agreement), count)
    yield leads
    yield GaugeMetricFamily("baton_leads_nurturing", "Leads in nurture.", told.nurturing)
    yield GaugeMetricFamily("baton_leads_held", "Leads that are stored and not started.", told.held)
    promises = GaugeMetricFamily(
        "baton_promises_open",
        "Open promises by clock and SLA status: on-track, due-soon (within an hour), breached.",
        labels=("clock", "sla"),
    )
    for (clock, standing), count in sorted(told.promises.items()):
        promises.add_metric((clock, standing), count)
    yield promises
    silence = GaugeMetricFamily(
        "baton_source_silence_seconds",
        "Time since the newest lead of each source heard within 28 days, for the 50 sources known longest.",
        labels=("source",),
    )
    for source, since in sorted(told.sources.items()):
        silence.add_metric((source,), since.total_seconds())
    yield silence


def _of_processes(told: Measures) -> Iterator[Metric]:
    build = InfoMetricFamily("baton_build", "The version of Baton that answers.")
    build.add_metric((), {"version": version("baton")})
    yield build
    yield GaugeMetricFamily("baton_workers", "Workers whose clock ticked within the last two minutes.", told.alive)
    if told.ticked_ago is not None:
        yield GaugeMetricFamily(
            "baton_clock_tick_age_seconds", "Real time since a worker's clock ticked last.", told.ticked_ago.total_seconds()
        )
    yield GaugeMetricFamily("baton_clock_lag_seconds", "For how long the oldest due work has waited.", told.lag.total_seconds())
    yield GaugeMetricFamily("baton_prefect_away", "1 where no worker reaches the Prefect server.", int(told.prefect_is_away))
    wakes = GaugeMetricFamily("baton_wakes_undelivered", "Due wakes that no attempt has read, by urgency.", labels=("urgency",))
    age = GaugeMetricFamily("baton_wake_age_seconds", "For how long the oldest such wake has been due, by urgency.", labels=("urgency",))
    for urgency, one in told.wakes.items():
        wakes.add_metric((urgency.name.lower(),), one.count)
        age.add_metric((urgency.name.lower(),), max(0.0, (told.now - one.oldest).total_seconds()) if one.oldest else 0)
    yield wakes
    yield age


def _of_messages(told: Measures) -> Iterator[Metric]:
    messages = GaugeMetricFamily(
        "baton_deliveries",
        "Messages by channel and state: under way now, sent or failed within the last hour.",
        labels=("channel", "state"),
    )
    for (channel, state), count in sorted(told.deliveries.items()):
        messages.add_metric((channel, state), count)
    yield messages


def _of_the_trail(told: Measures) -> Iterator[Metric]:
    yield CounterMetricFamily("baton_trail_events_sealed", "Events of the trail that are sealed.", told.sealed)
    yield GaugeMetricFamily("baton_trail_events_unsealed", "Events of the trail that wait for their seal.", told.unsealed)
    if told.head:
        head = InfoMetricFamily("baton_trail_head", "The newest head of the trail and the number of its seal.")
        head.add_metric((), {"seal": str(told.head[0]), "head": told.head[1]})
        yield head


def _to_look_at(told: Measures) -> Iterator[Metric]:
    mail = GaugeMetricFamily("baton_returned_mail_open", "Returned mail that nobody has looked at, by kind.", labels=("kind",))
    for kind, count in sorted(told.mail.items()):
        mail.add_metric((kind,), count)
    yield mail
    payloads = GaugeMetricFamily("baton_intake_payloads_kept", "Payloads that are not taken in yet, by intake door.", labels=("door",))
    for door, count in sorted(told.payloads.items()):
        payloads.add_metric((door,), count)
    yield payloads
    yield GaugeMetricFamily("baton_enrolments_unconfirmed", "Enrolments that wait for the marketing automation.", told.enrolments)
    alarms = GaugeMetricFamily("baton_alarms_open", "Open alarms by kind.", labels=("kind",))
    for alarm, count in sorted(told.alarms.items()):
        alarms.add_metric((alarm,), count)
    yield alarms
