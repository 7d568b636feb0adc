"""The aims for speed, and whether the figures of a run meet them."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Verdict:
    """An aim beside what was measured. `factor`: how many times better than the aim; below 1 it is missed."""

    id: str
    aim: str
    measured: str
    factor: float | None

    @property
    def met(self):
        return None if self.factor is None else self.factor >= 1


def verdicts(median):
    """All aims. `median(size, contender, figure)` returns None for what was not measured."""
    found = []

    def ratio(id, aim, target, over, under, unit="×"):
        """At least `target` times."""
        value = over / under if over and under else None
        found.append(Verdict(id, aim, "not measured" if value is None else f"{value:.2f} {unit}" if value < 10 else f"{value:.0f} {unit}",
                             None if value is None else value / target))

    def most(id, aim, target, value, text):
        """At most `target`."""
        found.append(Verdict(id, aim, "not measured" if value is None else text.format(value),
                             None if value is None else target / max(value, 1e-9)))

    for size in (4_000, 20_000):
        of = f", {size:,} applications, cold, against Flink's server"
        mine, theirs = (lambda figure, who=who: median(size, who, figure) for who in ("ours", "flink"))
        ratio(f"listed-{size}", f"all applications and jobs listed{of}: 60 ×", 60, theirs("listed_seconds"), mine("listed_seconds"))
        ratio(f"read-{size}", f"everything read{of}: 25 ×", 25, theirs("read_seconds"), mine("read_seconds"))
        # 60 % of the CPU of the build before, which took one 8.5th of that of Flink's server.
        ratio(f"cpu-{size}", f"CPU until everything is read{of}: 14.2 × less", 8.5 / 0.6, theirs("cpu_seconds"), mine("cpu_seconds"))
    most("listed-100000", "100,000 applications, cold, all listed: 12 s", 12, median(100_000, "ours", "listed_seconds"), "{:.1f} s")
    small, large = median(4_000, "ours", "listed_seconds"), median(100_000, "ours", "listed_seconds")
    most("linear", "listing an application among 100,000, against among 4,000: 1.3 ×", 1.3,
         (large / 100_000) / (small / 4_000) if small and large else None, "{:.2f} ×")

    mine, theirs, files = (lambda figure, who=who: median(4_000, who, figure) for who in ("ours", "flink", "nginx"))
    documents = "documents a second, 16 connections, warm, against"
    ratio("documents-flink", f"{documents} Flink's server: 2 ×", 2, mine("warm_documents_per_second"), theirs("warm_documents_per_second"))
    ratio("documents-nginx", f"{documents} nginx: 0.7 ×", 0.7, mine("warm_documents_per_second"), files("warm_documents_per_second"))
    ratio("p99-flink", "p99 of a document, warm, below that of Flink's server: 1 ×", 1, theirs("warm_p99_ms"), mine("warm_p99_ms"))
    ratio("uncached", "documents a second that are in no memory cache, against Flink's server: 1 ×", 1,
          mine("uncached_documents_per_second"), theirs("warm_documents_per_second"))
    most("uncached-p99", "p99 of a document that is in no memory cache: 5 ms", 5, mine("uncached_p99_ms"), "{:.2f} ms")
    ratio("overview", "`/jobs/overview` with gzip at 20,000 applications, against Flink's server: 5 ×", 5,
          median(20_000, "ours", "jobs_overview_per_second"), median(20_000, "flink", "jobs_overview_per_second"))
    for size, megabytes in ((4_000, 128), (100_000, 192)):
        most(f"memory-{size}", f"peak memory with four clients that download an overview, {size:,} applications: {megabytes} MB", megabytes,
             (lambda value: None if value is None else value / 1e6)(median(size, "ours", "downloads_memory_bytes")), "{:.0f} MB")
    size, raw = mine("disk_bytes"), median(4_000, None, "bytes")
    most("disk", "disk, search included, of the archives' bytes: 15 %", 15, 100 * size / raw if size and raw else None, "{:.1f} %")
    most("restart", "restart until ready, 100,000 applications: 0.3 s", 0.3, median(100_000, "ours", "restart_seconds"), "{:.2f} s")
    most("unread", "request for a job that is not read yet, first refresh of 20,000 applications, p99: 100 ms", 100,
         median(20_000, "ours", "unread_p99_ms"), "{:.0f} ms")
    return found
