#!/usr/bin/env bash
# Flink 1.18.1 and Flink 2.0.2 (apache-flink-libraries on PyPI): no answer to /jobs/overview is valid for the clients of both.
#
# `flink list -a` of 1.17 and 1.18 fails when a job has an unknown member, such as "pending-operators".
# `flink list -a` of 2.0 and later fails when a job lacks "pending-operators". Versions 1.13 to 1.16, 1.19 and 1.20 accept both.
# Their requests are equal except for the port, and have no User-Agent, so a server cannot distinguish the clients.
#
# Output seen on 27 November 2026:
#   1.18.1 without pending-operators: listed
#   1.18.1 with pending-operators: refused
#   2.0.2 without pending-operators: refused
#   2.0.2 with pending-operators: listed
#   user agents: none
#
# usage: findings/flink-clients-disagree-on-pending-operators.sh
# Needs Java 17 and Python 3 with venv. Downloads about 500 MB.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check wheel==0.45.1 setuptools==69.5.1
for version in 1.18.1 2.0.2; do
  # A source archive that contains jars only; pip runs its setup.py, which needs the two packages above.
  "$work/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-build-isolation \
    --dest "$work/$version" "apache-flink-libraries==$version"
  tar -xzf "$work/$version"/*.tar.gz -C "$work/$version" --strip-components=2 --wildcards '*/deps/lib/flink-dist*' '*/deps/lib/log4j*'
  rm "$work/$version"/*.tar.gz
done
mkdir "$work/conf"
touch "$work/conf/config.yaml" "$work/conf/flink-conf.yaml"

cat > "$work/ask.py" <<'PYTHON'
import http.server, json, os, pathlib, subprocess, sys, threading

work = pathlib.Path(sys.argv[1])
job = {
    "jid": "08c9b4be2948ad3385a2ea23c5e4ee27", "name": "orders", "start-time": 1795804926159, "end-time": 1795804936159,
    "duration": 10000, "state": "FINISHED", "last-modification": 1795804936159,
    "tasks": dict.fromkeys("created scheduled deploying running canceling canceled failed reconciling initializing".split(), 0)
    | {"total": 1, "finished": 1},
}
answer, agents = b"", set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        agents.add(self.headers["User-Agent"] or "none")
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for version in ("1.18.1", "2.0.2"):
    for words, more in (("without", {}), ("with", {"pending-operators": 0})):
        answer = json.dumps({"jobs": [job | more]}).encode()
        client = [
            "java", "-cp", f"{work}/{version}/lib/*", "org.apache.flink.client.cli.CliFrontend",
            "list", "-a", "-m", f"127.0.0.1:{server.server_address[1]}",
        ]
        ended = subprocess.run(client, capture_output=True, text=True, env=os.environ | {"FLINK_CONF_DIR": f"{work}/conf"})
        listed = ended.returncode == 0 and ": orders (FINISHED)" in ended.stdout
        print(f"{version} {words} pending-operators: {'listed' if listed else 'refused'}")
print("user agents:", *sorted(agents))
PYTHON

seen=$(python3 "$work/ask.py" "$work")
printf '%s\n' "$seen"
expected=$(sed -n 's/^#   //p' "$0")
[ "$seen" = "$expected" ] || { printf 'The output differs from that of 27 November 2026, which was:\n%s\n' "$expected" >&2; exit 1; }
