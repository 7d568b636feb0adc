"""Records answers of Flink's history server; see record-java-answers.sh.

Written into tests/fixtures/java-history-server/:

    applications-overview.json, jobs-overview.json
        the two lists, whole, one element a line and sorted by id (the server's own order is that of its file system)
    answers.json
        status, headers and body of single requests, by configuration. A body that is an archived document is named
        by that document's path, a long one by its first line; dates and the local port are masked.
"""

import http.client
import json
import pathlib
import re
import tempfile
import urllib.parse

from java_history_server import JavaHistoryServer

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
ARCHIVES = [FIXTURES / "archives" / name for name in ("flink-2.3.0", "flink-2.2.1", "flink-1.20.5")]
RECORDINGS = FIXTURES / "java-history-server"

APPLICATION = "9223bba4"
JOB = "0d6f4f6e"
LEGACY_JOB = "231ca9ed"
UNKNOWN = "ffffffffffffffffffffffffffffffff"

LOG_URLS = """
historyserver.log.jobmanager.url-pattern: "logs.example/jm/<jobid>"
historyserver.log.taskmanager.url-pattern: "https://logs.example/tm/<tmid>?job=<jobid>"
"""
NO_LOG_URLS = """
historyserver.log.jobmanager.url-pattern: "ftp://logs.example/jm/<jobid>"
"""


def documents():
    """All archived documents, path -> text; only of clusters that this server reads (their names are hex)."""
    found = {}
    for root in ARCHIVES:
        for archive in sorted(path for path in root.rglob("*") if path.is_file()):
            if "prod-eu" not in archive.parts:
                found.update((entry["path"], entry["json"]) for entry in json.loads(archive.read_text())["archive"])
    return found


def id_starting(archived, prefix, kind):
    (found,) = {path.split("/")[2] for path in archived if path.startswith(f"/{kind}/{prefix}")}
    return found


def ask(address, method, path, headers):
    """One request on a connection of its own, sent as written: nothing is normalised or encoded."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    answer = response.status, response.getheaders(), response.read()
    connection.close()
    return answer


def masked(name, value):
    return "<date>" if name in ("date", "expires", "last-modified") else value


def recorded(address, archived, method, path, headers):
    status, answered, body = ask(address, method, path, headers)
    text = body.decode("utf-8")
    asked = urllib.parse.unquote(path.split("?")[0]).removesuffix(".json")
    record = {"method": method, "path": path}
    if headers:
        record["request-headers"] = {name: masked(name, value) for name, value in headers.items()}
    record["status"] = status
    record["headers"] = {name: masked(name, value) for name, value in answered}
    if text == archived.get(asked):
        record["document"] = asked
    elif asked.endswith("overview") and status == 200:
        record["headers"].pop("content-length", None)
        record["list"] = sorted(json.loads(text))
    elif len(text) > 400 or text.startswith("<!"):
        record["headers"].pop("content-length", None)
        record["first-line"] = text.splitlines()[0]
    else:
        record["body"] = text
    return record


def requests(archived):
    job = id_starting(archived, JOB, "jobs")
    legacy = id_starting(archived, LEGACY_JOB, "jobs")
    application = id_starting(archived, APPLICATION, "applications")
    vertex = next(path.split("/")[4] for path in archived if path.startswith(f"/jobs/{job}/vertices/"))
    get = [
        "/config", "/config.json", "/config?x=1", "/", "/index.html",
        "/applications/overview", "/applications/overview.json", "/jobs/overview", "/jobs/overview.json", "/jobs/overview?x=1",
        "//jobs/overview", "/jobs//overview", "/%6aobs/overview", "/jobs%2Foverview", "/jobs/./overview", "/jobs/overview/",
        "/jobs/overview;x=1", "/jobs/overview%00", "/jobs/%zz", "/jobs/overview?x=%zz",
        "/jobs", "/jobs/", "/applications", "/overview", "/joboverview", "/v1/jobs/overview", "/v1/config", "/job/completed",
        f"/applications/{application}", f"/applications/{application}.json", f"/applications/{application}/",
        f"/applications/{application}/exceptions", f"/applications/{application}/jobmanager/config",
        f"/applications/{application}/jobs", f"/applications/{UNKNOWN}", "/applications/unknown",
        f"/jobs/{job}", f"/jobs/{job}.json", f"/jobs/{job}/", f"/jobs/{job.upper()}", f"/jobs/{UNKNOWN}", "/jobs/unknown",
        f"/jobs/{job}/plan", f"/jobs/{job}/plan.json", f"/jobs/{job}/config?x=1", f"/jobs/{job}/exceptions?maxExceptions=1",
        f"/jobs/{job}/%63onfig", f"/jobs/{job}/checkpoints", f"/jobs/{job}/status", f"/jobs/{job}/metrics",
        f"/jobs/{job}/vertices/{vertex}", f"/jobs/{job}/vertices/{vertex}/subtasktimes", f"/jobs/{job}/vertices/{vertex}/accumulators",
        f"/jobs/{job}/vertices/{vertex}/backpressure", f"/jobs/{job}/vertices/{vertex}/watermarks",
        f"/jobs/{legacy}", f"/jobs/{legacy}/exceptions", f"/jobs/{legacy}/rescales/history",
        f"/jobs/{job}/jobmanager/log-url", f"/jobs/{job}/taskmanagers/tm-1/log-url",
        "/jobmanager/config", "/taskmanagers", "/jars", "/../config.json", "/%2e%2e/config.json",
    ]  # fmt: skip
    # POST is missing: the server never answers it.
    other = [("HEAD", "/config"), ("PUT", "/jobs/overview"), ("PATCH", f"/jobs/{job}"), ("OPTIONS", "/config"), ("DELETE", "/jobs/overview")]
    return [("GET", path) for path in get] + other


def log_url_requests(archived):
    job = id_starting(archived, JOB, "jobs")
    return [
        ("GET", path)
        for path in (
            f"/jobs/{job}/jobmanager/log-url", f"/jobs/{job}/jobmanager/log-url/", f"/jobs/{job}/jobmanager/log-url?x=1",
            f"/jobs/{job}/jobmanager/log-url.json", f"/jobs/{UNKNOWN}/jobmanager/log-url", "/jobs/unknown/jobmanager/log-url",
            f"/jobs/{job}/taskmanagers/127.0.0.1:36243-f72fa3/log-url", f"/jobs/{job}/taskmanagers/tm%20x-1/log-url",
            f"/jobs/{job}/taskmanagers/tm%2Fx/log-url",
        )  # fmt: skip
    ]


def answers(archived, configuration, wanted):
    """Starts a server with these additional options and records its answers."""
    with tempfile.TemporaryDirectory() as directory:
        archive_directories = ",".join(f"file://{root}" for root in ARCHIVES)
        pathlib.Path(directory, "config.yaml").write_text(
            f"historyserver.archive.fs.dir: {archive_directories}\n"
            "historyserver.web.address: 127.0.0.1\n"
            "historyserver.web.port: 0\n" + configuration
        )
        server = JavaHistoryServer(directory)
        try:
            address = server.wait_until_loaded()
            lists = {path: json.loads(ask(address, "GET", path, {})[2]) for path in ("/applications/overview", "/jobs/overview")}
            recordings = [recorded(address, archived, method, path, {}) for method, path in wanted]
            _, headers, _ = ask(address, "GET", "/config", {})
            unchanged = {"if-modified-since": dict(headers)["last-modified"]}
            recordings.append(recorded(address, archived, "GET", "/config", unchanged))
            return lists, recordings
        finally:
            server.stop()


def write_list(name, member, key, listed):
    rows = sorted(listed[member], key=lambda element: element[key])
    text = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    (RECORDINGS / name).write_text(f'{{"{member}":[\n{text}\n]}}\n')


def main():
    archived = documents()
    lists, plain = answers(archived, NO_LOG_URLS, requests(archived))
    _, with_urls = answers(archived, LOG_URLS, log_url_requests(archived))
    RECORDINGS.mkdir(exist_ok=True)
    write_list("applications-overview.json", "applications", "id", lists["/applications/overview"])
    write_list("jobs-overview.json", "jobs", "jid", lists["/jobs/overview"])
    recordings = [
        {"configuration": NO_LOG_URLS.strip().splitlines(), "answers": plain},
        {"configuration": LOG_URLS.strip().splitlines(), "answers": with_urls},
    ]
    text = json.dumps(recordings, indent=1, ensure_ascii=False)
    assert not re.search(r"127\.0\.0\.1:\d{4,5}\b(?!-)", text), "the local port is in the recordings"
    (RECORDINGS / "answers.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
