"use strict";
// Which pitch is shown, the table of all of them, and the numbers of this one.
const pitches = contents.pitches;
let shown = pitches.length - 1;
const showers = [];
function whenPitchChosen(show) { showers.push(show); }
function choosePitch(index) {
  shown = index;
  showers.forEach((show) => show());
}
function pitchColour(pitch, c) {
  return pitch.strike === true ? c.red : pitch.strike === false ? c.blue : c.grey;
}
function markSymbol(mark) { return mark.name === "plate" ? "diamond" : "square"; }
function cell(name, text, css) {
  const made = document.createElement(name);
  made.textContent = text;
  if (css) made.className = css;
  return made;
}

(() => {
  const table = byId("pitch-table");
  if (!table) return;
  const heads = contents.plate
    ? { "speed at 50 ft": "at 50 ft", "speed at the plate": "at the plate", "across the plate": "across", "above the ground": "height", "horizontal break": "break across", "vertical break": "break up", "strike probability": "strike" }
    : { "speed, in the middle": "speed", "acceleration across": "acceleration across" };
  const row = document.createElement("tr");
  function heading(text, css, title) {
    const th = cell("th", text, css);
    th.scope = "col";
    if (title) th.title = title;
    row.append(th);
  }
  heading("#", "");
  heading("pitch", "");
  for (const [name, short] of Object.entries(heads)) heading(short, "n", name);
  if (contents.plate) heading("call", "");
  heading("status", "");
  table.tHead.append(row);

  pitches.forEach((pitch, index) => {
    const line = document.createElement("tr");
    line.tabIndex = 0;
    line.append(cell("td", String(pitch.index)), cell("td", pitch.id));
    const known = new Map(pitch.numbers.map((n) => [n[0], n[1]]));
    Object.keys(heads).forEach((name) => line.append(cell("td", known.get(name) ?? "–", "n")));
    if (contents.plate) {
      const call = document.createElement("td");
      call.append(cell("span", pitch.call, "call " + (pitch.strike === true ? "strike" : pitch.strike === false ? "ball" : "none")));
      line.append(call);
    }
    line.append(cell("td", pitch.status + (pitch.recording === "complete" ? "" : "; recording " + pitch.recording)));
    line.addEventListener("click", () => choosePitch(index));
    line.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choosePitch(index); }
    });
    table.tBodies[0].append(line);
  });

  function fill(box, rows) {
    const body = document.createElement("table");
    rows.forEach(([name, text, spread]) => {
      const line = document.createElement("tr");
      const head = cell("th", name);
      head.scope = "row";
      line.append(head, cell("td", text, "n"), cell("td", spread, "s"));
      body.append(line);
    });
    box.replaceChildren(body);
  }
  function numbers() {
    const pitch = pitches[shown];
    byId("numbers-title").textContent = pitch.id + " · " + (contents.plate ? pitch.call : pitch.status);
    fill(byId("numbers-table"), pitch.numbers);
    fill(byId("evidence-table"), pitch.evidence);
  }
  whenPitchChosen(() => {
    [...table.tBodies[0].rows].forEach((line, i) => line.setAttribute("aria-selected", String(i === shown)));
    numbers();
  });
})();
