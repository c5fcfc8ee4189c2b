"use strict";
// The strike zone from the catcher, in inches: where pitches crossed, or how often each ninth was.
(() => {
  const plot = byId("zone-plot");
  if (!plot) return;
  const { bottom, top, half } = contents.zone;
  const buttons = [...document.querySelectorAll("[data-zone]")];
  let mode = "places";
  const placed = pitches.map((p, i) => [p, i]).filter(([p]) => p.crossing !== null);
  const xs = placed.map(([p]) => Math.abs(p.crossing[0]));
  const ys = placed.map(([p]) => p.crossing[1]);
  const wide = Math.max(20, ...xs.map((x) => x + 4));
  const low = Math.min(-2, ...ys.map((y) => y - 4));
  const high = Math.max(top + 9, ...ys.map((y) => y + 4));
  plot.setAttribute("viewBox", [-wide, -high, 2 * wide, high - low].join(" "));

  function line(x1, y1, x2, y2, c, width) {
    return element("line", { x1, y1: -y1, x2, y2: -y2, stroke: c, "stroke-width": width, "vector-effect": "non-scaling-stroke" });
  }
  function words(x, y, text, more) {
    const made = element("text", { x, y: -y, "text-anchor": "middle", "dominant-baseline": "central", ...more });
    made.textContent = text;
    return made;
  }

  function ninths(c) {
    const counts = Array.from({ length: 3 }, () => [0, 0, 0]);
    pitches.forEach((p) => { if (p.cell) counts[p.cell[0] - 1][p.cell[1] - 1] += 1; });
    const most = Math.max(1, ...counts.flat());
    const w = (2 * half) / 3;
    const h = (top - bottom) / 3;
    counts.forEach((row, r) => row.forEach((n, k) => {
      plot.append(element("rect", { x: -half + k * w, y: -(bottom + (r + 1) * h), width: w, height: h, fill: c.red, opacity: 0.75 * (n / most), class: "ninth" }));
      plot.append(words(-half + (k + 0.5) * w, bottom + (r + 0.5) * h, String(n), { style: "font-size: 2.2px; fill: " + c.text + "; font-weight: 600" }));
    }));
  }

  function place([pitch, index], c) {
    const [x, y] = pitch.crossing;
    const colour = pitchColour(pitch, c);
    const group = element("g", { class: "place", "data-index": index });
    const chosen = index === shown;
    group.append(element("circle", { cx: x, cy: -y, r: pitch.ball, fill: colour, "fill-opacity": chosen ? 0.55 : 0.22, stroke: colour, "stroke-width": chosen ? 2.6 : 1.4, "vector-effect": "non-scaling-stroke" }));
    const [a, b, turn] = pitch.ellipse;
    group.append(element("ellipse", { cx: x, cy: -y, rx: a, ry: b, transform: "rotate(" + -turn + " " + x + " " + -y + ")", fill: "none", stroke: colour, "stroke-width": 1, "vector-effect": "non-scaling-stroke" }));
    group.append(words(x, y, String(pitch.index), {}));
    const title = element("title", {});
    title.textContent = pitch.id + ": " + pitch.call + ", " + x.toFixed(2) + " in across, " + y.toFixed(2) + " in high";
    group.append(title);
    group.addEventListener("click", () => choosePitch(index));
    return group;
  }

  function draw() {
    const c = colours();
    plot.replaceChildren(element("rect", { x: -half, y: -top, width: 2 * half, height: top - bottom, fill: c.soft }));
    if (mode === "heat") ninths(c);
    for (const k of [1, 2]) {
      const x = -half + (k * 2 * half) / 3;
      const y = bottom + (k * (top - bottom)) / 3;
      plot.append(line(x, bottom, x, top, c.grey, 1), line(-half, y, half, y, c.grey, 1));
    }
    plot.append(element("rect", { x: -half, y: -top, width: 2 * half, height: top - bottom, fill: "none", stroke: c.text, "stroke-width": 2, "vector-effect": "non-scaling-stroke" }));
    plot.append(line(-wide, 0, wide, 0, c.line, 1));
    const plate = [[-half, 2.6], [half, 2.6], [half, 1.4], [0, 0], [-half, 1.4]].map(([x, y]) => x + "," + -y).join(" ");
    plot.append(element("polygon", { points: plate, fill: c.card, stroke: c.grey, "stroke-width": 1.4, "vector-effect": "non-scaling-stroke" }));
    for (const y of [bottom, top]) plot.append(words(half + 0.8, y, y.toFixed(1) + " in", { "text-anchor": "start", style: "font-size: 1.5px" }));
    if (mode === "places") {
      placed.filter(([, i]) => i !== shown).forEach((p) => plot.append(place(p, c)));
      placed.filter(([, i]) => i === shown).forEach((p) => plot.append(place(p, c)));
    }
    const missing = pitches.length - placed.length;
    byId("zone-note").textContent = missing ? missing + (missing === 1 ? " pitch has" : " pitches have") + " no known crossing" : "";
  }
  buttons.forEach((b) => b.addEventListener("click", () => { mode = b.dataset.zone; choose(buttons, b); draw(); }));
  whenPitchChosen(draw);
  whenSchemeChanges(draw);
})();
