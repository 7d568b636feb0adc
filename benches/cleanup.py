#!/usr/bin/env python3
"""Measures a cleanup with the release build: the verdict, deletions against `rm -r`, and refreshes with nothing to do.

    cargo build --release --bins
    benches/cleanup.py --applications 20000

Writes small archives (a summary and one job each) twice. The older half expires: in one copy it is deleted by `rm -r`, half of it
before and half of it after `historyserver cleanup` deletes it in the other, so that other load of the machine affects both. Then a
server with the same limit runs over the rest. Machines are noisy: compare figures of one run only.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import tempfile
import time

from arrival import CLUSTER, settle, write
from comparison.paths import RELEASE
from comparison.servers import Ours


def command(archives, data, keep, *arguments):
    """Runs `historyserver cleanup`; returns its output, its seconds and its CPU seconds."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [RELEASE / "historyserver", "-D", f"historyserver.archive.fs.dir={archives}", "-D", f"historyserver.data.dir={data}",
         "-D", f"historyserver.archive.retained-applications={keep}", "cleanup", "--json", *arguments],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=data.parent)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout), time.monotonic() - started, cpu


def remove(root, names):
    """Deletes applications as an operator would; returns the seconds."""
    folder = root / CLUSTER / "applications"
    started = time.monotonic()
    subprocess.run(["xargs", "-0", "rm", "-r", "--"], input="\0".join(names).encode(), check=True, cwd=folder)
    return time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--applications", type=int, default=20_000)
    parser.add_argument("--refreshes", type=int, default=50)
    arguments = parser.parse_args()
    keep = arguments.applications // 2
    with tempfile.TemporaryDirectory(prefix="historyserver-measure-") as folder:
        folder = pathlib.Path(folder)
        ours, theirs, data = folder / "ours", folder / "theirs", folder / "data"
        now = time.time_ns() // 1_000_000
        for root in (ours, theirs):
            for number in range(arguments.applications):
                end = now - 86_400_000 - number * 1_000
                write(root, number, end)
                settle(root, number, end)
        os.sync()
        preview, seconds, cpu = command(ours, data, keep, "--dry-run")
        expired = [row["application"] for row in preview["removals"]]
        assert len(expired) == arguments.applications - keep
        print(f"verdict on {arguments.applications}: {seconds:.2f} s, {cpu:.2f} s of CPU, as `cleanup --dry-run` prints it")

        half = len(expired) // 2
        before = remove(theirs, expired[:half])
        done, seconds, cpu = command(ours, data, keep)
        after = remove(theirs, expired[half:])
        report = done["report"]
        assert report["deleted"] == len(expired) and report["failed"] == 0, report
        took = report["took_ms"] / 1000
        print(f"rm -r: {before:.2f} s and {after:.2f} s, {len(expired) / (before + after):.0f} a second")
        print(f"cleanup: {took:.2f} s, {len(expired) / took:.0f} a second, {(before + after) / took:.0%} of the speed of rm -r; "
              f"the whole command {seconds:.2f} s, {cpu:.2f} s of CPU")

        server = Ours(RELEASE / "historyserver", ours, data, f"historyserver.archive.retained-applications={keep}",
                      "historyserver.archive.fs.refresh-interval=20 ms")
        server.wait(server.answers)
        server.wait(lambda: server.status()["figures"]["applications"] == keep)
        finished = lambda: server.status()["refresh"]["finished"]
        at = finished() + 5
        server.wait(lambda: finished() >= at)
        at, spent = finished(), server.cpu()
        time.sleep(0.05 * arguments.refreshes)
        server.wait(lambda: finished() >= at + arguments.refreshes)
        at, spent = finished() - at, server.cpu() - spent
        print(f"a refresh with nothing to do: {spent / at * 1000:.1f} ms of CPU, its listing included: "
              f"{spent / at * 1e6 / keep:.2f} ms per 1,000 applications; load {os.getloadavg()[0]:.1f}")
        server.stop()


if __name__ == "__main__":
    main()
