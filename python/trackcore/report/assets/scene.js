"use strict";
// The camera's path and the points, to be turned. Without WebGL: the same from above, flat.
(() => {
  const scene = contents.scene;
  const plot = byId("scene-plot");
  const views = [...document.querySelectorAll("[data-view]")];
  const sides = [...document.querySelectorAll("[data-from]")];
  const eyes = {
    behind: { x: -0.7, y: -1.2, z: 0.62 }, above: { x: 0, y: -0.01, z: 1.75 }, side: { x: -1.6, y: 0.04, z: 0.28 },
  };
  let view = "view";
  let from = "behind";

  if (!scene.path.x.length) {
    plot.classList.add("none");
    plot.textContent = "No camera was solved.";
    document.querySelectorAll("#space .controls").forEach((e) => e.remove());
    return;
  }

  function hasWebGl() {
    const canvas = document.createElement("canvas");
    return Boolean(canvas.getContext("webgl2") || canvas.getContext("webgl"));
  }
  const solid = hasWebGl();

  function pointTrace(name, which, symbol, size, c) {
    const p = scene.points;
    const chosen = p.index.map((track, i) => [track, i]).filter(([track]) => which(track));
    const pick = (axis) => chosen.map(([, i]) => p[axis][i]);
    return {
      name, x: pick("x"), y: pick("y"), z: pick("z"), mode: "markers", tracks: chosen.map(([t]) => t),
      marker: { size: solid ? size : size + 3, symbol, color: chosen.map(([t]) => trackColour(t, c)), opacity: 0.85, line: { width: 0 } },
      text: chosen.map(([t]) => trackName(t) + "<br>" + contents.roles[contents.tracks.role[t]]
        + (contents.tracks.error[t] === null ? "" : ", " + contents.tracks.error[t].toFixed(2) + " px")),
      hovertemplate: "%{text}<extra></extra>",
    };
  }

  function traces() {
    const c = colours();
    const held = (t) => contents.tracks.held[t] === 1;
    const all = [
      pointTrace("points", (t) => !held(t), "circle", 3, c),
      pointTrace("held-out points", held, "square", 3.5, c),
      {
        name: "camera path", ...scene.path, mode: "lines", line: { color: c.orange, width: solid ? 5 : 3 },
        text: scene.frames.map((f, i) => "frame " + f + (scene.sigma[i] === null ? "" : "<br>position ± " + (100 * scene.sigma[i]).toFixed(2) + " % of the path")),
        hovertemplate: "%{text}<extra></extra>",
      },
      {
        name: "views", ...scene.frusta, mode: "lines", line: { color: c.orange, width: solid ? 2 : 1 },
        opacity: 0.6, hoverinfo: "skip", showlegend: false,
      },
      {
        name: "first frame", x: scene.path.x.slice(0, 1), y: scene.path.y.slice(0, 1), z: scene.path.z.slice(0, 1),
        mode: "markers", marker: { size: solid ? 6 : 10, color: c.card, line: { color: c.orange, width: 2 } },
        text: ["frame " + scene.frames[0]], hovertemplate: "%{text}<extra>first frame</extra>",
      },
    ].filter((t) => t.x.length);
    const at = selected === null ? -1 : scene.points.index.indexOf(selected);
    if (at >= 0) {
      const p = scene.points;
      all.push({
        name: trackName(selected), x: [p.x[at]], y: [p.y[at]], z: [p.z[at]], mode: "markers",
        marker: { size: solid ? 9 : 14, symbol: "circle-open", color: c.text, line: { width: 3 } }, hoverinfo: "name",
      });
    }
    all.forEach((t) => { t.type = solid ? "scatter3d" : "scatter"; });
    if (!solid) all.forEach((t) => { delete t.z; });
    return all;
  }

  function layout() {
    const c = colours();
    const range = scene[view];
    const axis = (title, i) => ({
      title: { text: title, font: { size: 11 } }, range: range[i], color: c.quiet, gridcolor: c.grey + "50", zerolinecolor: c.grey + "50",
      showbackground: false, showspikes: false, nticks: 5, tickfont: { size: 10 },
    });
    const shape = {
      ...layoutOf(c), margin: { l: 0, r: 0, t: 0, b: 0 }, uirevision: view + from,
      legend: { x: 0.01, y: 0.99, bgcolor: "rgba(0,0,0,0)", font: { size: 12, color: c.text }, itemsizing: "constant" },
    };
    if (!solid) {
      return { ...shape, margin: { l: 44, r: 10, t: 10, b: 40 }, xaxis: axis("right", 0), yaxis: { ...axis("depth", 1), scaleanchor: "x" } };
    }
    // as long as it is deep: the longest side fits the view whatever the others are
    const sides = range.map(([lo, hi]) => hi - lo);
    const longest = Math.max(...sides);
    const ratio = Object.fromEntries([..."xyz"].map((name, i) => [name, (1.2 * sides[i]) / longest]));
    shape.scene = {
      xaxis: axis("right", 0), yaxis: axis("depth", 1), zaxis: axis("up", 2), aspectmode: "manual", aspectratio: ratio, uirevision: view + from,
      camera: { eye: eyes[from], up: { x: 0, y: 0, z: 1 }, center: { x: 0, y: 0, z: -0.06 } }, dragmode: "orbit",
    };
    return shape;
  }

  function draw() { return Plotly.react(plot, traces(), layout(), plotConfig); }

  views.forEach((b) => b.addEventListener("click", () => { view = b.dataset.view; choose(views, b); draw(); }));
  sides.forEach((b) => b.addEventListener("click", () => { from = b.dataset.from; choose(sides, b); draw(); }));
  if (scene.tripod) views[0].parentElement.remove();
  if (!solid) sides[0].parentElement.remove();
  const told = [];
  if (scene.tripod) told.push("A tripod shows no depth: points lie on a sphere around the camera.");
  else told.push("No camera sees scale: the median point is 10 units from the first frame's camera.");
  if (scene.outside) told.push(scene.outside + (scene.outside === 1 ? " point lies" : " points lie") + " outside this view.");
  if (!solid) told.push("This browser has no WebGL: seen from above.");
  byId("scene-note").textContent = told.join(" ");
  function whenPointClicked(show) {
    // In 3-D Plotly says "click" with every frame it draws while the button is down, drags included.
    let under = null;
    let pressed = null;
    const trackAt = (event) => event.points[0].data.tracks?.[event.points[0].pointNumber] ?? null;
    if (!solid) {
      plot.on("plotly_click", (event) => { if (trackAt(event) !== null) show(trackAt(event)); });
      return;
    }
    plot.on("plotly_hover", (event) => { under = trackAt(event); });
    plot.on("plotly_unhover", () => { under = null; });
    plot.addEventListener("pointerdown", (event) => { pressed = [event.clientX, event.clientY]; }, true);
    window.addEventListener("pointerup", (event) => {
      const still = pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) < 4;
      pressed = null;
      if (still && under !== null) show(under);
    }, true);
  }

  draw().then(() => whenPointClicked(select));
  whenSchemeChanges(draw);
  whenSelected(draw);
})();
