// The page says everything without this. With it one queue is shown at a time, and charts tell their numbers.
"use strict";
(() => {
  const queues = [...document.querySelectorAll("section.queue")];
  const pick = document.getElementById("pick");

  function make(tag, properties, parent) {
    const e = Object.assign(document.createElement(tag), properties);
    if (parent) parent.append(e);
    return e;
  }

  function show(id) {
    for (const q of queues) q.hidden = id !== "all" && q.id !== id;
    select.value = id;
  }

  function step(by) {
    const at = queues.findIndex((q) => q.id === select.value);
    show(queues[(Math.max(at, 0) + by + queues.length) % queues.length].id);
  }

  let select;
  if (queues.length > 1) {
    make("label", { htmlFor: "which", textContent: "Queue" }, pick);
    select = make("select", { id: "which" }, pick);
    for (const q of queues) make("option", { value: q.id, textContent: q.querySelector("h3").textContent }, select);
    make("option", { value: "all", textContent: "all of them" }, select);
    select.addEventListener("change", () => show(select.value));
    make("button", { type: "button", textContent: "Previous" }, pick).addEventListener("click", () => step(-1));
    make("button", { type: "button", textContent: "Next" }, pick).addEventListener("click", () => step(1));
    const follow = () => {
      const q = document.getElementById(location.hash.slice(1));
      if (!queues.includes(q)) return false;
      show(q.id);
      q.scrollIntoView();
      return true;
    };
    addEventListener("hashchange", follow);
    if (!follow()) show(queues[0].id);
  }

  // Upper and lower edge of an area: see html_chart.h.
  function edges(path) {
    const upper = [], lower = [];
    let x = -Infinity, to = upper;
    for (const [, c, v, w] of path.getAttribute("d").matchAll(/([HVL])([\d.]+)(?: ([\d.]+))?/g)) {
      if (c === "V") to.push([x, +v]);
      else x = +v;
      if (c === "L") {
        to = lower;
        to.push([x, +w]);
      }
    }
    return { path, upper, lower };
  }

  function valueAt({ path, upper, lower }, x) {
    const [top, bottom] = path.dataset.y.split(" ").map(Number);
    let a = bottom, b = bottom;
    for (const [from, y] of upper) if (from <= x) a = y;
    for (const [from, y] of lower) if (from >= x) b = y;
    if (x > lower[0][0]) return 0;
    return ((b - a) / (bottom - top)) * path.dataset.max;
  }

  function timeAt(svg, part) {
    const [from, to] = svg.dataset.time.split(" ").map(Number);
    const s = from + part * (to - from);
    if (svg.dataset.dates) return new Date(s * 1000).toISOString().slice(0, 16).replace("T", " ");
    const day = Math.floor(s / 86400), rest = s - day * 86400;
    return `day ${day} ${String(Math.floor(rest / 3600)).padStart(2, "0")}:${String(Math.floor(rest / 60) % 60).padStart(2, "0")}`;
  }

  // A line at one time, and the values there in words. Arrow keys move it; so does the pointer.
  function reader(svg) {
    const areas = [...svg.querySelectorAll("path[data-name]")].map(edges);
    const [left, right] = svg.dataset.x.split(" ").map(Number);
    const line = document.createElementNS(svg.namespaceURI, "path");
    const words = make("p", { className: "read" });
    let part = 0;
    line.setAttribute("class", "cursor");
    words.setAttribute("aria-live", "polite");
    svg.after(words);
    svg.tabIndex = 0;
    const tell = () => {
      const x = left + part * (right - left), box = svg.viewBox.baseVal;
      svg.append(line);
      line.setAttribute("d", `M${x} 0V${box.height}`);
      words.textContent = timeAt(svg, part) + ": " +
        areas.map((a) => `${+valueAt(a, x).toPrecision(3)} ${a.path.dataset.name}`).join(", ");
    };
    const clear = () => { line.remove(); words.textContent = ""; };
    svg.addEventListener("keydown", (e) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, PageDown: 10, PageUp: -10 }[e.key];
      if (!by && e.key !== "Home" && e.key !== "End") return;
      e.preventDefault();
      part = e.key === "Home" ? 0 : e.key === "End" ? 1 : Math.min(1, Math.max(0, part + by / 200));
      tell();
    });
    svg.addEventListener("pointermove", (e) => {
      const box = svg.getBoundingClientRect(), x = ((e.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      part = Math.min(1, Math.max(0, (x - left) / (right - left)));
      tell();
    });
    svg.addEventListener("pointerleave", clear);
    svg.addEventListener("blur", clear);
    svg.addEventListener("focus", tell);
  }
  for (const svg of document.querySelectorAll("svg.over-time")) reader(svg);
})();
