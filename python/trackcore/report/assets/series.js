"use strict";
// Errors, tracks and, where it changes, the focal length over time, under one axis of frames.
(() => {
  const s = contents.series;
  const plot = byId("series-plot");
  const known = (values) => values.some((v) => v !== null);
  const focal = s.focal.filter((v) => v !== null);
  const zooms = focal.length > 1 && Math.max(...focal) - Math.min(...focal) > 1e-4 * Math.max(...focal);

  function line(name, y, axis, colour, more) {
    return {
      name, x: s.frames, y, type: "scatter", mode: "lines", yaxis: axis, connectgaps: false,
      line: { color: colour, width: 2, ...more }, hovertemplate: "%{y}",
    };
  }

  function traces(c) {
    const all = [];
    if (known(s.rms)) all.push(line("rms of the solve", s.rms, "y", c.grey, { width: 1.2 }));
    if (known(s.error)) all.push(line("median in the solve", s.error, "y", c.blue));
    if (known(s.held)) all.push(line("median of those kept aside", s.held, "y", c.purple, { dash: "dot" }));
    all.push({ ...line("tracks", s.tracks, "y2", c.grey), fill: "tozeroy", fillcolor: c.soft });
    all.push(line("in the solve", s.bundles, "y2", c.green));
    if (zooms) all.push(line("focal length", s.focal, "y3", c.orange));
    return all;
  }

  // Stretches [first, last] of frames without a camera; none where there is no camera at all.
  function unsolved() {
    const found = [];
    if (!s.solved.includes(1)) return found;
    for (let i = 0; i < s.frames.length; i++) {
      if (s.solved[i]) continue;
      let j = i;
      while (j + 1 < s.frames.length && !s.solved[j + 1]) j++;
      found.push([s.frames[i], s.frames[j]]);
      i = j;
    }
    return found;
  }

  function shapes(c) {
    const half = s.frames.length > 1 ? (s.frames[1] - s.frames[0]) / 2 : 0.5;
    const found = unsolved().map(([first, last]) => ({
      type: "rect", xref: "x", yref: "paper", x0: first - half, x1: last + half, y0: 0, y1: 1, fillcolor: c.red, opacity: 0.12, line: { width: 0 }, layer: "below",
    }));
    contents.keyframes.forEach((f) => found.push({ type: "line", xref: "x", yref: "paper", x0: f, x1: f, y0: 0, y1: 1, line: { color: c.quiet, width: 1, dash: "dot" } }));
    return found;
  }

  function draw() {
    const c = colours();
    const axis = (title, domain) => ({ title: { text: title, font: { size: 12 } }, domain, rangemode: "tozero", gridcolor: c.line, zerolinecolor: c.line, color: c.quiet, nticks: 5, automargin: true });
    const cut = zooms ? [[0.68, 1], [0.34, 0.62], [0, 0.28]] : [[0.5, 1], [0, 0.42]];
    const narrow = plot.clientWidth < 560;
    const layout = {
      ...layoutOf(c), margin: { l: 56, r: 14, t: narrow ? 54 : 30, b: 42 }, hovermode: "x unified", shapes: shapes(c),
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { color: c.text, size: 12 } },
      xaxis: { title: { text: "frame", font: { size: 12 }, standoff: 8 }, gridcolor: c.line, zeroline: false, color: c.quiet, anchor: zooms ? "y3" : "y2", tickformat: "d", nticks: narrow ? 6 : 14 },
      yaxis: axis("error [px]", cut[0]), yaxis2: axis("tracks", cut[1]),
    };
    if (zooms) layout.yaxis3 = { ...axis("focal [px]", cut[2]), rangemode: "normal" };
    layout.annotations = contents.keyframes.map((f, i) => ({ x: f, y: 1, xref: "x", yref: "paper", text: i ? "" : "keyframes", showarrow: false, xanchor: "left", yanchor: "top", font: { size: 11, color: c.quiet } }));
    unsolved().forEach(([first, last]) => layout.annotations.push({ x: (first + last) / 2, y: 1, xref: "x", yref: "paper", text: "no camera", showarrow: false, yanchor: "top", font: { size: 11, color: c.red } }));
    if (!known(s.rms)) layout.annotations.push({ x: 0.5, y: 0.75, xref: "paper", yref: "paper", text: "No camera, no error.", showarrow: false, font: { color: c.quiet } });
    return Plotly.react(plot, traces(c), layout, plotConfig);
  }

  draw().then(() => plot.on("plotly_click", (event) => showFrameNear(event.points[0].x)));
  whenSchemeChanges(draw);
})();
