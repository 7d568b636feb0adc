"""BENCHMARKS.md from the figures of a run. It measures nothing: the same figures always make the same page."""

import json
import statistics

from .aims import verdicts
from .paths import NOTES

NAMES = {"ours": "this server", "flink": "Flink's server", "flink-memory": "Flink's server, web directory in memory",
         "nginx": "nginx, the same files", "cat": "`cat`", "parse-and-pack": "parse and compress"}


def seconds(value):
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s" if value < 100 else f"{value:.0f} s"


def megabytes(value):
    return f"{value / 1e6:,.1f} MB" if value < 1e7 else f"{value / 1e6:,.0f} MB"


def count(value):
    return f"{value:,.0f}"


def rate(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def milliseconds(value):
    return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"


def percent(value):
    return f"{value:.2f} %"


REFRESH = (
    ("http_seconds", "answers HTTP", seconds), ("first_seconds", "first application listed", seconds),
    ("listed_seconds", "all listed", seconds), ("read_seconds", "everything read", seconds),
    ("listed_cpu_seconds", "CPU until all is listed", seconds), ("cpu_seconds", "CPU until everything is read", seconds),
    ("peak_memory_bytes", "peak memory", megabytes), ("downloads_memory_bytes", "peak memory, four downloads of an overview", megabytes),
    ("disk_bytes", "disk", megabytes), ("inodes", "inodes", count),
    ("restart_seconds", "restart until ready and all listed", seconds), ("arrival_seconds", "new application until listed", seconds),
    ("idle_cpu_percent", "idle, of one CPU", percent), ("unread_p99_ms", "job that is not read yet, p99", milliseconds),
    ("unread_requests", "requests for such jobs", count),
)
DOCUMENTS = (
    ("warm_documents_per_second", "warm: documents a second", rate), ("warm_p99_ms", "warm: p99", milliseconds),
    ("uncached_documents_per_second", "no memory cache: documents a second", rate), ("uncached_p99_ms", "no memory cache: p99", milliseconds),
    ("cold_documents_per_second", "cold: documents a second", rate), ("cold_p99_ms", "cold: p99", milliseconds),
)
OVERVIEWS = tuple(
    row for name in ("applications", "jobs") for row in (
        (f"{name}_overview_per_second", f"`/{name}/overview` a second", rate), (f"{name}_overview_bytes", f"`/{name}/overview`, bytes sent", megabytes)))
SUMMARY = ("first_seconds", "listed_seconds", "read_seconds", "cpu_seconds", "peak_memory_bytes", "disk_bytes", "inodes",
           "warm_documents_per_second", "warm_p99_ms")


class Figures:
    """The samples of a run, by size, contender and name."""

    def __init__(self, found):
        self.archives = {int(size): contents for size, contents in found["archives"].items()}
        self.values = {(one["size"], one["contender"], one["figure"]): one["values"] for one in found["samples"]}

    def median(self, size, contender, figure):
        if contender is None:
            return self.archives.get(size, {}).get(figure)
        values = self.values.get((size, contender, figure))
        return statistics.median(values) if values else None

    def cell(self, size, contender, figure, unit):
        """Median, and the least and most of the rounds where they differ from it as printed."""
        values = self.values.get((size, contender, figure))
        if not values:
            return ""
        middle, least, most = unit(statistics.median(values)), unit(min(values)), unit(max(values))
        return middle if least == most else f"{middle} ({least.removesuffix(' s').removesuffix(' ms').removesuffix(' MB')} to {most})"

    def contenders(self, size, rows):
        return [name for name in NAMES if any((size, name, figure) in self.values for figure, _, _ in rows)]

    def rounds(self, size, contender):
        return max((len(values) for (at, who, _), values in self.values.items() if (at, who) == (size, contender)), default=0)

    def table(self, size, rows, contenders=None):
        """One column for each contender that has a figure, one row for each figure that one of them has."""
        columns = contenders or self.contenders(size, rows)
        lines = ["| | " + " | ".join(f"{NAMES[name]}" for name in columns) + " |", "| --- |" + " --- |" * len(columns)]
        for figure, title, unit in rows:
            cells = [self.cell(size, name, figure, unit) for name in columns]
            if any(cells):
                lines.append(f"| {title} | " + " | ".join(cells) + " |")
        return "\n".join(lines)


def aims(figures, notes):
    lines = ["| aim | measured | |", "| --- | --- | --- |"]
    missed = []
    for one in verdicts(figures.median):
        by = "" if one.met is None else "met" if one.met else f"**missed**: {one.factor:.2f} of the aim"
        lines.append(f"| {one.aim} | {one.measured} | {by} |")
        if one.met is False and one.id in notes:
            missed.append(f"- {one.aim}. {notes[one.id]}")
    text = "\n".join(lines)
    return text + ("\n\nMissed, and what the profile shows:\n\n" + "\n".join(missed) if missed else "")


def page(found, notes):
    figures, machine = Figures(found), found["machine"]
    sizes = sorted(figures.archives)
    versions = ", ".join(f"{name}: {version}" if name == "Java" else version if name.lower() in version.lower() else f"{name} {version}"
                         for name, version in found["versions"].items())
    rounds = "; ".join(f"{size:,} applications: " + ", ".join(
        f"{NAMES[name].split(',')[0] if name == 'nginx' else NAMES[name]} ({figures.rounds(size, name)})" for name in NAMES if figures.rounds(size, name)) for size in sizes)
    archives = "; ".join(f"{size:,} applications with {one['jobs']:,} jobs, {one['files']:,} files, {one['bytes'] / 1e6:,.0f} MB"
                         for size, one in sorted(figures.archives.items()))
    remark = f"\n| remark | {found['remark']} |" if found.get("remark") else ""
    parts = [f"""# Benchmarks

This page is made from [benches/figures.json](benches/figures.json), the raw figures of one run of `make bench`: do not edit it. `make bench-quick` measures the most important rows in three minutes. Figures are medians, with the least and the most of the rounds in parentheses. Compare figures of one run only: another machine has others, the ratios stay alike.

| | |
| --- | --- |
| date, duration | {found['date']}, {found['minutes']:.0f} minutes |
| commit | `{found['commit']}` |
| machine | {machine['cpus']} CPUs, {machine['processor']}, {machine['memory_bytes'] / 2 ** 30:.0f} GiB memory, {machine['file_system']} |
| system | {machine['system']} |
| versions | {versions} |
| archives | {archives} |
| rounds | {rounds} |{remark}

## Aims

{aims(figures, notes)}
"""]
    parts.append("## First refresh\n\nFrom the start of the process, with an empty data directory, and later figures of the same server.\n")
    for size in sizes:
        names = [name for name in ("ours", "flink", "flink-memory", "parse-and-pack", "cat") if figures.rounds(size, name)]
        if names:
            parts.append(f"### {size:,} applications\n\n{figures.table(size, REFRESH, names)}\n")
    documents = [size for size in sizes if figures.contenders(size, DOCUMENTS)]
    if documents:
        parts.append(f"## Documents\n\n{found['documents']:,} different documents, 16 connections.\n")
        parts += [f"### Documents of {size:,} applications\n\n{figures.table(size, DOCUMENTS)}\n" for size in documents]
    lists = [size for size in sizes if figures.contenders(size, OVERVIEWS)]
    if lists:
        parts.append("## Overviews\n\nRequested with `Accept-Encoding: gzip` by four clients. Flink's server sends them uncompressed.\n")
        parts += [f"### Overviews of {size:,} applications\n\n{figures.table(size, OVERVIEWS)}\n" for size in lists]
    parts.append("""## Method

- **Archives** are copies of real archives of Flink 2.3 with ids, names and times of their own (`tools/generate_archives.rs`). They are in the page cache before each round, for all contenders.
- **Order.** Each round measures all contenders one after another, every second round in reverse order. Each server starts with an empty directory on the same file system. Larger sizes have fewer rounds, as the table above says; Flink's server is not measured with 100,000 applications, where it would write 7 million files.
- **This server** is the release build with default settings. **Flink's server** comes from the Python package `apache-flink-libraries` and runs with the Java options of its own start script and a UTF-8 locale; "in memory" means `historyserver.web.tmpdir` in `/dev/shm`. **nginx** serves the files that Flink's server wrote, with `sendfile`, without access log, one process for each CPU.
- **All listed**: `/applications/overview` and `/jobs/overview`, read to the end, have all applications and jobs. **Everything read**: `/readyz` of this server says `"complete": true`, so documents, facts and search have everything. For Flink's server both are the same moment.
- **CPU** is user and system time of the process tree; **peak memory** is its resident set at most; **disk** counts the blocks of the data directory or the web directory.
- **Restart**: with the same data directory, until `/readyz` answers 200 and everything is listed. Flink's server empties its web directory at each start, so its restart is a first refresh.
- **New application**: written as a JobManager does, summary last, at a random moment; default intervals. Until its document is there. **Idle**: 20 seconds without requests.
- **Documents** are chosen at random with a fixed seed, and requested without compression by wrk with one thread, which runs on the last CPU beside the server: it competes with all servers in the same way. A second of warm-up comes first. Before that, all servers were compared: each document has the same bytes from all three. **No memory cache**: `historyserver.cache.memory=0`. **Cold**: each document once, after the files were taken out of the page cache and this server was started again.
- **Downloads**: four clients read `/jobs/overview` without compression for two seconds, right after the first refresh.
- **Job that is not read yet**: requests for `/jobs/<id>/config` one after another during a first refresh, oldest job first, which the refresh reads last. Jobs that are not listed yet are asked again and not counted.
- **Limits**: `cat` of all archive files; and parsing and compressing them on two threads without keeping anything (`tools/parse_and_pack.rs`).
""")
    return "\n".join(parts)


def summary(found):
    """The most important rows, for the terminal."""
    figures = Figures(found)
    rows = [row for row in REFRESH + DOCUMENTS if row[0] in SUMMARY]
    texts = []
    for size in sorted(figures.archives):
        columns = [name for name in NAMES if figures.contenders(size, rows).count(name)]
        lines = [[f"{size:,} applications", *(NAMES[name] for name in columns), "ratio"]]
        for figure, title, unit in rows:
            cells = [figures.cell(size, name, figure, unit) for name in columns]
            mine, theirs = (figures.median(size, name, figure) for name in ("ours", "flink"))
            faster = figure.endswith("per_second")
            ratio = f"{(mine / theirs if faster else theirs / mine):.1f} ×" if mine and theirs else ""
            if any(cells):
                lines.append([title, *cells, ratio])
        widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        texts.append("\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in lines))
    return "\n\n".join(texts)


def figures_text(found):
    """The figures as JSON, one line for each figure."""
    samples = ",\n".join(f"  {json.dumps(one)}" for one in found["samples"])
    rest = json.dumps({key: value for key, value in found.items() if key != "samples"}, indent=1)
    return f'{rest[:-2]},\n "samples": [\n{samples}\n ]\n}}\n'


def notes():
    """What the profile shows for aims that are missed, by the id of the aim; written by hand."""
    return json.loads(NOTES.read_text()) if NOTES.exists() else {}
