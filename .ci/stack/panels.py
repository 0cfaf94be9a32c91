"""Asks every query of every panel, and looks whether the answer has the shape that the panel needs."""

import json
import math
import re
import sys
import time
from pathlib import Path

DASHBOARDS = Path("deploy/monitoring/config/grafana/dashboards")


def check_panels(query, label_values, is_watching):
    count = 0
    for path in sorted(DASHBOARDS.glob("*.json")):
        board = json.loads(path.read_text())
        views = list(chosen(board, label_values))
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                # A panel may have nothing to show for some choice of the variables, but not for each.
                faults = [fault(panel, target, query, variables) for variables in views]
                if all(faults) and (is_watching or path.stem != "operations"):
                    sys.exit(f"FAILED: {path.name}, {panel['title']}: {faults[0]}\n  {target['expr']}")
                count += 1
    print(f"ok: {count} queries of the dashboards answer in the shape of their panels", flush=True)


def chosen(board, label_values):
    """Choices of the variables, with the values that Prometheus has for them."""
    views = [{}]
    for variable in board["templating"]["list"]:
        if variable["type"] != "query":
            continue
        following = []
        for view in views:
            metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", filled(variable["query"]["query"], view)).groups()
            values = label_values(label, metric)
            if not values:
                sys.exit(f"FAILED: {board['uid']}: no values for {variable['name']}")
            following += [{**view, variable["name"]: value} for value in ([".*"] if variable["multi"] else values)]
        views = following
    return views


def filled(expression, variables):
    for name, value in {**variables, "__rate_interval": "1m", "__range": "5m"}.items():
        expression = re.sub(rf"\${name}\b", lambda _, value=value: value, expression)
    return expression


def fault(panel, target, query, variables):
    """What is wrong with the answer, if something is."""
    expression = filled(target["expr"], variables)
    if "$" in expression:
        return f"a variable is left: {expression}"
    if target.get("instant"):
        found = query(expression)
    else:
        now = time.time()
        found = query(expression, start=now - 180, end=now, step=15)
    if not found:
        return f"no answer with {variables}"
    values = [float(value) for one in found for _, value in one.get("values", [one.get("value")])]
    if all(math.isnan(value) for value in values):
        return f"no number with {variables}"
    if panel["type"] == "stat" and len(found) != 1:
        return f"{len(found)} numbers with {variables}"
    for name in needed(panel, target):
        if not all(name in one["metric"] for one in found):
            return f"no label {name} with {variables}"
    return None


def needed(panel, target):
    """The labels that the panel shows. A series that a pipeline pushed may have no instance."""
    names = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
    for one in panel.get("transformations", []):
        if one["id"] == "groupingToMatrix":
            names |= {one["options"]["rowField"], one["options"]["columnField"]}
    return names - {"instance"}
