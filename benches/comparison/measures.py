"""What is measured on a server. Each function records its figures in `figures`, a function of name and value."""

import http.client
import random
import threading
import time

from .archives import arrive
from .load import load
from .processes import disk_use
from .servers import Failed, encoded

OVERVIEWS = ("applications", "jobs")


def first_refresh(server, archives, figures):
    """From the start of the process with an empty data directory until everything is read."""
    complete = (archives.applications, archives.jobs)
    figures("http_seconds", server.wait(server.answers))
    figures("first_seconds", server.wait(lambda: server.listed()[0] > 0))
    # A cheap question first; then both overviews are read to the end: the moment counts when they have everything.
    server.wait(lambda: server.get(f"/applications/{archives.oldest}")[0] == 200)
    listed = server.wait(lambda: server.counts() == complete)
    figures("listed_seconds", listed)
    figures("listed_cpu_seconds", server.cpu())
    # Flink's server reads everything before it lists anything.
    figures("read_seconds", server.wait(server.read) if hasattr(server, "read") else listed)
    figures("cpu_seconds", server.cpu())
    figures("peak_memory_bytes", server.memory())


def disk(folder, figures):
    size, inodes = disk_use(folder)
    figures("disk_bytes", size)
    figures("inodes", inodes)


def warm_documents(server, paths, seconds, figures, prefix="warm"):
    load(server, paths, 1)
    found = load(server, paths, seconds)
    figures(f"{prefix}_documents_per_second", found["per_second"])
    figures(f"{prefix}_p99_ms", found["p99_us"] / 1000)


def cold_documents(server, paths, figures):
    """Each document once. The caller has taken the files out of the page cache."""
    found = load(server, paths, 2, once=True)
    figures("cold_documents_per_second", found["per_second"])
    figures("cold_p99_ms", found["p99_us"] / 1000)


def overviews(server, folder, seconds, figures):
    """Both overviews, requested with `Accept-Encoding: gzip` by four clients."""
    for name in OVERVIEWS:
        paths = folder / f"{name}-overview"
        paths.write_text(f"/{name}/overview\n")
        found = load(server, paths, seconds, connections=4, gzip=True)
        figures(f"{name}_overview_per_second", found["per_second"])
        figures(f"{name}_overview_bytes", found["bytes"] / max(found["requests"], 1))


def memory_of_downloads(server, seconds, figures):
    """The peak of memory since the start, after four clients downloaded an overview without gzip again and again."""
    end = time.monotonic() + seconds

    def client():
        while time.monotonic() < end:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
            connection.request("GET", "/jobs/overview")
            answer = connection.getresponse()
            while answer.read(1 << 16):
                pass
            connection.close()

    clients = [threading.Thread(target=client) for _ in range(4)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    figures("downloads_memory_bytes", server.memory())


def arrival(server, archives, newcomers, figures):
    """From the last byte of the summary of a new application until its document is there; the interval between refreshes is the default."""
    # A random moment between two refreshes.
    time.sleep(random.random() * 2)
    application, remove = arrive(archives, newcomers)
    try:
        written = time.monotonic()
        server.wait(lambda: server.get(f"/applications/{application}")[0] == 200)
        figures("arrival_seconds", time.monotonic() - written)
    finally:
        remove()


def idle(server, seconds, figures):
    """CPU of a server without requests, in percent of one CPU; the interval between refreshes is the default."""
    before = server.cpu()
    time.sleep(seconds)
    figures("idle_cpu_percent", (server.cpu() - before) / seconds * 100)


def restart(start, archives, figures):
    """A second start with the same data directory, until it is ready and lists everything; returns the server."""
    server = start()
    complete = (archives.applications, archives.jobs)
    figures("restart_seconds", server.wait(lambda: server.get("/readyz")[0] == 200 and server.listed() == complete, 0.002))
    return server


def unread_jobs(start, archives, figures):
    """Requests for jobs during a first refresh, oldest first, which the refresh reads last. A job that is not listed yet is asked again."""
    jobs = iter([path.rsplit("/", 1)[1] for path in archives.job_archives()])
    server = start()
    try:
        server.wait(server.answers)
        took = answered_while_reading(server, jobs)
    finally:
        server.stop()
    if took:
        took.sort()
        figures("unread_p99_ms", took[int(len(took) * 0.99)])
    figures("unread_requests", len(took))


def answered_while_reading(server, jobs):
    """Milliseconds of the requests that were answered before everything was read."""
    took, job, checked = [], next(jobs), 0.0
    while True:
        if time.monotonic() - checked > 0.1:
            checked = time.monotonic()
            if server.read():
                return took
        began = time.monotonic()
        status, _ = server.get(f"/jobs/{job}/config")
        if status == 200:
            took.append((time.monotonic() - began) * 1000)
            job = next(jobs, None)
            if job is None:
                return took
        elif status not in (0, 404, 503):
            raise Failed(f"{server.name} answered {status} to a request for the job {job}")
        elif server.process.poll() is not None:
            raise Failed(f"{server.name} ended with code {server.process.returncode}: see {server.log}")
        time.sleep(0.003)


def compare(servers, documents):
    """Every document has the same bytes from all servers."""
    first, *others = servers
    for path in documents:
        status, body = first.get(encoded(path))
        for other in others:
            if (status, body) != other.get(encoded(path)) or status != 200:
                raise Failed(f"{first.name} and {other.name} do not answer the same to {path}")
