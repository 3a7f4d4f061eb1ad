# mypy: ignore-errors
# ruff: noqa: E402 (gevent patches the standard library before anything else is imported)
"""Celery, in an environment of its own: the gevent pool, which its documentation names for I/O.

celery_worker.py URL BROKER COUNT WINDOW

Settings for short tasks: no results, no gossip, mingle or heartbeats, replies parsed in C, the default of
four prefetched tasks for each in flight (64 are no faster), tasks acknowledged early (late is no faster). The
prefork pool spends as much CPU for a task, and has only as many messages in flight as it has processes.
"""

from gevent import monkey

monkey.patch_all()

import itertools
import json
import os
import resource
import sys
import threading

from celery import Celery
from celery.signals import task_failure, worker_ready
from gevent.fileobject import FileObject
from geventhttpclient import HTTPClient

url, broker = sys.argv[1:3]
count, window = map(int, sys.argv[3:])

app = Celery("bench", broker=broker)
app.conf.update(
    task_ignore_result=True,
    worker_disable_rate_limits=True,
    worker_redirect_stdouts=False,
    task_default_queue="nothing",
)
http = HTTPClient.from_url(url, concurrency=window)
ended = threading.Event()
done = itertools.count(1)


@app.task
def send(number):
    message_id = f"{number:032x}"
    body = {
        "id": message_id,
        "to": f"+999{number:09d}",
        "text": f"Olá Ana {number}, seu pedido {number} chegou. Responda SAIR para não receber mais.",
    }
    answer = http.post(
        "/",
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        headers={"Content-Type": "application/json", "Idempotency-Key": message_id},
    )
    answer.read()
    assert answer.status_code == 200
    if next(done) == count:
        ended.set()


@task_failure.connect
def failed(exception, **_):
    print(exception, file=sys.stderr, flush=True)
    os._exit(1)


@worker_ready.connect
def ready(**_):
    threading.Thread(target=control, daemon=True).start()


def control():
    """Enqueue everything for a queue that the worker reads only when it is told to."""
    with app.producer_pool.acquire() as producer:
        for number in range(count):
            send.apply_async((number,), queue="bench", producer=producer)
    lines = FileObject(sys.stdin.fileno(), "r")
    print("ready", flush=True)
    lines.readline()
    app.control.add_consumer("bench")
    ended.wait()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
    lines.readline()
    os._exit(0)


app.Worker(
    pool="gevent",
    concurrency=window,
    loglevel="ERROR",
    quiet=True,
    without_gossip=True,
    without_mingle=True,
    without_heartbeat=True,
).start()
