"""Runs the monitoring stack and asks it: what is pushed is scraped, makes alerts fire, reaches
Alertmanager and then Slack's end of the line; every panel's query answers. Called by .ci/monitoring."""

import datetime
import http.client
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

from containers import Project
from panels import check_panels

STACK = Path("deploy/monitoring")
DEMO = Path("crates/cleanbill/demo")
PROMETHEUS, ALERTMANAGER = "http://prometheus:9090", "http://alertmanager:9093"


def fail(message):
    sys.exit(f"FAILED: {message}")


def passed(message):
    print(f"ok: {message}", flush=True)


def ask(url, data=None):
    with urllib.request.urlopen(url, data, timeout=20) as answer:
        return answer.read().decode()


def query(expression, **more):
    """An instant query, or a range query if there are start, end and step."""
    word = "query_range" if "step" in more else "query"
    answer = json.loads(ask(f"{PROMETHEUS}/api/v1/{word}?{urllib.parse.urlencode({'query': expression, **more})}"))
    return answer["data"]["result"]


def wait_for(what, condition, seconds=60):
    """Waits until the condition returns something true, and returns that."""
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            if found := condition():
                return found
        except (OSError, ValueError, KeyError) as error:
            last = error
        time.sleep(0.5)
    fail(f"{what}: not within {seconds} s ({last})")


class Slack(http.server.BaseHTTPRequestHandler):
    """The other end of incoming webhooks."""

    received = []

    def do_POST(self):
        self.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *arguments):
        pass


def engine(method, path, body=None):
    """Asks the Docker engine."""
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(SOCKET)
    connection.request(method, path, body)
    answer = connection.getresponse()
    text = answer.read().decode()
    if answer.status >= 400:
        fail(f"engine: {method} {path}: {answer.status} {text}")
    return text


SOCKET = os.environ.get("CLEANBILL_TEST_DOCKER_HOST", "").removeprefix("unix://")
IMAGE = "shop/web:1.4"
# How the report names it: an archive stands before the name.
PUSHED = IMAGE if SOCKET else f"{DEMO}/images.tar:{IMAGE}"


def main():
    program, work, packages = map(Path, sys.argv[1:4])
    directory = work / "live"
    directory.mkdir()
    # As somebody does it who follows docs/monitoring.md: a copy, .env, secrets, textfile.
    project_directory = work / "project"
    shutil.copytree(STACK, project_directory)
    for name in ("secrets", "textfile"):
        (project_directory / name).mkdir()
    secret = project_directory / "secrets/SLACK_WEBHOOK_URL"
    secret.write_text("http://127.0.0.1:5990/services/T0/B0/secret\n")
    os.chown(secret, 65534, 65532)
    secret.chmod(0o640)
    os.chmod(work, 0o711)
    variables = {"GRAFANA_PASSWORD": "not-started", "CLEANBILL_SKIP_DB_UPDATE": "true", "SCAN_INTERVAL_SECONDS": "3600",
                 "SCAN_IMAGES": "shop/*,cleanbill-monitoring/*",
                 "PROMETHEUS_URL": PROMETHEUS, "DOCKER_GID": str(os.stat(SOCKET).st_gid) if SOCKET else "0"}
    project = Project(project_directory / "compose.yaml", variables, directory, packages, {"cleanbill": program})
    threading.Thread(target=http.server.HTTPServer(("127.0.0.1", 5990), Slack).serve_forever, daemon=True).start()
    try:
        check(project, program, work)
    except SystemExit:
        for name in project.running:
            print(f"---- {name}\n{project.log(name)[-1500:]}", file=sys.stderr)
        raise


def check(project, program, work):
    for name in ("pushgateway", "node-exporter", "alertmanager", "prometheus"):
        project.start(name)
    wait_for("Prometheus", lambda: ask(f"{PROMETHEUS}/-/ready"))
    wait_for("Alertmanager", lambda: ask(f"{ALERTMANAGER}/-/ready"))
    wait_for("Pushgateway", lambda: ask("http://pushgateway:9091/-/ready"))
    passed("the programs run with the flags, files and directories of compose.yaml")
    loaded = load_images() if SOCKET else []
    try:
        if SOCKET:
            start_monitor(project)
        push(program, work, project.directory)
        check_targets()
        check_pushed()
        check_alerts()
        check_runbooks()
        if SOCKET:
            look_again(loaded)
        check_panels(query, label_values, is_watching=bool(SOCKET))
    finally:
        for image in loaded:
            engine("DELETE", f"/images/{urllib.parse.quote(image, safe='')}?force=1")
    ask(f"{PROMETHEUS}/-/reload", b"")
    for name, process in project.running.items():
        if process.poll() is not None:
            fail(f"{name} has ended")


def load_images():
    """Gives the demo's images to the engine, and lists those that it had not."""
    before = tags()
    engine("POST", "/images/load?quiet=1", (DEMO / "images.tar").read_bytes())
    return sorted(tags() - before)


def start_monitor(project):
    """The monitor with the demo's database, watching the engine with the demo's images."""
    database = project.volume("cleanbill_cache") / "db"
    database.mkdir()
    for name in ("trivy.db", "metadata.json"):
        shutil.copy(DEMO / name, database)
    project.start("cleanbill", instead={"/var/run/docker.sock": SOCKET})
    wait_for("the monitor", lambda: ask("http://cleanbill:9871/healthz"))
    wait_for("the first pass", lambda: "cleanbill_pass_last_finished_timestamp_seconds " in ask("http://cleanbill:9871/metrics"))


def tags():
    return {tag for image in json.loads(engine("GET", "/images/json")) for tag in image.get("RepoTags") or []}


def look_again(loaded):
    """Something happens that the monitor looks at, between two scrapes."""
    wait_for("a first scrape", lambda: query("cleanbill_scan_duration_seconds_count"))
    time.sleep(16)
    engine("POST", f"/images/{urllib.parse.quote(IMAGE, safe='')}/tag?repo=cleanbill-monitoring/new&tag=1")
    loaded.append("cleanbill-monitoring/new:1")
    wait_for("a look at the new image", lambda: query('rate(cleanbill_scan_duration_seconds_count[2m]) > 0'))


def push(program, work, project_directory):
    """A scan in a pipeline, with an exception that ends soon and a gate that fails."""
    report, verdict, exceptions = work / "scan-results.json", work / "verdict.json", work / "exceptions.yaml"
    soon = datetime.date.today() + datetime.timedelta(days=3)
    exceptions.write_text(f"- {{id: CVE-2099-1002, reason: a test, owner: platform@example.org, expires: {soon}}}\n")
    thresholds = work / "config.yaml"
    thresholds.write_text("thresholds: {critical: 0}\n")
    # The database lies where a cache has it.
    shutil.copytree(DEMO, work / "cache/db")
    environment = {"PATH": os.environ["PATH"], "HOME": str(work), "CLEANBILL_CACHE_DIR": str(work / "cache"),
                   "PROMETHEUS_PUSHGATEWAY": "http://pushgateway:9091", "DOCKER_HOST": f"unix://{SOCKET}"}

    def cleanbill(*arguments, fine=(0,)):
        done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, timeout=60)
        if done.returncode not in fine:
            fail(f"cleanbill {' '.join(map(str, arguments))}: {done.returncode}\n{done.stderr}")

    what = ["--image", IMAGE] if SOCKET else ["--input", DEMO / "images.tar"]
    cleanbill("scan", *what, "--skip-db-update", "--exceptions", exceptions, "--show-suppressed",
              "--output-format", "json", "--output-file", report, fine=(0, 3))
    # The demo has no catalogue of what is exploited; a pipeline that fetches it knows the number.
    said = json.loads(report.read_text())
    said["database"]["kev_release"] = "2026.11.20"
    report.write_text(json.dumps(said))
    cleanbill("gate", "--scan-results", report, "--config", thresholds, "-o", f"json={verdict}", fine=(1,))
    told = ["--scan-results", report, "--verdict", verdict]
    cleanbill("metrics", "push", *told)
    cleanbill("metrics", "render", *told, "--output", project_directory / "textfile/cleanbill.prom")
    passed("a report is scanned, judged and pushed")


def check_targets():
    wanted = {"prometheus", "pushgateway", "node"} | ({"cleanbill"} if SOCKET else set())

    def up():
        targets = json.loads(ask(f"{PROMETHEUS}/api/v1/targets"))["data"]["activeTargets"]
        return wanted <= {target["labels"]["job"] for target in targets if target["health"] == "up"}

    wait_for("targets", up)
    passed(f"Prometheus reaches {', '.join(sorted(wanted))}")


def check_pushed():
    found = wait_for("what was pushed", lambda: query(f'cleanbill_report_gate_passed{{job!="node", image="{PUSHED}"}}'))
    labels = found[0]["metric"]
    if labels["job"] == "pushgateway" or any(name.startswith("exported_") for name in labels):
        fail(f"labels of what was pushed: {labels}")
    ours = json.loads((Path(sys.argv[2]) / "scan-results.json").read_text())["severity_summary"]
    pushed = 'sum by (severity) (cleanbill:image_findings:open{source="pipeline", job!="node"})'
    shown = {one["metric"]["severity"]: int(one["value"][1]) for one in wait_for("the recorded findings", lambda: query(pushed))}
    if any(shown.get(severity.lower(), 0) != count for severity, count in ours.items()):
        fail(f"the report has {ours}, Prometheus has {shown}")
    wait_for("the node exporter's textfile", lambda: query('cleanbill_report_findings{job="node"}'))
    passed(f"Prometheus shows what was pushed: {shown}")


def check_alerts():
    wanted = {"CleanbillGateFailing", "CleanbillNewCritical", "CleanbillExceptionExpiring"}

    def names(url, read):
        return {name for name in map(read, json.loads(ask(url))) if name}

    def firing():
        alerts = json.loads(ask(f"{PROMETHEUS}/api/v1/alerts"))["data"]["alerts"]
        if missing := wanted - {one["labels"]["alertname"] for one in alerts if one["state"] == "firing"}:
            raise ValueError(f"{missing} do not fire")
        return True

    wait_for("alerts", firing)
    wait_for("alerts at Alertmanager", lambda: wanted <= names(
        f"{ALERTMANAGER}/api/v2/alerts?filter=image%3D%22{urllib.parse.quote(PUSHED, safe='')}%22", lambda one: one["labels"]["alertname"]))
    # Prometheus writes their series only when it has restored those of before: after its second look.
    wait_for("alerts as series", lambda: query('ALERTS{alertstate="firing"}'))
    passed(f"alerts fire and reach Alertmanager: {', '.join(sorted(wanted))}")
    said = lambda: " ".join(json.dumps(message) for message in Slack.received)
    wait_for("Slack", lambda: all(name in said() for name in wanted), 90)
    if f"{PROMETHEUS}/consoles/runbooks.html#CleanbillGateFailing" not in said():
        fail(f"Slack gets no link to the runbook: {said()[:2000]}")
    passed("Slack receives them, with links to runbooks")


def check_runbooks():
    page = ask(f"{PROMETHEUS}/consoles/runbooks.html")
    linked = set(re.findall(r"runbooks\.html#(\w+)", (STACK / "config/prometheus/alerts.yml").read_text()))
    if missing := {name for name in linked if f'id="{name}"' not in page}:
        fail(f"no runbook for {missing}")
    passed(f"Prometheus serves {len(linked)} runbooks")


def label_values(label, metric):
    answer = ask(f"{PROMETHEUS}/api/v1/label/{label}/values?{urllib.parse.urlencode({'match[]': metric})}")
    return json.loads(answer)["data"]


main()
