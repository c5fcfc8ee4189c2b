"use strict";
// What all parts share: the contents, the colours of the current scheme, and small helpers.
const contents = JSON.parse(document.getElementById("contents").textContent);
const byId = (id) => document.getElementById(id);
const scheme = window.matchMedia("(prefers-color-scheme: dark)");
const redraws = [];
let selected = null; // index of the marked track
const selections = [];

function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue("--" + name).trim();
  const names = ["page", "card", "line", "text", "quiet", "soft", "blue", "orange", "red", "purple", "grey", "green"];
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

function whenSchemeChanges(redraw) { redraws.push(redraw); }
scheme.addEventListener("change", () => redraws.forEach((redraw) => redraw()));

function whenSelected(show) { selections.push(show); }
function select(track) {
  selected = track === selected ? null : track;
  selections.forEach((show) => show());
}

function trackName(track) { return "track_" + String(contents.tracks.id[track]).padStart(5, "0"); }

function trackColour(track, c) {
  if (contents.tracks.held[track]) return c.purple;
  return [c.blue, c.red][contents.tracks.role[track]] || c.grey;
}

function choose(buttons, pressed) {
  buttons.forEach((b) => b.setAttribute("aria-pressed", String(b === pressed)));
}

function layoutOf(c) {
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: c.quiet },
    hoverlabel: { bgcolor: c.card, bordercolor: c.line, font: { color: c.text, size: 12 } },
  };
}

const plotConfig = { displayModeBar: false, responsive: true, displaylogo: false };

function element(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
