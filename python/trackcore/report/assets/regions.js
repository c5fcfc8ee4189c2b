"use strict";
// Nine regions of the frame, shaded by how many tracks there are, how many held, and how well.
(() => {
  const map = byId("region-map");
  const buttons = [...document.querySelectorAll("[data-by]")];
  const notes = {
    tracks: "Stronger colour: more tracks.",
    share: "Stronger colour: a larger share of the tracks became points.",
    error: "Stronger colour: a larger median error.",
  };
  const shown = {
    tracks: (r) => String(r.tracks),
    share: (r) => (r.share === null ? "–" : Math.round(100 * r.share) + " %"),
    error: (r) => (r.error === null ? "–" : r.error.toFixed(2) + " px"),
  };
  let by = "tracks";

  function level(region, most) {
    const value = region[by];
    if (value === null || most === 0) return 0;
    return by === "share" ? value : value / most;
  }

  function draw() {
    const most = Math.max(0, ...contents.regions.map((r) => r[by] ?? 0));
    map.replaceChildren(...contents.regions.map((region) => {
      const cell = document.createElement("div");
      cell.className = "region";
      cell.style.background = "rgba(var(--shade), " + (0.06 + 0.44 * level(region, most)).toFixed(3) + ")";
      const big = document.createElement("b");
      big.textContent = shown[by](region);
      const rest = ["tracks", "share", "error"].filter((name) => name !== by);
      const words = { tracks: shown.tracks(region) + " tracks", share: shown.share(region) + " kept", error: shown.error(region) };
      const name = document.createElement("span");
      name.textContent = region.name;
      const small = document.createElement("span");
      small.textContent = rest.map((n) => words[n]).join(" · ");
      cell.append(name, big, small);
      return cell;
    }));
    byId("region-note").textContent = notes[by];
  }

  buttons.forEach((b) => b.addEventListener("click", () => { by = b.dataset.by; choose(buttons, b); draw(); }));
  draw();
})();
