#!/usr/bin/env python3
"""Measures how long a new application takes to be listed, with default settings, among many existing ones.

    cargo build --release --bins
    benches/arrival.py --applications 100000

Writes small archives (a summary and one job each), waits until all are listed, then writes applications one after another as a
JobManager does: job archive first, summary last. Prints seconds from the last byte of the summary until it is listed.
"""

import argparse
import json
import os
import pathlib
import tempfile
import time

from comparison.paths import RELEASE
from comparison.servers import Ours

CLUSTER = "0" * 32


def archive(entries):
    return json.dumps({"archive": [{"path": path, "json": json.dumps(document)} for path, document in entries]})


def write(root, number, end):
    """Writes one application; returns its id."""
    application, job = f"{number:032x}", f"{number + (1 << 64):032x}"
    folder = root / CLUSTER / "applications" / application
    (folder / "jobs").mkdir(parents=True)
    times = {"start-time": end - 60_000, "end-time": end, "duration": 60_000}
    tasks = {"total": 1, "finished": 1}
    listed = {"jid": job, "name": f"job {number}", "state": "FINISHED", "last-modification": end, "tasks": tasks, **times}
    (folder / "jobs" / job).write_text(archive([("/jobs/overview", {"jobs": [listed]}), (f"/jobs/{job}/config", {"jid": job})]))
    overview = {"id": application, "name": f"application {number}", "status": "FINISHED", "jobs": {"FINISHED": 1}, **times}
    details = {"id": application, "name": f"application {number}", "status": "FINISHED", "jobs": [listed], **times}
    summary = [("/applications/overview", {"applications": [overview]}), (f"/applications/{application}", details)]
    (folder / "application-summary").write_text(archive(summary))
    return application


def settle(root, number, end):
    """Sets the times of the files of an application to its end."""
    folder = root / CLUSTER / "applications" / f"{number:032x}"
    for path in (folder / "jobs" / f"{number + (1 << 64):032x}", folder / "application-summary"):
        os.utime(path, (end / 1000, end / 1000))


def newest(server):
    """Id of the first application of the list: one row, so that the request costs next to nothing."""
    items = json.loads(server.get("/api/v1/applications?limit=1")[1])["items"]
    return items[0]["id"] if items else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--applications", type=int, default=100_000)
    parser.add_argument("--arrivals", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="historyserver-measure-") as folder:
        folder = pathlib.Path(folder)
        archives = folder / "archives"
        now = time.time_ns() // 1_000_000
        for number in range(arguments.applications):
            end = now - 86_400_000 - number * 1_000
            write(archives, number, end)
            settle(archives, number, end)
        server = Ours(RELEASE / "historyserver", archives, folder / "data")
        server.wait(server.answers)
        server.wait(lambda: server.status()["refresh"]["finished"] > 1)
        took = []
        for number in range(arguments.arrivals):
            cpu = server.cpu()
            application = write(archives, arguments.applications + number, time.time_ns() // 1_000_000)
            written = time.monotonic()
            while newest(server) != application:
                time.sleep(0.02)
            took.append(time.monotonic() - written)
            print(f"listed after {took[-1]:.2f} s, {server.cpu() - cpu:.2f} s of CPU", flush=True)
            time.sleep(3)
        directory = server.status()["refresh"]["directories"][0]
        took.sort()
        print(f"among {arguments.applications}: median {took[len(took) // 2]:.2f} s, slowest {took[-1]:.2f} s; "
              f"last look {directory['look_ms']} ms, last audit {directory['audit_ms']} ms; load {os.getloadavg()[0]:.1f}")
        server.stop()


if __name__ == "__main__":
    main()
