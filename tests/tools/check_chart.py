#!/usr/bin/env python3
"""Renders the Helm chart with many values, and checks the manifests strictly by the schemas of Kubernetes.

    tests/tools/install-chart-check.sh
    .test-tools/chart-check/bin/python tests/tools/check_chart.py [--configurations DIR]

With --configurations, the historyserver.toml of each set of values is written to DIR, for `historyserver check-config`.
"""

import argparse
import functools
import itertools
import json
import pathlib
import sys

import helm_python
import kubernetes_validate
import yaml

CHART = pathlib.Path(__file__).resolve().parents[2] / "deploy/helm/historyserver"
REQUIRED = {"archiveDirectories": ["s3://bucket/completed-jobs"], "authentication": ["none"]}
KUBERNETES = kubernetes_validate.latest_version()
# Kinds that are not of Kubernetes itself: the Prometheus Operator's. Their schemas are not at hand.
OTHER = {"ServiceMonitor", "PrometheusRule"}

# Two values of each switch, which are combined in all ways.
SWITCHES = [
    [{}, {"persistence": {"enabled": False}}],
    [{}, {"ingress": {"enabled": True, "host": "flink.example.org", "path": "/history", "tlsSecret": "flink-tls", "className": "nginx"}}],
    [{}, {"networkPolicy": {"enabled": False}}],
    [{}, {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}, "grafanaDashboard": {"enabled": True}}],
    [{}, {"secrets": {"AWS_SECRET_ACCESS_KEY": 'a "quoted": #secret'}, "existingSecrets": ["other"]}],
    [{}, {"serviceAccount": {"create": False, "name": "own"}, "podDisruptionBudget": {"enabled": False}}],
]
# Values that are tried one by one.
SINGLE = {
    "many": {
        "archiveDirectories": ["s3://a/jobs", "/archives"],
        "authentication": ["none"],
        "config": {
            "historyserver.archive.retained-ttl": "365 d",
            "historyserver.archive.retained-applications": 20000,
            "historyserver.archive.retention.max-delete-fraction": 0.25,
            "historyserver.archive.clean-expired-jobs": True,
            "historyserver.archive.retention.cron": ["0 3 * * *", "0 15 * * *"],
            "historyserver.web.hosts": ["flink.example.org"],
        },
        "replicas": 2,
        "https": True,
        "image": {"repository": "registry.example.org/historyserver", "digest": "sha256:" + "0" * 64},
        "imagePullSecrets": [{"name": "registry"}],
        "persistence": {"size": "100Gi", "storageClass": "fast", "retain": False},
        "extraVolumes": [{"name": "archives", "nfs": {"server": "nfs.example.org", "path": "/jobs"}}],
        "extraVolumeMounts": [{"name": "archives", "mountPath": "/archives", "readOnly": True}],
        "extraEnv": [{"name": "AWS_REGION", "value": "eu-central-1"}],
        "networkPolicy": {"egressPorts": [443, 8020], "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]},
        "podDisruptionBudget": {"maxUnavailable": "50%"},
        "podAnnotations": {"a": "b"},
        "podLabels": {"team": "data"},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "high",
        "service": {"type": "LoadBalancer", "port": 443, "annotations": {"a": "b"}},
    },
}
# Values that are refused, and a part of the message.
REFUSED = [
    ({"archiveDirectories": []}, "archiveDirectories"),
    ({"authentication": []}, "authentication"),
    ({"authentication": ["basic"]}, "authentication"),
    ({"authentication": ["none", "oidc"]}, "authentication"),
    ({"authentication": "none"}, "authentication"),
    ({"archiveDirectories": ["completed-jobs"]}, "archiveDirectories"),
    ({"config": {"historyserver.web.port": 80}}, "historyserver.web.port"),
    ({"config": {"historyserver.web": {"port": 80}}}, "config"),
    ({"replica": 2}, "replica"),
    ({"replicas": -1}, "replicas"),
    ({"ingress": {"enabled": True}}, "host"),
    ({"service": {"port": 70000}}, "port"),
    ({"image": {"digest": "latest"}}, "digest"),
    ({"persistence": {"size": "much"}}, "size"),
    ({"persistence": {"accessModes": ["ReadWriteMany"]}}, "accessModes"),
    ({"secrets": {"NOT A NAME": "x"}}, "NOT A NAME"),
    ({"networkPolicy": {"from": []}}, "from"),
]


def merged(parts):
    values = dict(REQUIRED)
    for part in parts:
        values.update(part)
    return values


def manifests(chart, values):
    for name, text in chart.render(values, name="flink", namespace="data").items():
        if not name.endswith(".txt"):
            for document in yaml.safe_load_all(text):
                if document is not None:
                    yield document


@functools.cache
def validate(manifest):
    """Checks a manifest, given as JSON. A check takes a second, and most sets of values share most manifests."""
    kubernetes_validate.validate(json.loads(manifest), KUBERNETES, strict=True)


def check(chart, values):
    """Checks one set of values. Returns its historyserver.toml."""
    toml, kinds = None, set()
    for manifest in manifests(chart, values):
        kind = manifest["kind"]
        kinds.add(kind)
        assert manifest["metadata"]["labels"]["app.kubernetes.io/instance"] == "flink", manifest
        if kind not in OTHER:
            validate(json.dumps(manifest, sort_keys=True))
        if kind == "ConfigMap" and "historyserver.toml" in manifest["data"]:
            toml = manifest["data"]["historyserver.toml"]
        if kind == "StatefulSet":
            restricted(manifest["spec"]["template"]["spec"])
        if kind == "PrometheusRule":
            assert manifest["spec"] == yaml.safe_load((CHART / "files/alerts.yaml").read_text(encoding="utf-8"))
        if kind == "Secret":
            assert manifest["stringData"] == values["secrets"]
    expected = {
        "ServiceMonitor": values.get("serviceMonitor", {}).get("enabled", False),
        "PrometheusRule": values.get("prometheusRule", {}).get("enabled", False),
        "Ingress": values.get("ingress", {}).get("enabled", False),
        "NetworkPolicy": values.get("networkPolicy", {}).get("enabled", True),
        "PodDisruptionBudget": values.get("podDisruptionBudget", {}).get("enabled", True),
        "ServiceAccount": values.get("serviceAccount", {}).get("create", True),
        "Secret": bool(values.get("secrets")),
        "StatefulSet": True,
        "Service": True,
    }
    for kind, there in expected.items():
        assert (kind in kinds) == there, f"{kind} with {values}"
    return toml


def restricted(pod):
    """The Pod Security Standard `restricted` (https://kubernetes.io/docs/concepts/security/pod-security-standards/)."""
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] != 0
    assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False and context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
    assert not pod.get("hostNetwork") and not any("hostPath" in volume for volume in pod["volumes"])


def main():
    arguments = argparse.ArgumentParser(description="Checks the Helm chart.")
    arguments.add_argument("--configurations", type=pathlib.Path, metavar="DIR", help="writes the configurations there")
    folder = arguments.parse_args().configurations
    sets = {f"combination-{number}": merged(parts) for number, parts in enumerate(itertools.product(*SWITCHES))}
    sets.update(SINGLE)
    with helm_python.Chart.load(CHART) as chart:
        for name, values in sets.items():
            chart.validate_schema(values)
            toml = check(chart, values)
            if folder and name in ("combination-0", *SINGLE):
                (folder / f"{name}.toml").write_text(toml, encoding="utf-8")
        for wrong, named in REFUSED:
            try:
                list(manifests(chart, merged([wrong])))
            except helm_python.HelmError as error:
                assert named in str(error), f"the message about {wrong} does not name {named}: {error}"
            else:
                sys.exit(f"the chart accepts {wrong}")
        try:
            list(manifests(chart, {}))
        except helm_python.HelmError as error:
            assert "archiveDirectories" in str(error) and "authentication" in str(error), error
        else:
            sys.exit("the chart accepts its defaults, though they name neither a directory nor an authentication")
    print(f"{len(sets) + len(REFUSED) + 1} passed, 0 failed")


if __name__ == "__main__":
    main()
