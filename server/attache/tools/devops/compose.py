"""What is wrong with a Compose file: names that lead nowhere, ports that clash, and doors left open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from attache.tools.devops.yaml_tree import Findings, Node

TOP = frozenset({"name", "services", "networks", "volumes", "configs", "secrets", "include", "version", "models"})
_SERVICE_NAMES = (
    "annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs container_name "
    "cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec "
    "depends_on deploy develop device_cgroup_rules devices dns dns_opt dns_search domainname driver_opts entrypoint "
    "env_file environment expose extends external_links extra_hosts gpus group_add healthcheck hostname image init "
    "ipc isolation labels label_file links logging mac_address mem_limit mem_reservation mem_swappiness memswap_limit "
    "models network_mode networks oom_kill_disable oom_score_adj pid pids_limit platform ports post_start pre_stop "
    "privileged profiles provider pull_policy read_only restart runtime scale secrets security_opt shm_size "
    "stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user userns_mode "
    "uts volumes volumes_from working_dir"
)
SERVICE = frozenset(_SERVICE_NAMES.split())
_SECRET = re.compile(r"(?i)(?:password|passwd|secret|token|api_?key)")
_PORT = re.compile(r"^(?:(?:\[[^\]]+\]|\d+\.[\d.]+):)?(?:(\d+)(?:-(\d+))?:)?(\d+)(?:-(\d+))?(?:/(?:tcp|udp))?$")
_PORTS_MOST = 65_535


def check(path: str, text: str) -> Findings:
    """Return what is wrong with a Compose file."""
    out = Findings(path, [])
    for document in out.read(text)[:1]:
        for key, node in document.mapping.items():
            if key not in TOP and not key.startswith("x-"):
                out.add(
                    node.line, "error", "key", f"`{key}` means nothing at the top; there are {', '.join(sorted(TOP))}"
                )
        if "version" in document.mapping:
            out.add(document.get("version").line, "information", "version", "`version` is read no more: leave it out")
        services = document.get("services")
        if not services.mapping and "include" not in document.mapping:
            out.add(services.line, "error", "services", "there are no services")
        published: dict[str, str] = {}
        for name, service in services.mapping.items():
            _service(out, document, name, service, published)
        _cycle(out, services.mapping)
    return out


def _service(out: Findings, document: Node, name: str, service: Node, published: dict[str, str]) -> None:
    for key, node in service.mapping.items():
        if key not in SERVICE and not key.startswith("x-"):
            out.add(node.line, "error", "key", f"{name}: `{key}` means nothing in a service")
    if not any(key in service.mapping for key in ("image", "build", "extends", "provider")):
        out.add(service.line, "error", "image", f"{name}: neither image nor build")
    image = service.get("image")
    last = image.text.rpartition("/")[2]
    loose = ":" not in last or last.endswith(":latest")
    if image.text and "build" not in service.mapping and "$" not in last and "@" not in last and loose:
        out.add(image.line, "warning", "tag", f"{name}: {image.text} is another image tomorrow: name a version")
    _references(out, document, name, service)
    _ports(out, name, service, published)
    _doors(out, name, service)


def _references(out: Findings, document: Node, name: str, service: Node) -> None:
    others = document.get("services").mapping
    wanted = service.get("depends_on")
    for other, node in {**wanted.mapping, **{each.text: each for each in wanted.items}}.items():
        if other not in others:
            out.add(node.line, "error", "depends_on", f"{name}: there is no service {other}")
        elif node.get("condition").text == "service_healthy" and not _healthy(others[other]):
            out.add(node.line, "warning", "healthcheck", f"{name}: {other} declares no healthcheck to wait for")
    kinds: tuple[Literal["networks", "volumes", "secrets", "configs"], ...] = (
        "networks",
        "volumes",
        "secrets",
        "configs",
    )
    for kind in kinds:
        used = service.get(kind)
        names = {each.text or each.get("source").text: each for each in used.items} | dict(used.mapping)
        for each, node in names.items():
            source = each.partition(":")[0] if kind == "volumes" and not node.mapping else each
            if kind == "volumes" and (
                not re.fullmatch(r"[A-Za-z0-9][\w.-]*", source) or (":" not in each and not node.mapping)
            ):
                continue  # a path, or a volume without a name
            if node.get("type").text in {"bind", "tmpfs", "npipe"} or not source or source == "default":
                continue
            if source not in document.get(kind).mapping:
                out.add(node.line, "error", kind, f"{name}: {source} is not declared under {kind}")


def _healthy(service: Node) -> bool:
    """Return whether a service may have a healthcheck: its own, or its image's, which is not seen from here."""
    return "healthcheck" in service.mapping or "build" in service.mapping


def _ports(out: Findings, name: str, service: Node, published: dict[str, str]) -> None:
    for node in service.get("ports").items:
        host = node.get("published").text
        if node.text:
            match = _PORT.match(node.text)
            if "$" in node.text:
                continue
            if not match or any(int(each) > _PORTS_MOST for each in match.groups() if each):
                out.add(node.line, "error", "ports", f"{name}: {node.text} maps no port")
                continue
            host = f"{node.text.rpartition(':')[0]}" if match[1] else ""
        if host and published.setdefault(host, name) != name:
            out.add(node.line, "error", "ports", f"{name}: port {host} is published by {published[host]} already")
        published.setdefault(host, name)


def _doors(out: Findings, name: str, service: Node) -> None:
    """Look at what gives a container more than it should have."""
    privileged = service.get("privileged")
    if privileged.text == "true":
        out.add(privileged.line, "warning", "privileged", f"{name}: it can do on the host whatever root can")
    for key in ("network_mode", "pid", "ipc"):
        if service.get(key).text == "host":
            out.add(service.get(key).line, "warning", "host", f"{name}: {key} is the host's own")
    for node in service.get("volumes").items:
        if "docker.sock" in (node.text or node.get("source").text):
            out.add(node.line, "warning", "socket", f"{name}: who holds Docker's socket is root on the host")
    environment = service.get("environment")
    pairs: Mapping[str, Node] = environment.mapping or {
        node.text.partition("=")[0]: Node(node.line, node.text.partition("=")[2]) for node in environment.items
    }
    for key, node in pairs.items():
        value = node.text
        if _SECRET.search(key) and value and "$" not in value and not key.upper().endswith("_FILE"):
            out.add(node.line, "warning", "secret", f"{name}: {key} stands here in the open: secrets, or a variable")


def _cycle(out: Findings, services: Mapping[str, Node]) -> None:
    """Find services that wait for one another."""
    waits = {
        name: {*service.get("depends_on").mapping, *(each.text for each in service.get("depends_on").items)}
        for name, service in services.items()
    }
    for name in waits:
        seen: set[str] = set()
        way = [name]
        while way:
            for other in waits.get(way.pop(), ()):
                if other == name:
                    out.add(services[name].line, "error", "cycle", f"{name} waits for itself by way of depends_on")
                    way.clear()
                    break
                if other not in seen:
                    seen.add(other)
                    way.append(other)
