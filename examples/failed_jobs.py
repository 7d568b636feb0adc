#!/usr/bin/env python3
"""Prints the failed jobs of a history server, newest first, with their root causes.

    failed_jobs.py [URL]        URL is http://127.0.0.1:8082 by default
"""

import json
import sys
import urllib.parse
import urllib.request


def get(server, path, **parameters):
    """The JSON answer of a path below /api/v1."""
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"{server}/api/v1/{path}?{query}", timeout=60) as answer:
        return json.load(answer)


def failed_jobs(server):
    """Yields every failed job, page by page."""
    parameters = {"status": "FAILED", "sort": "-end", "limit": 100}
    while True:
        page = get(server, "jobs", **parameters)
        yield from page["items"]
        if page["next"] is None:
            return
        parameters["cursor"] = page["next"]


def root_cause(server, job):
    """The class of the innermost cause of the newest failure, or None where the archive does not hold it."""
    copy = {"directory": job["directory"], "cluster": job["cluster"] or "/"}
    facts = get(server, f"jobs/{job['id']}", **copy)["facts"]
    failure = facts and facts["root_exception"]
    return failure and (failure["cause_class"] or failure["class"])


def main():
    server = (sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8082").rstrip("/")
    for job in failed_jobs(server):
        print(job["id"], job["name"], root_cause(server, job) or "unknown", sep="\t")


if __name__ == "__main__":
    main()
