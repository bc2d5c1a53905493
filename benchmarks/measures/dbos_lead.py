"""A separate program: leads with one wait and one answer as DBOS workflows. It needs DBOS and nothing from Baton.

python dbos_lead.py URL LEADS AT_ONCE prints JSON: leads a second, processor seconds, and what is wrong at the end.
"""

from __future__ import annotations

import json
import queue
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import version

# Without DBOS installed mypy knows none of these names, with it all of them: hence "unused-ignore" on each line.
from dbos import DBOS, DBOSConfig, SetWorkflowID  # type: ignore[import-not-found, unused-ignore]
from sqlalchemy import Engine, create_engine, text

#: The same number of steps as a lead in Baton takes until it waits. Each one writes a row.
STEPS = ("screen", "qualify", "document", "assign", "notify", "acceptance")
WAITS = queue.SimpleQueue[int]()
ENGINE: list[Engine] = []


@DBOS.step()  # type: ignore[untyped-decorator, unused-ignore]
def write(lead: int, step: str) -> None:
    """Write the row of one step."""
    with ENGINE[0].begin() as connection:
        connection.execute(text("INSERT INTO steps (lead, step) VALUES (:lead, :step)"), {"lead": lead, "step": step})


@DBOS.workflow()  # type: ignore[untyped-decorator, unused-ignore]
def carry_out(lead: int) -> str:
    """Take the steps, wait for one answer, and take the last step."""
    for step in STEPS:
        write(lead, step)
    WAITS.put(lead)
    answer = DBOS.recv("answer", timeout_seconds=600)
    write(lead, f"answered {answer}")
    return str(answer)


def run(leads: int, at_once: int) -> float:
    """Carry out `leads` leads with `at_once` of them under way, and return the seconds it took."""
    began, ended = time.monotonic(), queue.SimpleQueue[int]()
    results: list[Future[None]] = []
    with ThreadPoolExecutor(at_once) as waiting:
        for number in range(min(at_once, leads)):
            _start(number, waiting, results, ended)
        started = min(at_once, leads)
        answered = finished = 0
        while finished < leads:
            while answered < started and not WAITS.empty():
                DBOS.send(_name(WAITS.get()), "rejected", "answer")
                answered += 1
            try:
                ended.get(timeout=0.005)
            except queue.Empty:
                continue
            finished += 1
            if started < leads:
                _start(started, waiting, results, ended)
                started += 1
    for one in results:
        one.result()
    return time.monotonic() - began


def _name(lead: int) -> str:
    return f"lead-{RUN[0]}-{lead}"


RUN = [0]


def _start(lead: int, waiting: ThreadPoolExecutor, results: list[Future[None]], ended: queue.SimpleQueue[int]) -> None:
    with SetWorkflowID(_name(lead)):
        handle = DBOS.start_workflow(carry_out, lead)

    def wait() -> None:
        handle.get_result()
        ended.put(lead)

    results.append(waiting.submit(wait))


def main(url: str, leads: int, at_once: int) -> None:
    """Measure and print."""
    ENGINE.append(create_engine(url.replace("postgresql://", "postgresql+psycopg://"), pool_size=at_once))
    with ENGINE[0].begin() as connection:
        connection.execute(text("CREATE TABLE steps (id bigserial PRIMARY KEY, lead int, step text, at timestamptz DEFAULT now())"))
    DBOS(config=DBOSConfig(name="benchmark", system_database_url=url, log_level="WARNING"))
    DBOS.launch()
    run(20, at_once)
    RUN[0] += 1
    cpu = time.process_time()
    seconds = run(leads, at_once)
    cpu = time.process_time() - cpu
    ended = DBOS.list_workflows(status="SUCCESS", load_input=False, load_output=False)
    with ENGINE[0].begin() as connection:
        written = connection.execute(text("SELECT count(*) FROM steps")).scalar_one()
    wrong = []
    if len(ended) != leads + 20:
        wrong.append(f"{len(ended)} workflows of {leads + 20} succeeded")
    if written != (leads + 20) * (len(STEPS) + 1):
        wrong.append(f"{written} rows are written")
    DBOS.destroy()
    found = {"leads": leads, "at_once": at_once, "seconds": seconds, "leads_per_s": leads / seconds}
    print(json.dumps({**found, "cpu_s_per_lead": cpu / leads, "wrong_ends": wrong, "dbos": version("dbos")}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
