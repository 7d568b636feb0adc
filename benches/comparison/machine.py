"""The machine, the versions and the commit of a run."""

import os
import pathlib
import platform
import re
import subprocess

from .paths import FLINK, ROOT, WORK


def first_line(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, check=False)
    return done.stdout.splitlines()[0].strip() if done.stdout else ""


def machine():
    processor = re.search(r"model name\s*: (.+)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    release = re.search(r'PRETTY_NAME="(.+)"', pathlib.Path("/etc/os-release").read_text())
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "processor": processor.group(1) if processor else platform.machine(),
        "memory_bytes": memory,
        "system": f"{release.group(1) if release else platform.system()}, Linux {platform.release()}",
        "file_system": first_line("stat", "--file-system", "--format=%T", str(WORK)),
    }


def versions(binary):
    return {
        "historyserver": first_line(str(binary), "--version"),
        "Flink": (FLINK / "VERSION").read_text().strip(),
        "Java": first_line("java", "-version"),
        "nginx": first_line("nginx", "-v"),
        "wrk": " ".join(first_line("wrk", "--version").split()[:2]),
        "Rust": first_line("rustc", "--version"),
    }


def commit():
    name = first_line("git", "rev-parse", "HEAD")
    changed = subprocess.run(["git", "status", "--porcelain", "--untracked-files=no", "--", "src", "Cargo.lock", "migrations"],
                             stdout=subprocess.PIPE, text=True, cwd=ROOT, check=False).stdout
    return name + (" with changes" if changed.strip() else "")
