#!/usr/bin/env python3
"""Prints the software bill of materials of the binary, in CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/).

    tools/sbom.py > target/sbom.cdx.json
    tools/sbom.py --debian libc6=2.36-9+deb12u9 --distribution debian-12    with packages of an image

The components are those of NOTICE: the Rust crates that are linked, with the C code in them, and the npm packages in the web pages.
The same sources give the same bytes: the serial number is a digest of the content. The time is written only if SOURCE_DATE_EPOCH is set.
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import tomllib
import uuid

import notice

# Projects in C that crates contain. They have no version of their own in Cargo.lock.
WITHIN = {
    "libsqlite3-sys": ("SQLite", "pkg:generic/sqlite"),
    "zstd-sys": ("Zstandard", "pkg:generic/zstd"),
    "aws-lc-sys": ("AWS-LC", "pkg:generic/aws-lc"),
}


def licences(expression):
    """Licences as CycloneDX writes them. Old crates separate a choice by a slash."""
    return [{"expression": expression.replace("/", " OR ")}] if expression else []


def checksums():
    """SHA-256 of each crate by name and version, from Cargo.lock."""
    locked = tomllib.loads((notice.ROOT / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    return {(package["name"], package["version"]): package.get("checksum") for package in locked}


def cargo(platform):
    """Components and dependencies of the crates that are linked, and the package itself."""
    arguments = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", platform]
    metadata = json.loads(subprocess.run(arguments, cwd=notice.ROOT, check=True, stdout=subprocess.PIPE).stdout)
    linked = notice.linked(metadata)
    packages = {package["id"]: package for package in metadata["packages"]}
    purls = {id: f"pkg:cargo/{package['name']}@{package['version']}" for id, package in packages.items()}
    sums, components, dependencies = checksums(), [], []
    for id in sorted(linked, key=purls.get):
        package = packages[id]
        component = {
            "type": "library",
            "bom-ref": purls[id],
            "name": package["name"],
            "version": package["version"],
            "licenses": licences(package["license"]),
            "purl": purls[id],
        }
        if digest := sums.get((package["name"], package["version"])):
            component["hashes"] = [{"alg": "SHA-256", "content": digest}]
        if package["name"] in WITHIN:
            name, purl = WITHIN[package["name"]]
            component["components"] = [{"type": "library", "bom-ref": f"{purls[id]}#{name}", "name": name, "purl": purl}]
        components.append(component)
    root = metadata["resolve"]["root"]
    for node in sorted(metadata["resolve"]["nodes"], key=lambda node: purls[node["id"]]):
        if node["id"] == root or node["id"] in linked:
            on = sorted({purls[dependency["pkg"]] for dependency in node["deps"] if dependency["pkg"] in linked})
            dependencies.append({"ref": purls[node["id"]], "dependsOn": on})
    return packages[root], purls[root], components, dependencies


def npm():
    """Components of the npm packages in the pages, as their build lists them."""
    text = (notice.ROOT / "web-dist/licenses.txt").read_text(encoding="utf-8")
    found = re.findall(r"^## (\S+) - (\S+) \((.+)\)$", text, re.MULTILINE)
    for name, version, licence in sorted(found):
        purl = f"pkg:npm/{name.replace('@', '%40')}@{version}"
        yield {"type": "library", "bom-ref": purl, "name": name, "version": version, "licenses": licences(licence), "purl": purl}


def debian(packages, distribution):
    """Components of Debian packages, each given as NAME=VERSION."""
    for package in sorted(packages):
        name, version = package.split("=", 1)
        purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B')}?distro={distribution}"
        yield {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def bill(platform, packages, distribution):
    """The bill of materials."""
    root, purl, components, dependencies = cargo(platform)
    components += [*npm(), *debian(packages, distribution)]
    metadata = {
        "component": {
            "type": "application",
            "bom-ref": purl,
            "name": root["name"],
            "version": root["version"],
            "description": root["description"],
            "licenses": licences(root["license"]),
            "purl": purl,
        }
    }
    content = json.dumps([metadata, components, dependencies], sort_keys=True)
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        metadata["timestamp"] = datetime.datetime.fromtimestamp(int(epoch), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": metadata,
        "components": components,
        "dependencies": dependencies,
    }


def main():
    arguments = argparse.ArgumentParser(description="Prints the bill of materials in CycloneDX.")
    arguments.add_argument("--platform", default=notice.PLATFORM, help="target of the build")
    arguments.add_argument("--debian", nargs="*", default=[], metavar="NAME=VERSION", help="Debian packages beside the binary")
    arguments.add_argument("--distribution", default="debian", help="distribution of these packages, such as debian-12")
    wanted = arguments.parse_args()
    print(json.dumps(bill(wanted.platform, wanted.debian, wanted.distribution), indent=1))


if __name__ == "__main__":
    main()
