"""Checks the dashboards against Grafana's published model (the foundation SDK, generated from the
schemas of Grafana), and the metrics that rules and dashboards ask for against docs/metrics.md.

The model's reader drops what it does not know and takes any word. So what it has read is written
again and has to hold everything that the file has, and where the model lists the words, the word has
to be one of them."""

import enum
import json
import re
import sys
import typing
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

STACK = Path("deploy/monitoring/config")
# Panels that come with Grafana.
PANELS = {"bargauge", "piechart", "row", "stat", "state-timeline", "table", "timeseries"}


def main():
    register_default_plugins()
    faults, uids = [], set()
    for path in sorted((STACK / "grafana/dashboards").glob("*.json")):
        written = json.loads(path.read_text())
        faults += [f"{path.name}: {fault}" for fault in check(written)]
        uids.add(written["uid"])
    faults += dead_links(uids)
    faults += unknown_metrics()
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit("FAILED: dashboards")
    print(f"ok: {len(uids)} dashboards follow Grafana's model; all metrics are documented")


def check(written):
    read = Dashboard.from_json(written)
    again = json.loads(json.dumps(read, cls=JSONEncoder))
    yield from lost(written, again, "$")
    yield from unknown_words(read, "$")
    numbers = [panel["id"] for panel in written["panels"]]
    if len(set(numbers)) != len(numbers):
        yield "two panels have the same number"
    for panel in written["panels"]:
        if panel["type"] not in PANELS:
            yield f"{panel['title']}: panels of the type {panel['type']} do not come with Grafana"
        if panel["gridPos"]["x"] + panel["gridPos"]["w"] > 24:
            yield f"{panel['title']}: does not fit"
    known = {variable["name"] for variable in written["templating"]["list"]}
    for name in set(re.findall(r"\$(?!_)(\w+)", json.dumps(written))) - known:
        yield f"there is no variable {name}"


def lost(before, after, where):
    """What the model does not know."""
    if isinstance(before, dict):
        for key, value in before.items():
            if not isinstance(after, dict) or key not in after:
                yield f"{where}.{key} is not in the model"
            else:
                yield from lost(value, after[key], f"{where}.{key}")
    elif isinstance(before, list):
        if len(before) != len(after):
            yield f"{where} has another length"
        for at, (one, other) in enumerate(zip(before, after)):
            yield from lost(one, other, f"{where}[{at}]")
    elif before != after:
        yield f"{where}: {before!r} became {after!r}"


def unknown_words(thing, where):
    """Words that are none of those that the model lists."""
    if isinstance(thing, dict):
        for key, value in thing.items():
            yield from unknown_words(value, f"{where}.{key}")
    elif isinstance(thing, list):
        for at, one in enumerate(thing):
            yield from unknown_words(one, f"{where}[{at}]")
    elif hasattr(thing, "from_json") and not isinstance(thing, enum.Enum):
        hints = typing.get_type_hints(type(thing).__init__)
        for name, value in vars(thing).items():
            words = [one for one in parts(hints.get(name)) if isinstance(one, type) and issubclass(one, enum.Enum)]
            if words and value is not None and not any(value in [word.value for word in one] for one in words):
                yield f"{where}.{name}: {value!r} is none of {[word.value for one in words for word in one]}"
            yield from unknown_words(value, f"{where}.{name}")


def parts(hint):
    return typing.get_args(hint) or [hint]


def dead_links(uids):
    text = "".join(path.read_text() for path in (STACK / "grafana/dashboards").glob("*.json"))
    for uid in set(re.findall(r"/d/([\w-]+)", text)) - uids:
        yield f"there is no dashboard {uid}"


def unknown_metrics():
    documented = set(re.findall(r"`(cleanbill_\w+)`", Path("docs/metrics.md").read_text()))
    documented |= {f"{name}_bucket" for name in documented}
    rules = [STACK / "prometheus" / name for name in ("recording.yml", "alerts.yml")]
    recorded = set(re.findall(r"record: (\S+)", rules[0].read_text()))
    for path in [*rules, *(STACK / "grafana/dashboards").glob("*.json")]:
        text = path.read_text()
        for name in set(re.findall(r"\bcleanbill_\w+", text)) - documented:
            yield f"{path.name}: {name} is not in docs/metrics.md"
        for name in set(re.findall(r"\bcleanbill:[\w:]+", text)) - recorded:
            yield f"{path.name}: {name} is not recorded"


main()
