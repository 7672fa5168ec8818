"use strict";
// Sorts by a click on a column's title, filters by typed words, and shows long tables
// in part. Text is only ever read and compared: none of it becomes markup.
const few = 25;
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0], rows = [...body.rows];
  let words = [], all = rows.length <= few + 5;
  const note = document.createElement("p");
  note.className = "shown-of";
  function show() {
    let matching = 0, shown = 0;
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      const match = words.every(word => text.includes(word));
      if (match) matching++;
      row.hidden = !match || !all && words.length === 0 && matching > few;
      if (!row.hidden) shown++;
    }
    note.textContent = "";
    if (shown === rows.length) return;
    note.append(shown + " of " + rows.length + " rows ");
    if (shown < matching) {
      const more = document.createElement("button");
      more.type = "button";
      more.textContent = "show all";
      more.addEventListener("click", () => { all = true; show(); });
      note.append(more);
    }
  }
  function key(row, column) {
    const cell = row.cells[column];
    return { value: cell.dataset.v === undefined ? NaN : Number(cell.dataset.v), text: cell.textContent };
  }
  function compare(a, b, numeric) {
    if (!numeric) return a.text.localeCompare(b.text, "en", { numeric: true });
    return a.value - b.value;
  }
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const numeric = head.classList.contains("n"), button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const order = before ? (before === "descending" ? "ascending" : "descending") : (numeric ? "descending" : "ascending");
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const empty = k => numeric ? Number.isNaN(k.value) : k.text === ""; // come last, either way
      const sorted = rows.map(row => ({ row, k: key(row, column) })).sort((a, b) =>
        empty(a.k) || empty(b.k) ? empty(a.k) - empty(b.k) : sign * compare(a.k, b.k, numeric));
      body.append(...sorted.map(s => s.row));
      show();
    });
  });
  if (table.classList.contains("long")) {
    const input = document.createElement("input");
    input.type = "search";
    input.className = "filter";
    input.placeholder = "filter " + rows.length + " rows";
    input.setAttribute("aria-label", input.placeholder);
    input.addEventListener("input", () => {
      words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      show();
    });
    table.parentElement.before(input);
  }
  table.parentElement.after(note);
  show();
}
