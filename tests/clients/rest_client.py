"""Drives the Python package flink-rest-client over all jobs: rest_client.py BASE_URL

It asks below /v1 for everything, and takes members of the answers by name.
"""

import sys
import urllib.parse

from flink_rest_client import FlinkRestClient
from flink_rest_client.common import RestException

from archived import Archived, Check

# Attempts are asked for of the first subtasks of a vertex: one of the jobs has 1,024.
SUBTASKS = 8


def refused(check, what, status, call):
    """A call that must fail with this status and a sentence: the client shows both to its user."""
    try:
        answer = call()
    except RestException as error:
        text = str(error)
        check.true(what, text.startswith(f"REST response error ({status}): ") and len(text) > 35, text)
    else:
        check.true(what, False, f"answered {answer} instead of status {status}")


def main():
    base = urllib.parse.urlsplit(sys.argv[1])
    client = FlinkRestClient.get(base.hostname, base.port)
    archived, check = Archived(), Check()

    overview = client.overview()
    check.equal("jobs counted by overview()", sum(overview[f"jobs-{state}"] for state in ("finished", "failed", "cancelled")), len(archived.jobs))
    check.equal("config()", client.config()["features"]["web-history"], True)
    check.equal("jobs.job_ids()", sorted(client.jobs.job_ids()), archived.jobs)
    check.equal("jobs.overview()", sorted(job["jid"] for job in client.jobs.overview()), archived.jobs)

    for job in archived.jobs:
        path = f"/jobs/{job}"
        check.equal(f"jobs.get {job}", client.jobs.get(job), archived[path])
        check.equal(f"jobs.get_config {job}", client.jobs.get_config(job), archived[f"{path}/config"])
        check.equal(f"jobs.get_exceptions {job}", client.jobs.get_exceptions(job), archived[f"{path}/exceptions"])
        check.equal(f"jobs.get_plan {job}", client.jobs.get_plan(job), archived[f"{path}/plan"]["plan"])
        check.equal(f"jobs.get_accumulators {job}", client.jobs.get_accumulators(job), archived[f"{path}/accumulators"])
        check.equal(f"jobs.get_checkpoints {job}", client.jobs.get_checkpoints(job), archived[f"{path}/checkpoints"])
        check.equal(f"jobs.get_checkpointing_configuration {job}", client.jobs.get_checkpointing_configuration(job), archived[f"{path}/checkpoints/config"])
        for checkpoint in archived.below(f"{path}/checkpoints/details/"):
            details = client.jobs.get_checkpoint_details(job, checkpoint, show_subtasks=True)
            for vertex, subtasks in details.pop("subtasks").items():
                check.equal(f"subtasks of checkpoint {checkpoint} of {job}", subtasks, archived[f"{path}/checkpoints/details/{checkpoint}/subtasks/{vertex}"])
            check.equal(f"jobs.get_checkpoint_details {job} {checkpoint}", details, archived[f"{path}/checkpoints/details/{checkpoint}"])
        vertices = client.jobs.get_vertex_ids(job)
        check.equal(f"jobs.get_vertex_ids {job}", sorted(vertices), archived.below(f"{path}/vertices/"))
        for vertex in vertices:
            one, below = client.jobs.get_vertex(job, vertex), f"{path}/vertices/{vertex}"
            check.equal(f"vertex.details {below}", one.details(), archived[below])
            check.equal(f"vertex.subtasktimes {below}", one.subtasktimes(), archived[f"{below}/subtasktimes"])
            check.equal(f"vertex.taskmanagers {below}", one.taskmanagers(), archived[f"{below}/taskmanagers"])
            for subtask in archived.below(f"{below}/subtasks/")[:SUBTASKS]:
                for attempt in archived.below(f"{below}/subtasks/{subtask}/attempts/"):
                    document = f"{below}/subtasks/{subtask}/attempts/{attempt}"
                    check.equal(f"subtasks.get_attempt {document}", one.subtasks.get_attempt(subtask, attempt), archived[document])
                    check.equal(f"subtasks.get_attempt_accumulators {document}", one.subtasks.get_attempt_accumulators(subtask, attempt), archived[f"{document}/accumulators"])

    # Requests that only a running cluster can answer, and requests that would change it.
    job = archived.jobs[0]
    vertex = archived.below(f"/jobs/{job}/vertices/")[0]
    refused(check, "get_metrics", 404, lambda: client.jobs.get_metrics(job))
    refused(check, "vertex.backpressure", 404, lambda: client.jobs.get_vertex(job, vertex).backpressure())
    refused(check, "taskmanagers.all", 404, client.taskmanagers.all)
    refused(check, "jobmanager.config", 404, client.jobmanager.config)
    refused(check, "jobs.get of an unknown job", 404, lambda: client.jobs.get("f" * 32))
    refused(check, "jobs.get of what is no job id", 404, lambda: client.jobs.get("unknown"))
    refused(check, "jobs.terminate", 405, lambda: client.jobs.terminate(job))
    refused(check, "jobs.stop", 405, lambda: client.jobs.stop(job, "file:///savepoints"))
    refused(check, "jobs.create_savepoint", 405, lambda: client.jobs.create_savepoint(job, "file:///savepoints"))
    refused(check, "jars.run", 405, lambda: client.jars.run("job.jar"))
    refused(check, "delete_cluster", 405, client.delete_cluster)
    check.finish()


main()
