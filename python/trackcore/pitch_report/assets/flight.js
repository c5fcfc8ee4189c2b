"use strict";
// The flights in space, to be turned. Without WebGL: from above, flat.
(() => {
  const plot = byId("flight-plot");
  if (!plot) return;
  const buttons = [...document.querySelectorAll("[data-from]")];
  const all = byId("show-all");
  const eyes = {
    catcher: { x: 0.1, y: -1.42, z: 0.5 }, side: { x: 1.45, y: 0.05, z: 0.2 }, above: { x: 0, y: -0.01, z: 1.6 },
  };
  let from = "catcher";
  const canvas = document.createElement("canvas");
  const solid = Boolean(canvas.getContext("webgl2") || canvas.getContext("webgl"));

  function trace(name, points, more) {
    const made = { name, ...points, type: solid ? "scatter3d" : "scatter", hoverinfo: "name", ...more };
    if (!solid) delete made.z;
    return made;
  }
  function known(points) {
    const keep = points.x.map((x, i) => i).filter((i) => points.x[i] !== null && points.y[i] !== null && points.z[i] !== null);
    return { x: keep.map((i) => points.x[i]), y: keep.map((i) => points.y[i]), z: keep.map((i) => points.z[i]) };
  }

  function traces() {
    const c = colours();
    const made = [];
    if (contents.lines) {
      made.push(trace("plate and strike zone", contents.lines, { mode: "lines", line: { color: c.quiet, width: solid ? 3 : 1.5 }, hoverinfo: "skip" }));
      const [w, r] = [1, contents.rubber];
      made.push(trace("rubber", { x: [-w, w], y: [r, r], z: [0, 0] }, { mode: "lines", line: { color: c.quiet, width: solid ? 6 : 3 }, showlegend: false, hoverinfo: "skip" }));
    }
    if (all.checked) {
      pitches.forEach((pitch, i) => {
        if (i !== shown) made.push(trace(pitch.id, known(pitch.path), { mode: "lines", line: { color: pitchColour(pitch, c), width: solid ? 3 : 1.5 }, opacity: 0.45, showlegend: false, pitch: i }));
      });
    }
    const pitch = pitches[shown];
    made.push(trace("fitted path", known(pitch.path), { mode: "lines", line: { color: c.orange, width: solid ? 6 : 3 } }));
    made.push(trace("seen by both cameras", known(pitch.seen), { mode: "markers", marker: { color: c.blue, size: solid ? 3.2 : 6 }, hovertemplate: "%{x:.2f}, %{y:.2f}, %{z:.2f}<extra></extra>" }));
    pitch.marks.forEach((mark) => made.push(trace(mark.name, mark, { mode: "markers", marker: { color: c.text, size: solid ? 5 : 9, symbol: markSymbol(mark) } })));
    return made;
  }

  function extent() {
    const sides = { x: contents.plate ? [-3, 3] : [], y: contents.plate ? [-3, 60.5] : [], z: contents.plate ? [0, 7] : [] };
    pitches.forEach((p) => [p.path, p.seen].forEach((points) => {
      const good = known(points);
      for (const name of "xyz") sides[name].push(...good[name]);
    }));
    return Object.fromEntries([..."xyz"].map((name) => {
      const values = sides[name].length ? sides[name] : [-1, 1];
      const lo = values.reduce((a, b) => Math.min(a, b), Infinity);
      const hi = values.reduce((a, b) => Math.max(a, b), -Infinity);
      const pad = 0.04 * (hi - lo) + 0.05;
      return [name, [name === "z" && contents.plate ? Math.min(lo, 0) : lo - pad, hi + pad]];
    }));
  }
  const range = extent();

  function layout() {
    const c = colours();
    const names = { x: contents.axes[0], y: contents.axes[1], z: contents.axes[2] };
    const axis = (name) => ({
      title: { text: names[name] + " [" + contents.unit + "]", font: { size: 11 } }, range: range[name], color: c.quiet, gridcolor: c.grey + "50", zerolinecolor: c.grey + "70",
      showbackground: false, showspikes: false, nticks: name === "y" ? 7 : 4, tickfont: { size: 10 },
    });
    const shape = {
      ...layoutOf(c), margin: { l: 0, r: 0, t: 0, b: 0 }, uirevision: from,
      legend: { x: 0.01, y: 0.99, bgcolor: "rgba(0,0,0,0)", font: { size: 12, color: c.text }, itemsizing: "constant" },
    };
    if (!solid) return { ...shape, margin: { l: 44, r: 10, t: 10, b: 40 }, xaxis: axis("x"), yaxis: axis("y") };
    const size = Object.fromEntries([..."xyz"].map((n) => [n, range[n][1] - range[n][0]]));
    const longest = Math.max(size.x, size.y, size.z);
    const ratio = Object.fromEntries([..."xyz"].map((n) => [n, (1.6 * size[n]) / longest]));
    const times = Math.max(1, Math.min(4, 0.55 / Math.max(ratio.x, ratio.z)));
    ratio.x *= times;
    ratio.z *= times;
    byId("flight-note").textContent = times > 1.05 ? "Across and up are drawn " + times.toFixed(1) + " times as large as along." : "";
    shape.scene = {
      xaxis: axis("x"), yaxis: axis("y"), zaxis: axis("z"), aspectmode: "manual", aspectratio: ratio, uirevision: from,
      camera: { eye: eyes[from], up: { x: 0, y: 0, z: 1 }, center: { x: 0, y: 0, z: from === "catcher" ? -0.16 : -0.05 } }, dragmode: "orbit",
    };
    return shape;
  }

  function draw() { return Plotly.react(plot, traces(), layout(), plotConfig); }
  buttons.forEach((b) => b.addEventListener("click", () => { from = b.dataset.from; choose(buttons, b); draw(); }));
  if (!solid) {
    buttons[0].parentElement.remove();
    byId("flight-note").textContent = "This browser has no WebGL: seen from above.";
  }
  all.addEventListener("change", draw);
  whenPitchChosen(draw);
  whenSchemeChanges(draw);
})();
