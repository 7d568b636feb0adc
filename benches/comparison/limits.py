"""The work without a server: reading the files, and parsing and compressing them."""

import json
import resource
import subprocess
import time


def cat(archives, figures):
    """`cat` of all archive files, from the page cache."""
    command = f"find '{archives.folder}' -type f -print0 | xargs -0 cat > /dev/null"
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(["bash", "-c", command], check=True)
    figures("read_seconds", time.monotonic() - began)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures("cpu_seconds", after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def parse_and_pack(tools, archives, figures):
    """The same files parsed and compressed on two threads, and then forgotten."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([tools / "parse_and_pack", archives.folder], check=True, stdout=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures("read_seconds", json.loads(done.stdout)["seconds"])
    figures("cpu_seconds", after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
