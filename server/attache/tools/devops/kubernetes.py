"""What is wrong with Kubernetes manifests: shape, selectors that select nothing, versions that are gone, rights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from attache.tools.devops.yaml_tree import Findings, Node

GONE: Mapping[tuple[str, str], str] = {
    ("extensions/v1beta1", "Deployment"): "apps/v1", ("extensions/v1beta1", "DaemonSet"): "apps/v1",
    ("extensions/v1beta1", "ReplicaSet"): "apps/v1", ("extensions/v1beta1", "Ingress"): "networking.k8s.io/v1",
    ("extensions/v1beta1", "NetworkPolicy"): "networking.k8s.io/v1", ("apps/v1beta1", "Deployment"): "apps/v1",
    ("apps/v1beta1", "StatefulSet"): "apps/v1", ("apps/v1beta2", "Deployment"): "apps/v1",
    ("apps/v1beta2", "StatefulSet"): "apps/v1", ("apps/v1beta2", "DaemonSet"): "apps/v1",
    ("networking.k8s.io/v1beta1", "Ingress"): "networking.k8s.io/v1",
    ("networking.k8s.io/v1beta1", "IngressClass"): "networking.k8s.io/v1",
    ("batch/v1beta1", "CronJob"): "batch/v1", ("policy/v1beta1", "PodDisruptionBudget"): "policy/v1",
    ("policy/v1beta1", "PodSecurityPolicy"): "", ("autoscaling/v2beta1", "HorizontalPodAutoscaler"): "autoscaling/v2",
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"): "autoscaling/v2",
    ("rbac.authorization.k8s.io/v1beta1", "Role"): "rbac.authorization.k8s.io/v1",
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRole"): "rbac.authorization.k8s.io/v1",
    ("rbac.authorization.k8s.io/v1beta1", "RoleBinding"): "rbac.authorization.k8s.io/v1",
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding"): "rbac.authorization.k8s.io/v1",
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition"): "apiextensions.k8s.io/v1",
    ("storage.k8s.io/v1beta1", "CSIDriver"): "storage.k8s.io/v1",
    ("discovery.k8s.io/v1beta1", "EndpointSlice"): "discovery.k8s.io/v1",
}  # fmt: skip
"""Versions that no supported cluster serves, with what took their place; "" for nothing."""
TEMPLATED = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"})
SELECTING = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?")
_QUANTITY = re.compile(r"\d+(?:\.\d+)?(?:m|[kMGTPE]i?|e\d+)?")
_CAPABILITIES = frozenset({"ALL", "SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"})


class Resource(NamedTuple):
    """One resource, and the file it stands in."""

    path: str
    node: Node

    @property
    def kind(self) -> str:
        """Return its kind."""
        return self.node.get("kind").text

    @property
    def name(self) -> str:
        """Return its kind and name, as kubectl writes them."""
        return f"{self.kind.lower()}/{self.node.get('metadata', 'name').text or '?'}"

    @property
    def template(self) -> Node:
        """Return the pod that it makes, with metadata and spec; an empty node where it makes none."""
        if self.kind == "Pod":
            return self.node
        if self.kind == "CronJob":
            return self.node.get("spec", "jobTemplate", "spec", "template")
        return self.node.get("spec", "template") if self.kind in TEMPLATED else Node(self.node.line, None)


def resources(path: str, documents: Iterable[Node]) -> Iterator[Resource]:
    """Yield the resources of documents, those of lists too; what has no apiVersion and no kind is none."""
    for document in documents:
        if document.get("kind").text == "List":
            yield from resources(path, document.get("items").items)
        elif document.get("kind").there or document.get("apiVersion").there:
            yield Resource(path, document)


def check(texts: Mapping[str, str]) -> list[Findings]:
    """Return what is wrong with manifests that belong together, file by file."""
    outs = {path: Findings(path, []) for path in texts}
    found = [each for path, text in texts.items() for each in resources(path, outs[path].read(text))]
    for each in found:
        _resource(outs[each.path], each)
    _services(outs, found)
    _references(outs, found)
    seen: dict[tuple[str, str, str], Resource] = {}
    for each in found:
        key = (each.kind, each.node.get("metadata", "namespace").text, each.node.get("metadata", "name").text)
        first = seen.setdefault(key, each)
        if first is not each and key[2]:
            where = f"{first.path}:{first.node.line}"
            outs[each.path].add(each.node.line, "warning", "twice", f"{each.name} stands in {where} too")
    return list(outs.values())


def _resource(out: Findings, each: Resource) -> None:
    node = each.node
    for key in ("apiVersion", "kind"):
        if not node.get(key).text:
            out.add(node.line, "error", key, f"{each.name}: {key} is missing")
    name = node.get("metadata", "name")
    if not name.there and not node.get("metadata", "generateName").there and each.kind != "Kustomization":
        out.add(node.line, "error", "name", f"{each.name}: metadata.name is missing")
    elif name.text and not _NAME.fullmatch(name.text) and "{{" not in name.text:
        out.add(name.line, "error", "name", f"{name.text!r} is no name: lower case, digits, - and .")
    version = (node.get("apiVersion").text, each.kind)
    if version in GONE:
        now = f": write {GONE[version]}" if GONE[version] else " without a successor"
        out.add(
            node.get("apiVersion").line, "error", "version", f"{version[0]} {version[1]} is gone from clusters{now}"
        )
    if each.kind in SELECTING:
        wanted = node.get("spec", "selector", "matchLabels").mapping
        has = each.template.get("metadata", "labels").mapping
        for label, value in wanted.items():
            if label not in has or has[label].text != value.text:
                out.add(
                    value.line, "error", "selector", f"{each.name}: its own pods have no label {label}: {value.text}"
                )
        if not wanted and not node.get("spec", "selector", "matchExpressions").there:
            out.add(node.line, "error", "selector", f"{each.name}: spec.selector is missing")
    if each.template.there:
        _pod(out, each, each.template.get("spec"))
    if each.kind == "Secret" and node.get("stringData").mapping:
        out.add(node.get("stringData").line, "warning", "secret", f"{each.name}: it stands here in the open")


def _pod(out: Findings, each: Resource, spec: Node) -> None:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key).text == "true":
            out.add(spec.get(key).line, "warning", "host", f"{each.name}: {key} shares the node's own")
    declared = {volume.get("name").text for volume in spec.get("volumes").items}
    declared |= {claim.get("metadata", "name").text for claim in each.node.get("spec", "volumeClaimTemplates").items}
    for volume in spec.get("volumes").items:
        if volume.get("hostPath").there:
            out.add(volume.line, "warning", "hostPath", f"{each.name}: hostPath opens the node's disk")
    containers = spec.get("containers").items
    if not containers:
        out.add(spec.line, "error", "containers", f"{each.name}: there are no containers")
    for container in (*spec.get("initContainers").items, *containers):
        _container(out, each, spec, container, declared)
    long_lived = each.kind in {"Deployment", "StatefulSet", "DaemonSet"}
    for container in containers if long_lived else ():
        if not container.get("readinessProbe").there and container.get("ports").there:
            what = f"{each.name}, {container.get('name').text}"
            out.add(container.line, "information", "probe", f"{what}: traffic comes before it is ready: readinessProbe")


def _container(out: Findings, each: Resource, spec: Node, container: Node, volumes: set[str]) -> None:
    what = f"{each.name}, {container.get('name').text or '?'}"
    image = container.get("image")
    last = image.text.rpartition("/")[2]
    if not image.text:
        out.add(container.line, "error", "image", f"{what}: it has no image")
    elif "{{" not in image.text and "@" not in last and (":" not in last or last.endswith(":latest")):
        out.add(image.line, "warning", "tag", f"{what}: {image.text} is another image tomorrow: name a version")
    for key in ("requests", "limits"):
        for name, amount in container.get("resources", key).mapping.items():
            if amount.text and "{{" not in amount.text and not _QUANTITY.fullmatch(amount.text):
                out.add(amount.line, "error", "quantity", f"{what}: {amount.text} is no amount of {name}")
    if not container.get("resources", "limits", "memory").there:
        out.add(container.line, "information", "limits", f"{what}: it may take all the node's memory: resources.limits")
    security = container.get("securityContext")
    if security.get("privileged").text == "true":
        out.add(security.line, "error", "privileged", f"{what}: it can do on the node whatever root can")
    for capability in security.get("capabilities", "add").texts():
        if capability.text in _CAPABILITIES:
            out.add(capability.line, "warning", "capability", f"{what}: {capability.text} is close to root on the node")
    as_user = (security.get("runAsNonRoot").text, spec.get("securityContext", "runAsNonRoot").text)
    if "true" not in as_user and not security.get("runAsUser").there:
        out.add(container.line, "information", "root", f"{what}: it may run as root: securityContext.runAsNonRoot")
    for port in container.get("ports").items:
        name = port.get("name")
        if name.text and not _PORT_NAME.fullmatch(name.text):
            out.add(name.line, "error", "port", f"{what}: {name.text!r} is no port name: 15 of a-z, 0-9 and -")
    for mount in container.get("volumeMounts").items:
        if mount.get("name").text not in volumes:
            out.add(mount.line, "error", "volume", f"{what}: there is no volume {mount.get('name').text}")


def _services(outs: Mapping[str, Findings], found: list[Resource]) -> None:
    """Look whether services find pods, and ports at them, among the manifests given."""
    pods = [each for each in found if each.template.there]
    for each in found:
        wanted = each.node.get("spec", "selector").mapping
        if each.kind != "Service" or not wanted or not pods:
            continue
        chosen = [
            pod for pod in pods
            if all(pod.template.get("metadata", "labels", label).text == value.text for label, value in wanted.items())
        ]  # fmt: skip
        if not chosen:
            said = ", ".join(f"{label}={value.text}" for label, value in wanted.items())
            outs[each.path].add(
                each.node.line, "warning", "selector", f"{each.name}: no pod here has the labels {said}"
            )
            continue
        ports = [
            port
            for pod in chosen
            for box in pod.template.get("spec", "containers").items
            for port in box.get("ports").items
        ]
        names = {port.get("name").text for port in ports} | {port.get("containerPort").text for port in ports}
        for port in each.node.get("spec", "ports").items:
            target = port.get("targetPort") if port.get("targetPort").there else port.get("port")
            if target.text and ports and target.text not in names and not target.text.isdigit():
                outs[each.path].add(
                    target.line, "error", "port", f"{each.name}: no container names a port {target.text}"
                )


def _references(outs: Mapping[str, Findings], found: list[Resource]) -> None:
    """Look whether ingresses and scalers name something that is there, where things of that kind are given."""
    names = {(each.kind, each.node.get("metadata", "name").text) for each in found}
    kinds = {kind for kind, _ in names}
    for each in found:
        if each.kind == "Ingress" and "Service" in kinds:
            for rule in each.node.get("spec", "rules").items:
                for way in rule.get("http", "paths").items:
                    service = way.get("backend", "service", "name")
                    if service.text and ("Service", service.text) not in names:
                        outs[each.path].add(
                            service.line, "warning", "service", f"{each.name}: no service {service.text} here"
                        )
        target = each.node.get("spec", "scaleTargetRef")
        scaled = (target.get("kind").text, target.get("name").text)
        if each.kind == "HorizontalPodAutoscaler" and scaled[0] in kinds and scaled not in names:
            outs[each.path].add(target.line, "warning", "target", f"{each.name}: there is no {' '.join(scaled)} here")
