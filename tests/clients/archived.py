"""The content of the sample archives, read without the server, and a collector of failures."""

import json
import pathlib
import sys

ARCHIVES = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "archives"


def documents():
    """Every archived document of every sample archive: path -> text. The overviews are left out, being one per file."""
    found = {}
    for archive in sorted(path for path in ARCHIVES.rglob("*") if path.is_file()):
        for entry in json.loads(archive.read_text(encoding="utf-8"))["archive"]:
            if not entry["path"].endswith("s/overview"):
                found[entry["path"]] = entry["json"]
    return found


class Archived:
    """The documents as a client would expect to find them."""

    def __init__(self):
        self.documents = documents()
        self.jobs = sorted(path.split("/")[2] for path in self.documents if path.startswith("/jobs/") and path.count("/") == 2)

    def __getitem__(self, path):
        return json.loads(self.documents[path])

    def below(self, prefix):
        """The last segments of the documents directly below a path, such as the vertices of a job."""
        return sorted({path.removeprefix(prefix).split("/")[0] for path in self.documents if path.startswith(prefix)})


class Check:
    """Counts calls and collects failures, so that one run names all of them."""

    def __init__(self):
        self.calls = 0
        self.failures = []

    def equal(self, what, got, expected):
        self.calls += 1
        if got != expected:
            self.failures.append(f"{what}: got {str(got)[:300]} instead of {str(expected)[:300]}")

    def true(self, what, holds, got=""):
        self.calls += 1
        if not holds:
            self.failures.append(f"{what}: {str(got)[:300]}")

    def finish(self):
        for failure in self.failures[:40]:
            print(failure)
        print(f"{self.calls} calls, {len(self.failures)} failures")
        sys.exit(1 if self.failures else 0)
