"""Drives the Python package flink-mcp-server over all jobs: mcp_server.py BASE_URL

It is started as an assistant would start it, on standard input and output, and every tool that makes sense for finished
jobs is called for every job.
"""

import asyncio
import json
import os
import pathlib
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from archived import Archived, Check

JOB_TOOLS = ["job_details", "job_exceptions", "checkpoint_stats", "backpressure", "list_savepoints", "job_timeline", "diagnose_job", "job_config"]


async def drive(base):
    archived, check = Archived(), Check()
    program = pathlib.Path(sys.executable).with_name("flink-mcp-server")
    server = StdioServerParameters(command=str(program), env={"FLINK_REST_URL": base, "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")})
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()

        async def call(tool, **arguments):
            result = await session.call_tool(tool, arguments)
            text = "\n".join(part.text for part in result.content if part.type == "text")
            return text if result.isError else None, result.structuredContent or {}

        async def good(tool, **arguments):
            error, answer = await call(tool, **arguments)
            check.true(f"{tool} {arguments}", error is None, error)
            return answer

        async def refused(tool, **arguments):
            """Only a living cluster has it: 404 with our sentence, which the tool hands on."""
            error, answer = await call(tool, **arguments)
            check.true(f"{tool} {arguments}", error and "404" in error and ":" in error.split("404", 1)[1], error or answer)

        overview = await good("cluster_overview")
        check.true("cluster_overview names the version", "2.3.0" in json.dumps(overview), overview)
        check.true("fleet_overview reaches the server", "error" not in json.dumps(await good("fleet_overview")))
        listed = (await good("list_jobs")).get("result", [])
        check.equal("list_jobs", sorted(job.get("id") or job.get("jid") for job in listed), archived.jobs)

        for job in archived.jobs:
            for tool in JOB_TOOLS:
                arguments = {"history": "off"} if tool == "diagnose_job" else {}
                answer = await good(tool, job_id=job, **arguments)
                if tool == "job_details":
                    check.true(f"{tool} {job} tells the state", archived[f"/jobs/{job}"]["state"] in json.dumps(answer), answer)
                if tool == "job_config":
                    check.equal(f"{tool} {job}", answer.get("result", answer), archived[f"/jobs/{job}/config"])

        await refused("job_metrics", job_id=archived.jobs[0])
        await refused("taskmanagers")
        await refused("list_jars")
        await refused("cluster_config")
        await refused("job_details", job_id="f" * 32)
    check.finish()


asyncio.run(drive(sys.argv[1]))
