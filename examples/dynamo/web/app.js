"use strict";
// The page knows nothing but what /ring and /events say.
const $ = (id) => document.getElementById(id);
const make = (tag, text, cls) => {
  const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text;
  if (cls) e.className = cls;
  return e;
};
const svg = (tag, attrs) => {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const k in attrs) e.setAttribute(k, attrs[k]);
  return e;
};
$("url").textContent = location.href;

const number = (name) => Number(name.split("-")[1]) - 1;
const point = (turn, r) => [r * Math.sin(2 * Math.PI * turn), -r * Math.cos(2 * Math.PI * turn)];

async function drawRing() {
  const arcs = await (await fetch("ring")).json();
  if (!arcs.length) return;
  $("ring").replaceChildren();
  let start = arcs[arcs.length - 1].end - 1;
  for (const { end, node } of arcs) {
    const [x0, y0] = point(start, 90), [x1, y1] = point(end, 90);
    const arc = svg("path", { d: `M${x0} ${y0}A90 90 0 ${end - start > 0.5 ? 1 : 0} 1 ${x1} ${y1}`, class: "c" + (number(node) % 5) });
    arc.dataset.node = node;
    $("ring").append(arc);
    start = end;
  }
  const label = svg("text", { y: 4 });
  label.textContent = arcs.length + " tokens";
  $("ring").append(label);
}

function card(n) {
  const c = make("article", undefined, "node c" + (number(n.name) % 5));
  const h = make("h3", n.name);
  h.append(make("span", n.state, n.state));
  const list = make("dl");
  for (const [name, value] of [
    ["zone", n.zone], ["share of keys", (100 * n.share).toFixed(1) + " %"], ["hints kept", n.hints], ["segments", n.segments],
    ["cache hits", (100 * n.cached).toFixed(0) + " %"], ["vain reads spared", (100 * n.skipped).toFixed(1) + " %"],
  ]) list.append(make("dt", name), make("dd", value));
  const b = make("button", n.state === "up" ? "kill" : "revive");
  b.setAttribute("aria-label", b.textContent + " " + n.name);
  b.onclick = () => fetch(`admin/${b.textContent}/${n.name}`, { method: "POST" });
  c.append(h, list, b);
  return c;
}

const history = [];
function drawLine(ops) {
  history.push(ops);
  if (history.length > 240) history.shift();
  const top = Math.max(1, ...history);
  const d = history.map((v, i) => `${i ? "L" : "M"}${240 - history.length + i} ${58 - 54 * v / top}`).join("");
  $("line").replaceChildren(svg("path", { d }));
}

let shown = "";
new EventSource("events").onmessage = (e) => {
  const s = JSON.parse(e.data);
  $("caption").textContent = s.caption;
  $("ops").textContent = Math.round(s.ops).toLocaleString("en");
  $("total").textContent = s.total.toLocaleString("en");
  drawLine(s.ops);
  const nodes = JSON.stringify(s.nodes);
  if (nodes !== shown && !document.activeElement.matches("button:active")) {
    const focused = document.activeElement.getAttribute("aria-label");
    $("nodes").replaceChildren(...s.nodes.map(card));
    if (focused) [...$("nodes").querySelectorAll("button")].find((b) => b.getAttribute("aria-label").endsWith(focused.split(" ")[1]))?.focus();
    shown = nodes;
  }
  for (const p of $("ring").querySelectorAll("path")) p.classList.toggle("dead", s.nodes.some((n) => n.name === p.dataset.node && n.state !== "up"));
};
drawRing();
