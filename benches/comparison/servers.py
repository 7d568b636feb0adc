"""The servers that are compared. Each listens on 127.0.0.1 on a free port, and keeps its files below a folder of the run."""

import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.parse

from .paths import FLINK
from .processes import cpu_seconds, end, free_port, memory_bytes

# A server that needs longer than this for one step is reported instead of waited for.
PATIENCE = 1800


class Failed(Exception):
    """A server ended, or did not do what was waited for."""


class Server:
    """A running server. `started` is the moment before its process was made."""

    name = None

    def __init__(self, command, port, log, environment=None):
        self.port, self.log = port, log
        self.output = open(log, "wb")
        self.started = time.monotonic()
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=subprocess.STDOUT, env=environment, cwd=pathlib.Path(log).parent)
        self.pid = self.process.pid
        self.connection = None

    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def get(self, path, gzip=False):
        """Status and body. A refused connection counts as status 0."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            self.connection.request("GET", path, headers={"Accept-Encoding": "gzip"} if gzip else {})
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return 0, b""

    def length(self, path):
        """`Content-Length` of an answer that is not read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return int(answer.headers.get("Content-Length") or 0) if answer.status == 200 else 0
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def wait(self, condition, pause=0.01):
        """Waits for a condition; returns the seconds since the start of the process, taken before the last look."""
        limit = time.monotonic() + PATIENCE
        while True:
            seconds = time.monotonic() - self.started
            if condition():
                return seconds
            if self.process.poll() is not None:
                raise Failed(f"{self.name} ended with code {self.process.returncode}: see {self.log}")
            if time.monotonic() > limit:
                raise Failed(f"{self.name} did not get ready within {PATIENCE} s: see {self.log}")
            time.sleep(pause)

    def cpu(self):
        return cpu_seconds(self.pid)

    def memory(self, name="VmHWM:"):
        return memory_bytes(self.pid, name)

    def answers(self):
        """Whether it answers HTTP at all."""
        return self.get("/config")[0] != 0

    def counts(self):
        """Applications and jobs in the two overviews."""
        applications, jobs = self.get("/applications/overview")[1], self.get("/jobs/overview")[1]
        return applications.count(b'"id":"'), jobs.count(b'"jid":"')

    def stop(self):
        self.close()
        end(self.process)
        self.output.close()


class Ours(Server):
    """This server, with its default settings."""

    name = "historyserver"

    def __init__(self, binary, archives, data, *options):
        port = free_port()
        data.mkdir(parents=True, exist_ok=True)
        command = [binary, "-D", f"historyserver.archive.fs.dir={archives}", "-D", f"historyserver.data.dir={data}",
                   "-D", "historyserver.web.address=127.0.0.1", "-D", f"historyserver.web.port={port}"]
        for option in options:
            command += ["-D", option]
        super().__init__(command, port, data.with_suffix(".log"))

    def status(self):
        return json.loads(self.get("/api/v1/status")[1])

    def readiness(self):
        return json.loads(self.get("/readyz")[1] or b"{}")

    def listed(self):
        """Applications and jobs listed. From memory: the question costs next to nothing, and the numbers may be a moment late."""
        readiness = self.readiness()
        return readiness.get("applications", 0), readiness.get("jobs", 0)

    def read(self):
        """Whether documents, facts and search have everything."""
        return self.readiness().get("complete", False)


def without_cache(binary):
    """The options of a server without a cache of documents in memory; none for builds that have no such cache."""
    off = "historyserver.cache.memory=0"
    command = [binary, "-D", "historyserver.archive.fs.dir=/archives", "-D", off, "check-config"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return () if "historyserver.cache.memory" in done.stdout and done.returncode == 64 else (off,)


class Flinks(Server):
    """Flink's server, with the options of its own start script: no limit on the heap, the collector that Java chooses."""

    name = "Flink's server"

    def __init__(self, archives, folder):
        port = free_port()
        self.web = folder / "web"
        (folder / "tmp").mkdir(parents=True)
        settings = {"historyserver.archive.fs.dir": f"file://{archives.folder}", "historyserver.web.tmpdir": self.web,
                    "historyserver.web.address": "127.0.0.1", "historyserver.web.port": port}
        (folder / "config.yaml").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
        (folder / "log4j.properties").write_text(
            "rootLogger.level = INFO\nrootLogger.appenderRef.console.ref = console\nappender.console.name = console\n"
            "appender.console.type = CONSOLE\nappender.console.layout.type = PatternLayout\n"
            "appender.console.layout.pattern = %d %p %c{1} %m%n\n")
        jars = ":".join(str(jar) for jar in sorted((FLINK / "lib").glob("*.jar")))
        # Java 17 writes its files in the charset of the locale: names that are not ASCII would be lost without UTF-8.
        environment = {key: value for key, value in os.environ.items() if key not in ("JAVA_TOOL_OPTIONS", "FLINK_CONF_DIR")}
        environment["LC_ALL"] = "C.UTF-8"
        command = ["java", "-Dfile.encoding=UTF-8", f"-Djava.io.tmpdir={folder / 'tmp'}",
                   f"-Dlog4j.configurationFile={folder / 'log4j.properties'}", "-cp", jars,
                   "org.apache.flink.runtime.webmonitor.history.HistoryServer", "--configDir", folder]
        super().__init__(command, port, folder / "log", environment)

    def listed(self):
        """Its overviews are written at the end of a round: read only when the length of one has changed."""
        length = self.length("/applications/overview")
        if length < 100:
            return 0, 0
        return self.counts()

    def stop(self):
        # Its own shutdown deletes the web directory file by file.
        self.close()
        end(self.process, signal.SIGKILL)
        self.output.close()


class Nginx(Server):
    """nginx with the files that Flink's server wrote: the configuration of a plain file server, one process for each CPU."""

    name = "nginx"

    def __init__(self, web, folder):
        port = free_port()
        folder.mkdir(parents=True)
        (folder / "nginx.conf").write_text(f"""
daemon off; worker_processes auto; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3; uwsgi_temp_path {folder}/4;
  scgi_temp_path {folder}/5;
  server {{ listen 127.0.0.1:{port}; root {web}; location / {{ try_files $uri.json =404; }} }}
}}
""")
        # As root it would read the files as another user, who may not enter the folders above them.
        user = ["-g", "user root;"] if os.geteuid() == 0 else []
        super().__init__([shutil.which("nginx") or "nginx", "-c", folder / "nginx.conf", *user], port, folder / "log")


def encoded(path):
    """The path of a document as a client requests it."""
    return urllib.parse.quote(path, safe="/:@!$&'()*+,;=-._~")
