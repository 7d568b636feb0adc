"""Measures this server beside Flink's own, nginx and the limits of the machine, in one run.

    make bench              everything, about 25 minutes on two CPUs; writes benches/figures.json and BENCHMARKS.md
    make bench-quick        the most important rows at 4,000 applications, in three minutes; prints them
    make bench BENCH="--only ours,flink --rounds 2 --sizes 1000"

Figures of parts of a run go to target/bench, never into BENCHMARKS.md.
"""

import argparse
import datetime
import json
import pathlib
import shutil
import signal
import sys
import tempfile
import time

from . import archives, limits, machine, measures, report, servers
from .install import install
from .paths import FIGURES, MEMORY, PAGE, RELEASE, ROOT, WORK
from .processes import files, forget
from .servers import Flinks, Nginx, Ours, encoded

SIZES = (1_000, 4_000, 20_000, 100_000)
CONTENDERS = ("ours", "flink", "flink-memory", "limits")
ROUNDS = 5
DOCUMENTS = 2_500
# Flink's server takes about two minutes for 20,000 applications, and all that it wrote must be deleted.
MOST_ROUNDS = {("flink", 20_000): 2, ("ours", 100_000): 2, ("limits", 100_000): 1}
# The sizes at which documents are requested, and overviews of many applications. A run without them takes its least and its largest.
SERVED, MANY = 4_000, 20_000


class Run:
    """The figures of a run: values of all rounds by size, contender and name."""

    def __init__(self, options):
        self.options = options
        self.samples = {}

    def figures(self, size, contender):
        def record(name, value):
            self.samples.setdefault((size, contender, name), []).append(value)
            print(f"  {size:>7} {contender:<14} {name:<34} {value:,.3f}", flush=True)
        return record

    def rounds(self, contender, size):
        """How often a contender is measured at a size; 0: not at all."""
        if contender not in self.options.only or (contender.startswith("flink") and size > MANY):
            return 0
        if contender == "flink-memory" and size != self.options.served:
            return 0
        return min(self.options.rounds, MOST_ROUNDS.get((contender, size), self.options.rounds))

    def result(self):
        return [{"size": size, "contender": contender, "figure": name, "values": [round(value, 6) for value in values]}
                for (size, contender, name), values in self.samples.items()]


def ours(run, size, made, folder, first, documents):
    """One round of this server."""
    figures, options = run.figures(size, "ours"), run.options
    binary, data = options.binaries / "historyserver", folder / "ours"
    server = Ours(binary, made.folder, data)
    try:
        measures.first_refresh(server, made, figures)
        if options.quick:
            measures.warm_documents(server, documents, options.seconds, figures)
        else:
            measures.memory_of_downloads(server, 2, figures)
        server.stop()
        measures.disk(data, figures)
        if options.quick:
            return
        server = measures.restart(lambda: Ours(binary, made.folder, data), made, figures)
        if size == options.served:
            measures.warm_documents(server, documents, options.seconds, figures)
        if size in (options.served, options.many):
            measures.overviews(server, folder, 2, figures)
        if first:
            measures.idle(server, 20, figures)
        measures.arrival(server, made, options.newcomers, figures)
        server.stop()
        if size == options.served:
            server = Ours(binary, made.folder, data, *servers.without_cache(binary))
            server.wait(lambda: server.get("/readyz")[0] == 200)
            measures.warm_documents(server, documents, options.seconds, figures, "uncached")
            server.stop()
            forget(path for path, stat in files(data) if pathlib.Path(path).is_file())
            server = Ours(binary, made.folder, data)
            server.wait(lambda: server.get("/readyz")[0] == 200)
            measures.cold_documents(server, documents, figures)
        server.stop()
        if size == options.many:
            measures.unread_jobs(lambda: Ours(binary, made.folder, folder / "unread"), made, figures)
    finally:
        server.stop()
        shutil.rmtree(data)
        shutil.rmtree(folder / "unread", ignore_errors=True)


def flink(run, size, made, folder, first, documents, name="flink"):
    """One round of Flink's server, and of nginx with the files that it wrote."""
    figures, options = run.figures(size, name), run.options
    root = pathlib.Path(tempfile.mkdtemp(prefix="historyserver-bench-", dir=MEMORY if name == "flink-memory" else folder))
    server, nginx = Flinks(made, root / "flink"), None
    try:
        measures.first_refresh(server, made, figures)
        if name == "flink-memory":
            return
        measures.disk(server.web, figures)
        if size == options.served:
            measures.warm_documents(server, documents, options.seconds, figures)
            nginx = Nginx(server.web, root / "nginx")
            nginx.wait(nginx.answers)
            if first:
                check(options, made, server, nginx, root)
            measures.warm_documents(nginx, documents, options.seconds, run.figures(size, "nginx"))
        if options.quick:
            return
        if size == options.served:
            for one in (server, nginx):
                forget(server.web / f"{path.lstrip('/')}.json" for path in options.paths)
                measures.cold_documents(one, documents, run.figures(size, "nginx" if one is nginx else name))
            measures.memory_of_downloads(server, 2, figures)
        if size in (options.served, options.many):
            measures.overviews(server, folder, 2, figures)
        if first:
            measures.idle(server, 20, figures)
        measures.arrival(server, made, options.newcomers, figures)
    finally:
        if nginx:
            nginx.stop()
        server.stop()
        shutil.rmtree(root)


def check(options, made, server, nginx, folder):
    """All three answer the same to each of the documents."""
    mine = Ours(options.binaries / "historyserver", made.folder, folder / "check")
    try:
        mine.wait(mine.read)
        measures.compare((server, mine, nginx), options.paths)
    finally:
        mine.stop()


def alone(run, size, made, folder, first, documents):
    limits.cat(made, run.figures(size, "cat"))
    limits.parse_and_pack(run.options.binaries / "examples", made, run.figures(size, "parse-and-pack"))


def in_memory(run, size, made, folder, first, documents):
    flink(run, size, made, folder, first, documents, "flink-memory")


MEASURED = {"ours": ours, "flink": flink, "flink-memory": in_memory, "limits": alone}


def measure(run):
    options = run.options
    contents = {}
    WORK.mkdir(parents=True, exist_ok=True)
    options.newcomers = archives.made(options.binaries / "examples", 100, seed=2)
    with tempfile.TemporaryDirectory(prefix="run-", dir=WORK) as folder:
        folder = pathlib.Path(folder)
        for size in options.sizes:
            made = archives.made(options.binaries / "examples", size)
            contents[size] = {"applications": made.applications, "jobs": made.jobs, "files": made.files, "bytes": made.bytes}
            options.paths = made.documents(DOCUMENTS) if size == options.served else []
            documents = folder / "documents"
            documents.write_text("".join(encoded(path) + "\n" for path in options.paths))
            # From the page cache for all: no contender is the one that reads the archives from the disk.
            limits.cat(made, lambda name, value: None)
            for number in range(options.rounds):
                order = [name for name in CONTENDERS if number < run.rounds(name, size)]
                for name in order if number % 2 == 0 else reversed(order):
                    print(f"round {number + 1}: {name}, {size:,} applications", flush=True)
                    MEASURED[name](run, size, made, folder, number == 0, documents)
                    # What a later failure would lose.
                    (WORK / "samples.json").write_text(json.dumps(run.result()))
    return contents


def arguments():
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = lambda text: tuple(text.split(","))
    parser.add_argument("--only", type=names, default=CONTENDERS, help=f"some of {','.join(CONTENDERS)}; nginx runs with flink")
    parser.add_argument("--rounds", type=int, default=None, help=f"rounds (default {ROUNDS})")
    parser.add_argument("--sizes", type=lambda text: tuple(int(size) for size in text.split(",")), default=None,
                        help="numbers of applications")
    parser.add_argument("--seconds", type=int, default=3, help="seconds of each load of documents (default 3)")
    parser.add_argument("--quick", action="store_true", help="only the most important rows")
    parser.add_argument("--keep", action="store_true", help="write benches/figures.json and BENCHMARKS.md even of a part of a run")
    parser.add_argument("--remark", help="a sentence about the run, for the page")
    parser.add_argument("--binaries", type=pathlib.Path, default=RELEASE, help="folder of the built programs")
    parser.add_argument("--page", action="store_true", help="measure nothing: print BENCHMARKS.md as made from the committed figures")
    options = parser.parse_args()
    unknown = [name for name in options.only if name not in CONTENDERS]
    if unknown:
        parser.error(f"--only takes some of {', '.join(CONTENDERS)}, not {', '.join(unknown)}")
    options.whole = options.only == CONTENDERS and options.rounds is None and options.sizes is None and not options.quick
    options.rounds = options.rounds or (2 if options.quick else ROUNDS)
    options.sizes = options.sizes or ((SERVED,) if options.quick else SIZES)
    options.served = SERVED if SERVED in options.sizes else min(options.sizes)
    options.many = MANY if MANY in options.sizes else max(options.sizes)
    options.binaries = options.binaries.resolve()
    if options.quick and options.only == CONTENDERS:
        options.only = ("ours", "flink")
    return options


def main():
    options = arguments()
    if options.page:
        print(report.page(json.loads(FIGURES.read_text()), report.notes()), end="")
        return
    # Servers are stopped and folders removed as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    install()
    began, moment = time.monotonic(), datetime.datetime.now(datetime.UTC)
    run = Run(options)
    contents = measure(run)
    found = {
        "date": moment.date().isoformat(), "minutes": round((time.monotonic() - began) / 60, 1), "commit": machine.commit(),
        "machine": machine.machine(), "versions": machine.versions(options.binaries / "historyserver"), "archives": contents,
        "rounds": options.rounds, "documents": DOCUMENTS, "remark": options.remark, "samples": run.result(),
    }
    # JSON has no numbers as keys.
    found = json.loads(json.dumps(found))
    if options.whole or options.keep:
        FIGURES.write_text(report.figures_text(found))
        PAGE.write_text(report.page(found, report.notes()))
        print(f"written: {FIGURES.relative_to(ROOT)} and {PAGE.relative_to(ROOT)}")
    else:
        target = WORK / "figures.json"
        target.write_text(report.figures_text(found))
        print(f"\n{report.summary(found)}\nAll figures: {target}")


main()
