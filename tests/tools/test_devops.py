"""Images, services, pipelines, clusters and plans are checked as they stand in the editor."""

from __future__ import annotations

import json
import textwrap

import pytest

from attache.schema.errors import FileMissing, FileSkipped, ToolError
from attache.tools.devops.dockerfiles import instructions


def text(words: str) -> str:
    return textwrap.dedent(words).lstrip("\n")


def codes(output) -> list[tuple[int, str]]:
    return sorted((each["place"]["line"], each["code"]) for each in output.data["findings"])


# ---------------------------------------------------------------- Dockerfile

BAD_IMAGE = text(r"""
    FROM python
    ARG API_KEY=abc
    RUN apt-get update
    RUN apt-get install curl
    RUN curl -s https://x.example/i.sh | sh
    # a comment
    COPY . /app
    RUN pip install \
        # inside
        -r requirements.txt
    WORKDIR app
    EXPOSE 99999
    COPPY x y
    CMD ['python', 'app.py']
    CMD python app.py
""")
GOOD_IMAGE = text("""
    # syntax=docker/dockerfile:1
    ARG VERSION=3.12
    FROM python:${VERSION} AS build
    RUN --mount=type=cache,target=/root/.cache pip install build
    COPY pyproject.toml ./
    RUN <<EOF
    pip install --no-cache-dir .
    FROM is no instruction here
    EOF
    FROM python:3.12-slim
    COPY --from=build /app /app
    WORKDIR /app
    USER app:app
    ENTRYPOINT ["python", "-m", "app"]
""")


async def test_a_dockerfile_is_checked(desk) -> None:
    desk.write("Dockerfile", "FROM scratch\n")
    desk.open("Dockerfile", BAD_IMAGE)
    output = await desk.call("check_dockerfile")
    assert codes(output) == [
        (1, "tag"), (1, "user"), (2, "secret"), (3, "update"), (4, "lists"), (4, "update"), (4, "yes"), (5, "pipe"),
        (7, "order"), (8, "cache"), (11, "workdir"), (12, "port"), (13, "instruction"), (14, "json"), (14, "several"), (15, "shell"),
    ]  # fmt: skip
    assert output.text.startswith("16 findings in 1 Dockerfile, 5 errors")


async def test_a_good_dockerfile_has_no_findings(desk) -> None:
    desk.write("app/Dockerfile", GOOD_IMAGE)
    output = await desk.call("check_dockerfile")
    assert codes(output) == []
    assert output.text == "0 findings in 1 Dockerfile"


def test_instructions_are_read_with_their_lines() -> None:
    found = list(instructions("FROM a\nRUN x \\\n  # no\n\n y\nCOPY <<EOF /f\nRUN no\nEOF\nCMD z\n"))
    assert [(each.line, each.name) for each in found] == [(1, "FROM"), (2, "RUN"), (5, "Y"), (6, "COPY"), (9, "CMD")]


# ---------------------------------------------------------------- Compose

BAD_COMPOSE = text("""
    version: "3"
    services:
      web:
        image: nginx
        ports: ["8080:80", "80:99999"]
        depends_on:
          db: {condition: service_healthy}
          cache: {condition: service_started}
        networks: [front]
        volumes:
          - data:/var/lib/x
          - ./here:/there
          - /var/run/docker.sock:/var/run/docker.sock
        restrat: always
      db:
        image: postgres:16
        ports: ["8080:5432"]
        environment:
          POSTGRES_PASSWORD: hunter2
          TOKEN: ${TOKEN}
        depends_on: [web]
        privileged: true
      empty: {}
    volumes:
      other:
""")


async def test_a_compose_file_is_checked(desk) -> None:
    desk.write("docker-compose.yml", BAD_COMPOSE)
    output = await desk.call("check_compose")
    assert codes(output) == [
        (1, "version"), (4, "cycle"), (4, "tag"), (5, "ports"), (7, "healthcheck"), (8, "depends_on"), (9, "networks"),
        (11, "volumes"), (13, "socket"), (14, "key"), (16, "cycle"), (17, "ports"), (19, "secret"), (22, "privileged"), (23, "image"),
    ]  # fmt: skip


async def test_what_is_no_yaml_is_said_with_its_line(desk) -> None:
    desk.write("compose.yaml", "services:\n  a:\n   image: [x\n")
    desk.write("other/compose.yml", "services:\n  a: {image: 'x:1'}\n  a: {image: 'y:1'}\n")
    output = await desk.call("check_compose")
    assert [each["code"] for each in output.data["findings"]] == ["yaml", "twice"]
    bomb = "a: &a [x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{f'*{chr(97 + n)}, ' * 9}]\n" for n in range(20))
    desk.write("bomb/compose.yaml", bomb + "services: {x: {image: 'y:1'}}\n")
    found = (await desk.call("check_compose", paths=["bomb"])).data["findings"]
    assert [each["message"] for each in found] == ["this is no YAML: too large to be looked at"]
    desk.write("deep/compose.yaml", "services: " + "[" * 50_000)
    found = (await desk.call("check_compose", paths=["deep"])).data["findings"]
    assert [each["message"] for each in found] == ["this is no YAML: nested deeper than 100 levels"]
    desk.write("circle/compose.yaml", "services: &s {x: {image: 'y:1', environment: *s}, <<: {z: {image: 'z:1'}}}\n")
    assert (await desk.call("check_compose", paths=["circle"])).data["findings"] == []
    with pytest.raises(FileMissing):
        await desk.call("check_compose", paths=["nowhere.yaml"])


# ---------------------------------------------------------------- GitHub Actions

BAD_WORKFLOW = text("""
    name: ci
    on:
      pull_request_target:
      pulll_request:
      schedule:
        - cron: "0 0 * *"
    permissions: write-all
    jobs:
      test:
        runs-on: ubuntu-latest
        timeout-minutes: 10
        needs: [build]
        steps:
          - uses: actions/checkout@v4
            with: {ref: "${{ github.event.pull_request.head.sha }}"}
          - uses: someone/thing@main
          - run: echo "${{ github.event.pull_request.title }}"
          - id: a
            run: echo ::set-output name=x::1
          - id: a
            uses: actions/cache
            run: both
          - run: echo ${{ steps.nope.outputs.x }} ${{ needs.other.outputs.y }}
          - with: {}
      loop1: {needs: loop2, runs-on: x, timeout-minutes: 1, steps: [{run: y}]}
      loop2: {needs: loop1, runs-on: x, steps: [{run: y}], stepz: 1}
      empty: {}
""")
GOOD_WORKFLOW = text("""
    on: [push, pull_request]
    permissions: {contents: read}
    jobs:
      build:
        runs-on: ubuntu-latest
        timeout-minutes: 10
        outputs: {v: "${{ steps.v.outputs.v }}"}
        steps:
          - uses: actions/checkout@v4
          - id: v
            env: {TITLE: "${{ github.event.pull_request.title }}"}
            run: echo "v=$TITLE" >> "$GITHUB_OUTPUT"
          - run: echo ${{ steps.v.outputs.v }}
      call:
        needs: build
        uses: ./.github/workflows/other.yml
        with: {v: "${{ needs.build.outputs.v }}"}
""")


async def test_a_workflow_is_checked(desk) -> None:
    desk.write(".github/workflows/ci.yml", BAD_WORKFLOW)
    output = await desk.call("check_ci")
    assert codes(output) == [
        (4, "event"), (6, "cron"), (7, "permissions"), (12, "needs"), (14, "target"), (16, "pin"), (17, "injection"),
        (19, "command"), (20, "id"), (20, "step"), (21, "uses"), (23, "id"), (23, "needs"), (24, "step"), (25, "cycle"),
        (26, "cycle"), (26, "key"), (26, "timeout"), (27, "runs-on"), (27, "steps"), (27, "timeout"),
    ]  # fmt: skip


async def test_a_good_workflow_has_no_findings(desk) -> None:
    desk.write(".github/workflows/ci.yaml", GOOD_WORKFLOW)
    assert codes(await desk.call("check_ci")) == []


# ---------------------------------------------------------------- Kubernetes

MANIFESTS = text("""
    apiVersion: extensions/v1beta1
    kind: Deployment
    metadata: {name: Web_1}
    spec:
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: other}}
        spec:
          hostNetwork: true
          volumes: [{name: v, hostPath: {path: /}}]
          containers:
            - name: c
              image: nginx
              ports: [{containerPort: 80, name: a-name-that-is-too-long}]
              volumeMounts: [{name: nope, mountPath: /x}]
              securityContext: {privileged: true}
              resources: {limits: {memory: 5 GB}}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: web}
    spec:
      selector: {app: nobody}
      ports: [{port: 80}]
    ---
    kind: Ingress
    apiVersion: networking.k8s.io/v1
    metadata: {name: i}
    spec: {rules: [{http: {paths: [{backend: {service: {name: gone}}}]}}]}
""")
GOOD = text("""
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          securityContext: {runAsNonRoot: true}
          containers:
            - name: c
              image: nginx:1.27
              ports: [{containerPort: 80, name: http}]
              readinessProbe: {httpGet: {path: /, port: http}}
              resources: {limits: {memory: 512Mi, cpu: 500m}}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: web}
    spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
""")


async def test_manifests_are_checked_together(desk) -> None:
    desk.write("k8s/web.yaml", MANIFESTS)
    desk.write("other.yaml", "just: yaml\n")
    output = await desk.call("check_kubernetes")
    assert output.data["files"] == ["k8s/web.yaml"]
    assert codes(output) == [
        (1, "version"), (3, "name"), (5, "selector"), (9, "host"), (10, "hostPath"), (12, "probe"), (12, "root"),
        (13, "tag"), (14, "port"), (15, "volume"), (16, "privileged"), (17, "quantity"), (19, "selector"), (29, "service"),
    ]  # fmt: skip


async def test_good_manifests_have_no_findings(desk) -> None:
    desk.write("web.yml", GOOD)
    assert codes(await desk.call("check_kubernetes")) == []


# ---------------------------------------------------------------- Terraform


async def test_a_plan_is_told_with_what_it_destroys_first(desk) -> None:
    changes = [
        {"address": "a.new", "change": {"actions": ["create"], "before": None, "after": {"x": 1}}},
        {
            "address": "a.db", "action_reason": "replace_because_cannot_update",
            "change": {
                "actions": ["delete", "create"], "before": {"engine": "x", "password": "p1"}, "after": {"engine": "y", "password": "p2"},
                "after_unknown": {"id": True}, "before_sensitive": {"password": True}, "after_sensitive": {}, "replace_paths": [["engine"]],
            },
        },
        {"address": "a.same", "change": {"actions": ["no-op"]}},
        {"address": "a.gone", "change": {"actions": ["delete"], "before": {}}},
    ]  # fmt: skip
    desk.write("plan.json", json.dumps({"format_version": "1.2", "resource_changes": changes}))
    output = await desk.call("terraform_plan", path="plan.json")
    assert output.text.splitlines() == [
        "2 to add, 0 to change, 2 to destroy (1 of them replaced)",
        "delete a.gone",
        "replace a.db (replace because cannot update)",
        '  engine: "x" → "y" (forces the replacement)',
        "  password: (secret)",
        "  id: null → (known after apply)",
        "create a.new",
    ]
    desk.write("no.json", "{}")
    with pytest.raises(FileSkipped, match="is no plan"):
        await desk.call("terraform_plan", path="no.json")


@pytest.mark.parametrize("name", ["check_dockerfile", "check_compose", "check_ci", "check_kubernetes"])
async def test_where_there_is_nothing_to_check_it_is_said(desk, name: str) -> None:
    desk.write("a.py", "x = 1\n")
    with pytest.raises(ToolError, match=r"no .* was found") as refused:
        await desk.call(name)
    assert "looked for" in refused.value.hint
