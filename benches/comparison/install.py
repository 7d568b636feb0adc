"""Installs what this server is compared with: Flink's server from its Python package, nginx and wrk from Debian."""

import os
import pathlib
import shutil
import subprocess

from .paths import ROOT

# Debian starts a service when it is installed, unless this file says no.
POLICY = pathlib.Path("/usr/sbin/policy-rc.d")


def install():
    subprocess.run([ROOT / "tests" / "tools" / "install-flink.sh"], check=True)
    missing = [name for name in ("nginx", "wrk") if shutil.which(name) is None]
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SystemExit(f"make bench: {' and '.join(missing)} not found on PATH: install the packages, or run this as root on Debian")
    quiet = not POLICY.exists()
    if quiet:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    finally:
        if quiet:
            POLICY.unlink()
