"""Drives the Python package flink-job-manager-api over all documents: job_manager_api.py BASE_URL

That client is generated from Flink's OpenAPI document of 2.1 and parses every answer into a class. Some answers it cannot
read from any Flink (the document describes them wrongly). So what is held here is that it makes of our answer what it makes
of the archived document: the same object, or the same complaint, which is only ever about the classes in UNREADABLE.
"""

import collections
import importlib
import inspect
import json
import pkgutil
import re
import sys

import httpx
from flink_job_manager_api import Client
from flink_job_manager_api.api import default

from archived import Archived, Check

SUBTASKS = 4

# Warnings of this client that documents of Flink 2.3 cause, too.
UNREADABLE = {"get_job_details", "get_job_accumulators", "get_checkpointing_statistics", "get_checkpoint_statistic_details", "get_checkpoint_config"}


def operations():
    """The client's GET functions by the pattern of their path, those without parameters first."""
    found = []
    for module in pkgutil.iter_modules(default.__path__):
        operation = importlib.import_module(f"{default.__name__}.{module.name}")
        parameters = [p.name for p in inspect.signature(operation._get_kwargs).parameters.values() if p.default is p.empty and p.annotation is not None and p.kind is p.POSITIONAL_OR_KEYWORD]
        if not module.name.startswith("get_"):
            continue
        template = operation._get_kwargs(*[f"<{name}>" for name in parameters])["url"]
        found.append((re.compile(re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", template)), operation))
    return sorted(found, key=lambda pair: pair[0].groups)


def main():
    client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True, timeout=httpx.Timeout(60))
    archived, check, known, parsed = Archived(), Check(), operations(), collections.Counter()

    def outcome(call):
        try:
            return call()
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    def ask(path, expected):
        for pattern, operation in known:
            if match := pattern.fullmatch(path):
                break
        else:
            return  # newer than this client: applications, rescales
        name = operation.__name__.rsplit(".", 1)[1]
        if expected is not None:
            from_archive = httpx.Response(200, content=expected.encode(), request=httpx.Request("GET", path))
            expected = outcome(lambda: operation._parse_response(client=client, response=from_archive))
        answered = outcome(lambda: operation.sync_detailed(client=client, **match.groupdict()).parsed)
        if expected is None:
            check.true(f"{path} by {name}", not isinstance(answered, str), answered)
        else:
            check.equal(f"{path} by {name}", answered, expected)
            check.true(f"{path} by {name}", not isinstance(answered, str) or name in UNREADABLE, answered)
        parsed[name] += not isinstance(answered, str)

    for path in ("/overview", "/config", "/jobs", "/jobs/overview"):
        ask(path, None)
    for path, document in archived.documents.items():
        subtask = re.search(r"/subtasks/(\d+)/", path)
        if not subtask or int(subtask.group(1)) < SUBTASKS:
            ask(path, document)
    for job in archived.jobs:
        ask(f"/jobs/{job}/status", json.dumps({"status": archived[f"/jobs/{job}"]["state"]}))
        ask(f"/jobs/{job}/jobmanager/log-url", None)
        ask(f"/jobs/{job}/taskmanagers/127.0.0.1:36243-f72fa3/log-url", None)

    read = sorted(name for name, count in parsed.items() if count)
    check.true("kinds of answers that were read", len(read) >= 20, read)
    check.finish()


main()
