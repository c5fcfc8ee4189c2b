"use strict";
// Pictures of the chosen pitch with what was detected; then everything is drawn for the first time.
(() => {
  const marks = byId("marks");
  if (!marks) return;
  const slider = byId("slider");
  const buttons = [...document.querySelectorAll("[data-side]")];
  const boxes = { ball: byId("show-ball"), path: byId("show-path"), others: byId("show-others") };
  let side = "left";

  // the footage is dark or light whatever the page is: bright colours read on both
  const c = { ball: "#ffc531", path: "#ff9a3c", others: "#c9cfd8", zone: "#7fd1ff" };

  function lineOf(flat, colour, width) {
    let d = "";
    let pen = "M";
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] === null || flat[i + 1] === null) pen = "M";
      else {
        d += pen + flat[i] + " " + flat[i + 1];
        pen = "L";
      }
    }
    return element("path", { d, fill: "none", stroke: colour, "stroke-width": width, "vector-effect": "non-scaling-stroke" });
  }
  function ring([x, y, r], colour, unit, css) {
    return element("circle", { cx: x, cy: y, r: r + 2.5 * unit, fill: "none", stroke: colour, "stroke-width": 1.6, "vector-effect": "non-scaling-stroke", class: css });
  }

  function draw() {
    const pitch = pitches[shown];
    const pictures = pitch.frames[side];
    const picture = pictures[Math.min(Number(slider.value), pictures.length - 1)];
    const [w, h] = contents.sizes[side];
    byId("stage").style.aspectRatio = w + " / " + h;
    marks.setAttribute("viewBox", "-0.5 -0.5 " + w + " " + h);
    const unit = w / Math.max(byId("stage").clientWidth, 1);
    const all = [];
    pitch.zoneLines[side].forEach((line) => all.push(lineOf(line, c.zone, 1)));
    if (boxes.path.checked) all.push(lineOf(picture.path, c.path, 1.3));
    if (boxes.others.checked) picture.others.forEach((o) => all.push(ring(o, c.others, unit, "other")));
    if (boxes.ball.checked) picture.rings.forEach((o) => all.push(ring(o, c.ball, unit, "ball")));
    marks.replaceChildren(...all);
    const image = byId("picture");
    if (picture.src === null) image.removeAttribute("src");
    else {
      image.src = picture.src;
      image.alt = pitch.id + ", " + side + ", " + picture.name;
    }
    byId("slider-name").textContent = picture.name + (picture.src === null ? " (no footage)" : "");
    slider.setAttribute("aria-valuetext", picture.name);
  }

  function restart() {
    slider.max = pitches[shown].frames[side].length - 1;
    slider.value = "0";
    draw();
  }
  function go(position) {
    slider.value = String(position);
    draw();
  }
  slider.addEventListener("input", draw);
  byId("earlier").addEventListener("click", () => go(Number(slider.value) - 1));
  byId("later").addEventListener("click", () => go(Number(slider.value) + 1));
  buttons.forEach((b) => b.addEventListener("click", () => {
    const at = slider.value;
    side = b.dataset.side;
    choose(buttons, b);
    slider.max = pitches[shown].frames[side].length - 1;
    go(at);
  }));
  Object.values(boxes).forEach((box) => box.addEventListener("change", draw));
  new ResizeObserver(draw).observe(byId("stage"));
  whenPitchChosen(restart);
  choosePitch(shown);
})();
