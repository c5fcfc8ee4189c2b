"use strict";
// Every track: sorted by any column, filtered by role, marked in the views above when clicked.
(() => {
  const t = contents.tracks;
  const body = document.querySelector("#track-table tbody");
  const headings = [...document.querySelectorAll("#track-table th")];
  const chips = [...document.querySelectorAll("[data-role]")];
  const more = byId("table-more");
  const FIRST = 500;
  let key = "id";
  let up = true;
  let role = "all";
  let all = false;

  const matches = (i) => role === "all" || (role === "held" ? t.held[i] === 1 : t.role[i] === Number(role));

  function compared(a, b) {
    const [x, y] = [t[key][a], t[key][b]];
    if (x === null || y === null) return (x === null) - (y === null); // unknown comes last, either way
    return (x < y ? -1 : x > y ? 1 : 0) * (up ? 1 : -1) || t.id[a] - t.id[b];
  }

  function cell(text, css) {
    const made = document.createElement("td");
    made.textContent = text;
    if (css) made.className = css;
    return made;
  }

  function row(i) {
    const made = document.createElement("tr");
    made.dataset.track = i;
    made.tabIndex = 0;
    made.setAttribute("aria-selected", String(i === selected));
    const roleCell = cell("");
    const dot = document.createElement("span");
    dot.className = "dot " + (t.held[i] ? "held" : "role-" + t.role[i]);
    roleCell.append(dot, contents.roles[t.role[i]] + (t.held[i] ? ", held out" : ""));
    const number = (value, digits) => (value === null ? "–" : value.toFixed(digits));
    const never = t.seen[i] === 0;
    made.append(
      cell(trackName(i)), roleCell, cell(number(t.error[i], 2), "n"), cell(t.seen[i], "n"),
      cell(never ? "–" : t.first[i], "n"), cell(never ? "–" : t.last[i], "n"), cell(number(t.ncc[i], 3), "n"),
      cell(t.region[i] < 0 ? "–" : contents.regionNames[t.region[i]]),
    );
    made.addEventListener("click", () => select(i));
    made.addEventListener("keydown", (event) => { if (event.key === "Enter") select(i); });
    return made;
  }

  function draw() {
    const rows = t.id.map((_, i) => i).filter(matches).sort(compared);
    const shown = all ? rows : rows.slice(0, FIRST);
    body.replaceChildren(...shown.map(row));
    more.hidden = shown.length === rows.length;
    byId("table-note").textContent = shown.length === rows.length ? rows.length + (rows.length === 1 ? " track" : " tracks") : shown.length + " of " + rows.length + " tracks";
    headings.forEach((h) => {
      if (h.dataset.key === key) h.setAttribute("aria-sort", up ? "ascending" : "descending");
      else h.removeAttribute("aria-sort");
    });
  }

  headings.forEach((h) => h.addEventListener("click", () => {
    if (h.dataset.key === key) up = !up;
    else { key = h.dataset.key; up = key !== "error" && key !== "seen"; } // the worst and the longest first
    draw();
  }));
  chips.forEach((chip) => chip.addEventListener("click", () => { role = chip.dataset.role; choose(chips, chip); draw(); }));
  more.addEventListener("click", () => { all = true; draw(); });
  whenSelected(() => {
    body.querySelectorAll("tr").forEach((r) => r.setAttribute("aria-selected", String(Number(r.dataset.track) === selected)));
  });
  draw();
})();
