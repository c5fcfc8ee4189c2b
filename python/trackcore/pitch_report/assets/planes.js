"use strict";
// The flights from the side and from above.
(() => {
  const plot = byId("planes-plot");
  if (!plot) return;

  function traces() {
    const c = colours();
    const made = [];
    const pair = (name, points, more, legend) => [["z", "y2"], ["x", "y"]].forEach(([axis, yaxis], k) => made.push({
      type: "scatter", name, x: points.y, y: points[axis], xaxis: "x", yaxis, showlegend: legend && k === 0, legendgroup: name, hoverinfo: "skip", ...more,
    }));
    pitches.forEach((pitch, i) => {
      if (i !== shown) pair(pitch.id, pitch.path, { mode: "lines", line: { color: pitchColour(pitch, c), width: 1.2 }, opacity: 0.4 }, false);
    });
    const pitch = pitches[shown];
    pair("seen by both cameras", pitch.seen, { mode: "markers", marker: { color: c.blue, size: 6, opacity: 0.7 }, hoverinfo: "x+y" }, true);
    pair("fitted path", pitch.path, { mode: "lines", line: { color: c.orange, width: 2.4 } }, true);
    pitch.marks.forEach((mark) => pair(mark.name, mark, { mode: "markers", marker: { color: c.text, size: 9, symbol: markSymbol(mark) } }, true));
    return made;
  }

  function layout() {
    const c = colours();
    const axis = (title, more) => ({ title: { text: title, font: { size: 12 } }, color: c.quiet, gridcolor: c.grey + "35", zerolinecolor: c.grey + "80", tickfont: { size: 11 }, ...more });
    const unit = " [" + contents.unit + "]";
    const shapes = [];
    if (contents.plate) {
      const [deep, lo, hi, half] = [-17 / 12, contents.zone.bottom / 12, contents.zone.top / 12, contents.zone.half / 12];
      const box = (yref, y0, y1) => shapes.push({ type: "rect", xref: "x", yref, x0: deep, x1: 0, y0, y1, line: { color: c.red, width: 1 }, fillcolor: c.red, opacity: 0.25, layer: "below" });
      box("y2", lo, hi);
      box("y", -half, half);
    }
    return {
      ...layoutOf(c), margin: { l: 56, r: 12, t: 8, b: 44 }, shapes, hovermode: "closest",
      xaxis: axis(contents.axes[1] + unit, { autorange: contents.plate ? "reversed" : true, domain: [0, 1], anchor: "y" }),
      yaxis: axis(contents.axes[0] + unit, { domain: [0, 0.46] }),
      yaxis2: axis(contents.axes[2] + unit, { domain: [0.54, 1], ...(contents.plate ? { rangemode: "tozero" } : {}) }),
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 12, color: c.text }, bgcolor: "rgba(0,0,0,0)" },
    };
  }
  function draw() { return Plotly.react(plot, traces(), layout(), plotConfig); }
  whenPitchChosen(draw);
  whenSchemeChanges(draw);
})();
