#!/usr/bin/env python3
"""Measures a server under load: the time of a probe, of metrics and of a document while many clients repeat one kind of expensive
request, and the memory for clients that send a request and do not read the answer.

    cargo build --release --bins --examples
    benches/under_load.py --applications 8000

The clients are other processes on the same machine, so they compete with the server for its processors. A client that gets a 503 repeats
its request after half a second. Machines are noisy: compare figures of one run only.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import pathlib
import resource
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse

from comparison.paths import RELEASE, ROOT
from comparison.servers import Ours

WORDS = "org apache flink java runtime source exception task util concurrent"


def repeat(address, path, connections):
    """Clients that repeat one request without end."""

    def client():
        while True:
            connection = http.client.HTTPConnection(*address, timeout=120)
            try:
                while True:
                    connection.request("GET", path)
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status in (429, 503):
                        time.sleep(0.5)
            except (OSError, http.client.HTTPException):
                connection.close()
                time.sleep(0.5)

    for _ in range(connections):
        threading.Thread(target=client, daemon=True).start()
    time.sleep(3600)


def percentiles(address, paths, seconds):
    """p50 and p99 in milliseconds of each path, requested in turn."""
    times = {path: [] for path in paths}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for path in paths:
            began = time.monotonic()
            connection = http.client.HTTPConnection(*address, timeout=60)
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            connection.close()
            assert answer.status == 200, f"{path}: {answer.status}"
            times[path].append((time.monotonic() - began) * 1000)
        time.sleep(0.02)
    times = {}
    for path, found in times.items():
        found.sort()
        times[path] = (found[len(found) // 2], found[int(len(found) * 0.99)])
    return times


def stalled(address, path, headers=""):
    """A client that sends a request and does not read the answer."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(20)
    client.connect(address)
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode())
    return client


def growth(server, address, path, headers, clients):
    """Bytes by which resident memory grows while this number of clients do not read their answers."""
    before = peak = server.memory("VmRSS:")
    waiting = [stalled(address, path, headers) for _ in range(clients)]
    grew = time.monotonic()
    while time.monotonic() - grew < 4:
        time.sleep(0.1)
        now = server.memory("VmRSS:")
        if now > peak * 1.01:
            peak, grew = now, time.monotonic()
    for client in waiting:
        client.close()
    return peak - before


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--applications", type=int, default=8000)
    parser.add_argument("--clients", type=int, default=100, help="clients that repeat an expensive request")
    parser.add_argument("--stalled", type=int, default=1000, help="clients that do not read their answers")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--only", help="measure only kinds whose name contains this text")
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="historyserver-measure-") as folder:
        folder = pathlib.Path(folder)
        archives = folder / "archives"
        subprocess.run([RELEASE / "examples" / "generate_archives", "--applications", str(arguments.applications), "--seed", "1",
                        "--out", archives], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        write_large(archives)
        server = Ours(RELEASE / "historyserver", archives, folder / "data", "historyserver.archive.fs.refresh-interval=1 h",
                      "historyserver.web.max-connections=2048", "historyserver.web.max-connections-per-client=2048")
        server.wait(server.answers)
        server.wait(lambda: server.status()["refresh"]["finished"] > 0)
        address = ("127.0.0.1", server.port)
        job = json.loads(server.get("/jobs/overview")[1])["jobs"][100]
        name = urllib.parse.quote(job["name"])
        kinds = {
            "nothing": None,
            "a search": "/api/v1/search?q=" + urllib.parse.quote_plus(WORDS),
            "statistics": "/api/v1/statistics",
            "facets under a filter": "/api/v1/jobs/facets?by=status,day&min-duration=1",
            "a filtered list": "/api/v1/jobs?name=e&sort=duration&limit=1000",
            "a history": f"/api/v1/jobs/history?name={name}&limit=1000",
            "an export": "/api/v1/jobs/export",
            "/jobs/overview without gzip": "/jobs/overview",
            "a download": f"/api/v1/jobs/{LARGE}/archive",
            "a document of 6 MB": f"/jobs/{LARGE}/config",
            "/api/v1/openapi.json": "/api/v1/openapi.json",
        }
        paths = [f"/jobs/{job['jid']}/config", "/readyz", "/metrics"]
        print(f"{arguments.clients} clients of one kind: p50 and p99 in ms of a document, /readyz, /metrics")
        for kind, path in kinds.items():
            if arguments.only and arguments.only not in kind:
                continue
            load = None
            if path is not None:
                context = multiprocessing.get_context("fork")
                load = context.Process(target=repeat, args=(address, path, arguments.clients), daemon=True)
                load.start()
                time.sleep(2)
            found = percentiles(address, paths, arguments.seconds)
            if load is not None:
                load.terminate()
                load.join()
            print(f"  {kind}: " + ", ".join(f"{p50:.1f} / {p99:.1f}" for p50, p99 in found.values()), flush=True)
            time.sleep(1)
        print(f"{arguments.stalled} clients that do not read their answers: growth of resident memory")
        for kind, path, headers in [
            ("a download", f"/api/v1/jobs/{LARGE}/archive", ""),
            ("an export", "/api/v1/jobs/export?format=ndjson", ""),
            ("an export, gzip", "/api/v1/jobs/export?format=ndjson", "Accept-Encoding: gzip\r\n"),
            ("a document", f"/jobs/{LARGE}/config", ""),
            ("a document, gzip", f"/jobs/{LARGE}/config", "Accept-Encoding: gzip\r\n"),
            ("/jobs/overview", "/jobs/overview", ""),
            ("/jobs/overview, gzip", "/jobs/overview", "Accept-Encoding: gzip\r\n"),
            ("a page of a list", "/api/v1/jobs?limit=1000", ""),
            ("a page of a search", "/api/v1/search?limit=100&q=" + urllib.parse.quote_plus(WORDS), ""),
        ]:
            if arguments.only and arguments.only not in kind:
                continue
            grown = growth(server, address, path, headers, arguments.stalled)
            print(f"  {kind}: {grown / 1e6:.0f} MB", flush=True)
            time.sleep(1)
        server.stop()


LARGE = f"{0x217:032x}"


def write_large(archives):
    """A legacy job archive with a document of 6 MB that can hardly be compressed."""
    text = os.urandom(3_000_000).hex()
    end = time.time_ns() // 1_000_000 - 3_600_000
    overview = {"jid": LARGE, "name": "large", "state": "FINISHED", "start-time": end - 1000, "end-time": end, "duration": 1000,
                "last-modification": end, "tasks": {"total": 1, "finished": 1}}
    entries = {"/jobs/overview": {"jobs": [overview]}, f"/jobs/{LARGE}/config": {"jid": LARGE, "name": text}}
    archive = {"archive": [{"path": path, "json": json.dumps(document)} for path, document in entries.items()]}
    (archives / LARGE).write_text(json.dumps(archive))


if __name__ == "__main__":
    main()
