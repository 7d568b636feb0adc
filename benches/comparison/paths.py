"""Places in the repository."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = ROOT / "target" / "release"
# Archives, data directories and results of runs. Flink's server writes 70 files per application: on the disk of the repository.
WORK = ROOT / "target" / "bench"
FIGURES = ROOT / "benches" / "figures.json"
NOTES = ROOT / "benches" / "notes.json"
PAGE = ROOT / "BENCHMARKS.md"
FLINK = ROOT / ".test-tools" / "flink"
MEMORY = pathlib.Path("/dev/shm")
