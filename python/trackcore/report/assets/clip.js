"use strict";
// Frames of the clip with what tracks did there, and a slider through them.
let showFrameNear = () => {};
(() => {
  const posters = contents.posters;
  const [w, h] = contents.size;
  const marks = byId("marks");
  const slider = byId("slider");
  const boxes = { tracks: byId("show-tracks"), should: byId("show-should"), error: byId("show-error") };
  const TIMES = 20;
  const MOST_HIGH = 480;
  byId("stage").style.aspectRatio = w + " / " + h;
  byId("stage").style.maxWidth = (MOST_HIGH * w) / h + "px"; // of a clip taken upright
  marks.setAttribute("viewBox", "-0.5 -0.5 " + w + " " + h);
  if (!posters.length) {
    byId("clip-note").textContent = "There are no frames to show.";
    return;
  }
  slider.max = posters.length - 1;

  function path(points, attributes) {
    return element("path", { d: points, fill: "none", "vector-effect": "non-scaling-stroke", ...attributes });
  }

  function mark(layers, m, k, c, unit) {
    const track = m.track[k];
    const [x, y] = [m.xy[2 * k], m.xy[2 * k + 1]];
    const [u, v] = [m.should[2 * k], m.should[2 * k + 1]];
    const colour = trackColour(track, c);
    const known = u !== null && v !== null;
    const error = known ? Math.hypot(x - u, y - v) : null;
    if (boxes.tracks.checked) {
      const tail = m.tail[k];
      if (tail.length) {
        let d = "M" + x + " " + y;
        for (let i = 0; i < tail.length; i += 2) d += "L" + tail[i] + " " + tail[i + 1];
        layers.tails.append(path(d, { stroke: colour, "stroke-width": 1.4, opacity: 0.75 }));
      }
      const ring = element("circle", { cx: x, cy: y, r: 4.2 * unit, fill: "rgba(0,0,0,0.25)", stroke: colour, "stroke-width": 1.8, "vector-effect": "non-scaling-stroke", class: "mark" });
      ring.append(element("title", {}));
      ring.firstChild.textContent = trackName(track) + ", " + contents.roles[contents.tracks.role[track]] + (known ? ", off by " + error.toFixed(2) + " px here" : "");
      ring.addEventListener("click", () => select(track));
      layers.rings.append(ring);
    }
    if (known && boxes.should.checked) {
      const a = 3 * unit;
      layers.crosses.append(path("M" + (u - a) + " " + v + "h" + 2 * a + "M" + u + " " + (v - a) + "v" + 2 * a, { stroke: c.orange, "stroke-width": 1.4 }));
    }
    if (known && boxes.error.checked) {
      layers.errors.append(path("M" + u + " " + v + "l" + TIMES * (x - u) + " " + TIMES * (y - v), { stroke: c.red, "stroke-width": 2.2, "stroke-linecap": "round" }));
    }
    if (track === selected) {
      layers.chosen.append(element("circle", { cx: x, cy: y, r: 12 * unit, fill: "none", stroke: "#fff", "stroke-width": 2.5, "vector-effect": "non-scaling-stroke" }));
    }
  }

  function draw() {
    const poster = posters[Number(slider.value)];
    // the footage is dark or light whatever the page is: the bright palette reads on both
    const c = { blue: "#56b4e9", orange: "#ffc14d", red: "#ff6f4d", purple: "#e79fd2", grey: "#c9cfd8" };
    const width = Math.max(byId("stage").clientWidth, 1);
    const unit = (w / width) * Math.min(0.9, 0.4 + width / 1200);
    const layers = Object.fromEntries(["tails", "crosses", "rings", "errors", "chosen"].map((n) => [n, element("g", { class: n })]));
    poster.marks.track.forEach((_, k) => mark(layers, poster.marks, k, c, unit));
    marks.replaceChildren(...Object.values(layers));
    const image = byId("poster");
    if (poster.src === null) image.removeAttribute("src");
    else {
      image.src = poster.src;
      image.alt = "Frame " + poster.frame;
    }
    byId("slider-frame").textContent = "frame " + poster.frame + " of " + contents.series.frames[contents.series.frames.length - 1];
    slider.setAttribute("aria-valuetext", "frame " + poster.frame);
    note(poster);
  }

  function note(poster) {
    const m = poster.marks;
    const errors = m.track.map((_, k) => (m.should[2 * k] === null ? null : Math.hypot(m.xy[2 * k] - m.should[2 * k], m.xy[2 * k + 1] - m.should[2 * k + 1]))).filter((e) => e !== null).sort((a, b) => a - b);
    const middle = errors.length ? ", of which " + errors.length + " have a point; median error here " + errors[Math.floor(errors.length / 2)].toFixed(2) + " px" : "";
    byId("clip-note").textContent = m.track.length + " tracks" + middle + "." + (poster.src === null ? " The footage was not at hand." : "");
  }

  function go(position) {
    slider.value = String(Math.min(Math.max(position, 0), posters.length - 1));
    draw();
  }

  showFrameNear = (frame) => {
    const away = posters.map((p) => Math.abs(p.frame - frame));
    go(away.indexOf(Math.min(...away)));
  };
  slider.addEventListener("input", draw);
  byId("earlier").addEventListener("click", () => go(Number(slider.value) - 1));
  byId("later").addEventListener("click", () => go(Number(slider.value) + 1));
  Object.values(boxes).forEach((box) => box.addEventListener("change", draw));
  new ResizeObserver(draw).observe(byId("stage"));
  whenSelected(draw);
  go(Math.floor(posters.length / 2));
})();
