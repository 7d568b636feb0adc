#!/usr/bin/env python3
"""Measures a first refresh and the refreshes after it, with the release build, over generated archives.

    cargo build --release --bins --examples
    benches/first_refresh.py --applications 4000
    benches/first_refresh.py --applications 100000 --idle-only

Prints seconds to the first and to all listed applications, CPU seconds, peak resident memory, bytes of the index, files on
disk, and the CPU of a refresh with nothing new. Machines are noisy: compare figures of one run only.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = ROOT / "target" / "release"
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def status_field(pid, name):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise KeyError(name)


class Server:
    def __init__(self, archives, data, *options):
        arguments = [RELEASE / "historyserver", "-D", f"historyserver.archive.fs.dir={archives}",
                     "-D", f"historyserver.data.dir={data}", "-D", "historyserver.web.port=0"]
        for option in options:
            arguments += ["-D", option]
        self.started = time.monotonic()
        self.process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, cwd=data.parent)
        self.pid = self.process.pid
        for line in self.process.stderr:
            if "listening at " in line:
                self.base = line.split("listening at ", 1)[1].split()[0].rstrip(",/")
                break
        else:
            raise SystemExit("the server ended before it listened")
        os.set_blocking(self.process.stderr.fileno(), False)

    def get(self, path):
        with urllib.request.urlopen(self.base + path) as response:
            return response.read()

    def status(self):
        return json.loads(self.get("/api/v1/status"))

    def applications(self):
        return self.status()["figures"]["applications"]

    def wait(self, condition):
        while not condition():
            try:
                self.process.stderr.read()
            except (TypeError, OSError):
                pass
            time.sleep(0.005)
        return time.monotonic() - self.started

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--applications", type=int, default=4000)
    parser.add_argument("--archives", help="use these archives instead of generating some")
    parser.add_argument("--idle-only", action="store_true", help="print only the cost of a refresh with nothing new")
    parser.add_argument("--refreshes", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="historyserver-measure-") as folder:
        folder = pathlib.Path(folder)
        archives, data = folder / "archives", folder / "data"
        if arguments.archives:
            archives = pathlib.Path(arguments.archives).resolve()
        else:
            subprocess.run([RELEASE / "examples" / "generate_archives", "--applications", str(arguments.applications), "--seed", "1",
                            "--out", archives], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        sizes = [path.stat().st_size for path in archives.rglob("*") if path.is_file()]
        server = Server(archives, data, "historyserver.archive.fs.refresh-interval=1 h")
        first = server.wait(lambda: server.applications() > 0)
        everything = server.wait(lambda: server.status()["refresh"]["finished"] > 0)
        listed = server.applications()
        if not arguments.idle_only:
            figures = server.status()["figures"]
            files = [path for path in data.rglob("*") if path.is_file()]
            raw = sum(sizes)
            print(f"archives: {listed} applications listed, {len(sizes)} files, {raw / 1e6:.0f} MB")
            print(f"first listed: {first:.2f} s; all: {everything:.2f} s; CPU {cpu_seconds(server.pid):.2f} s; "
                  f"peak memory {status_field(server.pid, 'VmHWM:') / 1e6:.0f} MB")
            lists = figures["file_bytes"] - figures["pack_bytes"]
            print(f"packs {figures['pack_bytes'] / raw:.1%}, lists {lists / raw:.1%} of the archives' bytes; "
                  f"{len(files)} files on disk")
        server.stop()
        for kind, interval in (("look or audit as due", "1 s"),):
            server = Server(archives, data, f"historyserver.archive.fs.refresh-interval={interval}")
            ready = server.wait(lambda: server.applications() > 0)
            server.wait(lambda: server.status()["refresh"]["finished"] >= 2)
            before, finished = cpu_seconds(server.pid), server.status()["refresh"]["finished"]
            server.wait(lambda: server.status()["refresh"]["finished"] >= finished + arguments.refreshes)
            spent = cpu_seconds(server.pid) - before
            done = server.status()["refresh"]["finished"] - finished
            directory = server.status()["refresh"]["directories"][0]
            print(f"restart: ready after {ready:.2f} s; idle refresh ({kind}): {spent / done * 1000:.1f} ms of CPU each, these requests included; "
                  f"last look {directory['look_ms']} ms, last audit {directory['audit_ms']} ms")
            server.stop()


if __name__ == "__main__":
    main()
