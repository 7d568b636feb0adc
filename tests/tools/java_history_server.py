#!/usr/bin/env python3
"""Runs Flink's own (Java) history server, to compare ours with it.

    java_history_server.py --config-dir DIR

starts it with the Flink configuration in DIR, as `bin/historyserver.sh --configDir DIR` would, and writes one JSON
object per line to standard output:

    {"round": 1, "address": "http://127.0.0.1:43521"}    after each finished round over the archive directories
    {"exit": 1, "log": "..."}                            when the server ends by itself, with the end of its log

It is stopped when standard input closes, so that it never outlives the test that started it. Temporary files go into
DIR/java-tmp unless the configuration says otherwise. Needs tests/tools/install-flink.sh to have run.
"""

import argparse
import json
import os
import pathlib
import queue
import re
import subprocess
import sys
import threading

FLINK = pathlib.Path(__file__).resolve().parents[2] / ".test-tools" / "flink"

# The end of a round is logged at DEBUG only, once by each of the two fetchers (legacy jobs, then applications).
LOGGING = """
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
logger.history.name = org.apache.flink.runtime.webmonitor.history
logger.history.level = DEBUG
appender.console.name = console
appender.console.type = CONSOLE
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %p %c{1} %m%n
"""
FETCHERS = 2


def class_path():
    jars = sorted(str(jar) for jar in (FLINK / "lib").glob("*.jar"))
    if not jars:
        raise SystemExit("java_history_server.py: Flink is not installed, run tests/tools/install-flink.sh")
    return ":".join(jars)


def command(config_dir, temporary, logging):
    # One compiler tier and a serial collector: the server lives for seconds here. UTF-8 as the default charset, since
    # Java 17 writes documents to its cache in the charset of the locale.
    return [
        "java",
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",
        "-Xshare:auto",
        "-Dfile.encoding=UTF-8",
        "-Duser.timezone=UTC",
        f"-Djava.io.tmpdir={temporary}",
        f"-Dlog4j.configurationFile={logging}",
        "-cp",
        class_path(),
        "org.apache.flink.runtime.webmonitor.history.HistoryServer",
        "--configDir",
        str(config_dir),
    ]


class JavaHistoryServer:
    """One running server. `events` yields what the module's documentation lists."""

    def __init__(self, config_dir):
        config_dir = pathlib.Path(config_dir).resolve()
        temporary = config_dir / "java-tmp"
        temporary.mkdir(exist_ok=True)
        logging = temporary / "log4j2.properties"
        logging.write_text(LOGGING)
        environment = {key: value for key, value in os.environ.items() if key not in ("JAVA_TOOL_OPTIONS", "FLINK_CONF_DIR")}
        self.events = queue.Queue()
        self.process = subprocess.Popen(
            command(config_dir, temporary, logging),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        threading.Thread(target=self._read_log, daemon=True).start()

    def _read_log(self):
        scheme, address, finished, tail = "http", None, 0, []
        for line in self.process.stderr:
            tail = (tail + [line])[-40:]
            listening = re.search(r"Web frontend listening at (\S+)", line)
            ended = "Finished archive fetching" in line
            if "Enabling SSL for the history server" in line:
                scheme = "https"
            if listening:
                address = f"{scheme}://{listening.group(1)}"
            finished += ended
            # The first round may end before the port is bound: the script waits for both.
            if address and finished >= FETCHERS and (listening or (ended and finished % FETCHERS == 0)):
                self.events.put({"round": finished // FETCHERS, "address": address})
        self.events.put({"exit": self.process.wait(), "log": "".join(tail)})

    def wait_until_loaded(self, timeout=120):
        """The address, once a round has ended. A RuntimeError with the log when the server ends instead."""
        event = self.events.get(timeout=timeout)
        if "exit" in event:
            raise RuntimeError(f"Flink's history server ended with code {event['exit']}:\n{event['log']}")
        return event["address"]

    def stop(self):
        """Ends the server at once. Its own shutdown only deletes the cache, which the caller deletes anyway."""
        self.process.kill()
        self.process.wait()


def main():
    arguments = argparse.ArgumentParser(description="Runs Flink's own history server until standard input closes.")
    arguments.add_argument("--config-dir", required=True, type=pathlib.Path)
    server = JavaHistoryServer(arguments.parse_args().config_dir)

    def report():
        while True:
            event = server.events.get()
            print(json.dumps(event), flush=True)
            if "exit" in event:
                os._exit(0)

    threading.Thread(target=report, daemon=True).start()
    sys.stdin.buffer.read()
    server.stop()


if __name__ == "__main__":
    main()
