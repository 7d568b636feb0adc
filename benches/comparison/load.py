"""Load on a server: wrk with one thread on the last CPU, the same for all servers."""

import json
import os
import pathlib
import subprocess

SCRIPT = pathlib.Path(__file__).with_name("load.lua")
CONNECTIONS = 16


def load(server, paths, seconds, *, connections=CONNECTIONS, once=False, gzip=False):
    """Requests documents whose paths stand in a file: for this time, or each of them once. Returns the figures that load.lua prints."""
    words = ["wrk", "--threads", "1", "--connections", connections, "--duration", f"{seconds}s", "--timeout", "60s", "--script", SCRIPT,
             server.url(), "--", paths, *(["once"] if once else []), *(["gzip"] if gzip else [])]
    last = max(os.sched_getaffinity(0))
    done = subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, {last}))
    figures = json.loads(done.stdout.rstrip().rsplit("\n", 1)[-1])
    if figures["errors"]:
        raise RuntimeError(f"{server.name} failed {figures['errors']} of {figures['requests']} requests: see {server.log}")
    figures["per_second"] = figures["requests"] * 1e6 / figures["microseconds"]
    return figures
