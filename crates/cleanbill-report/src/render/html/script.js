"use strict";
(() => {
  const tools = document.getElementById("tools");
  const form = tools.querySelector("form");
  const search = form.querySelector("input[type=search]");
  const fixable = form.querySelector("input[name=fixable]");
  const own = form.querySelector("input[name=own]");
  const exploited = form.querySelector("input[name=exploited]");
  const output = form.querySelector("output");
  const tables = [...document.querySelectorAll("table.findings")].map((table) => ({
    table,
    section: table.closest("section"),
    body: table.tBodies[0],
    rows: [...table.tBodies[0].rows].map((row) => ({
      row, severity: row.dataset.s, fix: row.dataset.f === "1", exploited: row.dataset.x === "1", base: row.dataset.o === "base", text: null,
    })),
  }));
  const total = tables.reduce((sum, { rows }) => sum + rows.length, 0);

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set([...form.querySelectorAll("input[name=severity]:checked")].map((box) => box.value));
    let shown = 0;
    for (const { rows } of tables) {
      for (const entry of rows) {
        let isShown = wanted.has(entry.severity) && (!fixable.checked || entry.fix) && (!exploited?.checked || entry.exploited) && !(own?.checked && entry.base);
        if (isShown && words.length) {
          entry.text ??= entry.row.textContent.toLowerCase();
          isShown = words.every((word) => entry.text.includes(word));
        }
        entry.row.hidden = !isShown;
        shown += isShown ? 1 : 0;
      }
    }
    output.value = shown === total ? `${total} findings` : `${shown} of ${total} findings`;
  };

  const collator = new Intl.Collator("en", { numeric: true });
  const sort = (entry, head, column) => {
    const isAscending = head.getAttribute("aria-sort") !== "ascending";
    for (const other of entry.table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", isAscending ? "ascending" : "descending");
    const key = ({ row }) => row.cells[column].dataset.k ?? row.cells[column].textContent.trim();
    const keyed = entry.rows.map((item) => [key(item), item]);
    keyed.sort(([a], [b]) => collator.compare(a, b));
    if (!isAscending) keyed.reverse();
    entry.rows = keyed.map(([, item]) => item);
    entry.body.append(...entry.rows.map(({ row }) => row));
  };

  for (const entry of tables) {
    entry.table.classList.add("sortable");
    [...entry.table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sort(entry, head, column));
      head.replaceChildren(button);
    });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  if (total > 0) {
    tools.hidden = false;
    filter();
  }
})();
