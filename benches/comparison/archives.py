"""The archives of a run: made once for each size, with the same content every time."""

import dataclasses
import json
import os
import pathlib
import random
import shutil
import stat
import subprocess

from .paths import ROOT, WORK
from .processes import files

# 2024-01-01: all applications ended before today.
START = 1_704_067_200_000


@dataclasses.dataclass
class Archives:
    """An archive directory and its contents."""

    folder: pathlib.Path
    applications: int
    jobs: int
    files: int
    bytes: int
    # Id of the application that ended first: a refresh that goes from the newest on lists it last.
    oldest: str

    def job_archives(self):
        """Paths of the job archives, oldest first."""
        found = [(entry.st_mtime, path) for path, entry in files(self.folder) if f"{os.sep}jobs{os.sep}" in path]
        return [path for _, path in sorted(found)]

    def documents(self, number, seed=1):
        """Paths of this number of different documents, each of another archive as far as there are enough archives."""
        chosen = random.Random(seed)
        archives = [path for path, entry in files(self.folder) if stat.S_ISREG(entry.st_mode)]
        archives.sort()
        chosen.shuffle(archives)
        waiting, found = [], []
        for path in archives:
            entries = json.loads(pathlib.Path(path).read_bytes())["archive"]
            paths = [entry["path"] for entry in entries if not entry["path"].endswith("/overview")]
            chosen.shuffle(paths)
            found += paths[:1]
            waiting += paths[1:]
            if len(found) == number:
                break
        chosen.shuffle(waiting)
        found += waiting[:number - len(found)]
        chosen.shuffle(found)
        return found


def made(tools, applications, seed=1):
    """The archives of this number of applications; made now unless an earlier run did."""
    folder = WORK / "archives" / f"{applications}-{seed}"
    done = folder.with_suffix(".done")
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([tools / "generate_archives", "--applications", str(applications), "--seed", str(seed), "--start-time", str(START),
                        "--out", folder], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        done.touch()
    found = [(path, entry) for path, entry in files(folder) if stat.S_ISREG(entry.st_mode)]
    jobs = sum(f"{os.sep}jobs{os.sep}" in path for path, _ in found)
    oldest = min((entry.st_mtime, path) for path, entry in found if path.endswith("application-summary"))[1].split(os.sep)[-2]
    return Archives(folder, applications, jobs, len(found), sum(entry.st_size for _, entry in found), oldest)


def arrive(archives, newcomers):
    """Writes one application as a JobManager does, its summary last; returns its id and a function that takes it away again."""
    cluster = next(archives.folder.glob("*/applications"))
    source = next(path for path in sorted(newcomers.folder.glob("*/applications/*")) if not (cluster / path.name).exists())
    target = cluster / source.name
    (target / "jobs").mkdir(parents=True)
    for job in source.glob("jobs/*"):
        shutil.copyfile(job, target / "jobs" / job.name)
    shutil.copyfile(source / "application-summary", target / "application-summary")
    return source.name, lambda: shutil.rmtree(target)
