"""Writes the dashboards as constants of a TypeScript module, for the compiler to hold them against the
types that Grafana publishes of the version that is deployed: unknown members and words are errors."""

import json
from pathlib import Path

TYPES = "@grafana/schema/dist/esm/raw"
# Panels, their module of types, and whether it says what a field can have besides.
PANELS = {"bargauge": ("BarGauge", False), "piechart": ("PieChart", False), "stat": ("Stat", False),
          "state-timeline": ("StateTimeline", True), "table": ("Table", True), "timeseries": ("TimeSeries", True)}

print(f"import type {{ Dashboard, Panel, RowPanel }} from '{TYPES}/dashboard/x/Dashboard_types.gen';")
for kind, (module, _) in PANELS.items():
    print(f"import type * as {module} from '{TYPES}/composable/{kind.replace('-', '')}/panelcfg/x/{module}PanelCfg_types.gen';")
# Words of an enumeration are written as text, and what has a default may be left out.
print("type Written<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T")
print("  : T extends (infer U)[] ? Written<U>[] : T extends object ? { [K in keyof T]?: Written<T[K]> } : T;")

count = 0


def constant(kind, value):
    global count
    count += 1
    print(f"export const v{count}: Written<{kind}> = {json.dumps(value)};")


for path in sorted(Path("deploy/monitoring/config/grafana/dashboards").glob("*.json")):
    board = json.loads(path.read_text())
    constant("Dashboard", {**board, "panels": []})
    for panel in board["panels"]:
        if panel["type"] == "row":
            constant("RowPanel", panel)
            continue
        module, has_fields = PANELS[panel["type"]]
        constant("Panel", panel)
        constant(f"{module}.Options", panel["options"])
        if has_fields:
            constant(f"{module}.FieldConfig", panel["fieldConfig"]["defaults"].get("custom", {}))
