"""Compares what containers.py reads in a compose file with what Docker's own program made of it."""

import sys
from pathlib import Path

import yaml

from containers import interpolate

ours, theirs = (yaml.safe_load(Path(name).read_text())["services"] for name in sys.argv[1:3])
ours = interpolate(ours, {"GRAFANA_PASSWORD": "x", "DOCKER_GID": "7", "BIND_ADDRESS": "127.0.0.1"})


def parts(service):
    environment = {name: value or "" for name, value in (service.get("environment") or {}).items()}
    # It writes a dollar as it has to be written.
    command = [word.replace("$$", "$") for word in service.get("command") or []]
    return command, environment, service.get("group_add"), service["image"]


for name, service in ours.items():
    if parts(service) != parts(theirs[name]):
        sys.exit(f"FAILED: {name}: {parts(service)} is {parts(theirs[name])} for docker-compose")
    if any(word.endswith(":latest") or ":" not in word for word in [service["image"]]):
        sys.exit(f"FAILED: {name}: {service['image']} is not pinned")
print(f"ok: docker-compose reads {len(ours)} services as they are started here")
