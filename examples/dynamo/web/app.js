"use strict";
// The page knows nothing but what the program tells it; it writes text, never HTML.
const $ = (id) => document.getElementById(id);
const make = (tag, text, cls) => {
  const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text;
  if (cls) e.className = cls;
  return e;
};
const svg = (tag, attrs, text) => {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const k in attrs) e.setAttribute(k, attrs[k]);
  if (text !== undefined) e.textContent = text;
  return e;
};
const number = (name) => Number(name.split("-")[1]) - 1;
const color = (name) => "c" + (number(name) % 7);
const point = (turn, r) => [r * Math.sin(2 * Math.PI * turn), -r * Math.cos(2 * Math.PI * turn)].map((v) => v.toFixed(2));
const arcPath = (from, to, r) => `M${point(from, r)}A${r} ${r} 0 ${to - from > 0.5 ? 1 : 0} 1 ${point(to, r)}`;
const count = (n) => Math.round(n).toLocaleString("en");
const percent = (v, digits) => (100 * v).toFixed(digits) + " %";
const post = (path) => fetch(path, { method: "POST" });
$("url").textContent = location.href;

// The ring: an arc for every token, the zone around it.
let arcs = [], drawn = "", dead = "";
async function drawRing(fingerprint) {
  drawn = fingerprint;
  arcs = await (await fetch("ring")).json();
  if (!arcs.length) { drawn = ""; return; }
  const zones = [...new Set(arcs.map((a) => a.zone))].sort();
  let start = arcs[arcs.length - 1].end - 1;
  $("arcs").replaceChildren();
  for (const a of arcs) {
    a.start = start;
    const inner = svg("path", { d: arcPath(start, a.end, 84), class: color(a.node) });
    inner.append(svg("title", {}, `${a.node}, ${a.zone}: a token at ${percent(a.end, 2)} of the circle`));
    $("arcs").append(inner, svg("path", { d: arcPath(start, a.end, 99), class: "zone z" + (zones.indexOf(a.zone) % 4) }));
    start = a.end;
  }
  $("tokens").textContent = arcs.length + " tokens";
  $("under").textContent = zones.length + " zones";
  dead = "";
}
function drawDead(nodes) {
  const down = nodes.filter((n) => n.state !== "up" || n.away).map((n) => n.name);
  if (down.join() === dead) return;
  dead = down.join();
  $("dead").replaceChildren(...arcs.filter((a) => down.includes(a.node)).map((a) => svg("path", { d: arcPath(a.start, a.end, 84) })));
}
// A key's owners are where the circle, clockwise from it, meets them first.
function drawKeys(keys) {
  const dots = [];
  for (const k of keys || []) {
    const [x, y] = point(k.at, 66);
    for (const owner of k.owners) {
      const a = arcs.find((a) => a.node === owner && a.end >= k.at) || arcs.find((a) => a.node === owner);
      if (!a) continue;
      const [x2, y2] = point(a.end, 75);
      dots.push(svg("line", { x1: x, y1: y, x2, y2 }));
    }
    dots.push(svg("circle", { cx: x, cy: y, r: 2.4, class: k.write ? "write" : "" }));
  }
  $("dots").replaceChildren(...dots);
}
const cells = { "=": "same", "?": "away", "~": "apart" };
let ranges = "";
function drawStrip(s) {
  if (s === ranges) return;
  ranges = s;
  $("strip").replaceChildren(...[...s].map((c, i) => svg("rect", { x: i + 0.05, width: 0.9, y: c === "=" ? 1 : 0, height: c === "=" ? 2 : 4, class: cells[c] })));
  const of = (c) => [...s].filter((x) => x === c).length;
  $("strip").setAttribute("aria-label", `Of 64 ranges ${of("=")} are equal, ${of("?")} have an owner away, ${of("~")} differ`);
}

// The nodes: cards that are made once and then only filled.
const cards = {};
function card(n) {
  const c = make("article");
  const title = make("h3", n.name), state = make("span");
  title.append(state);
  const list = make("dl"), fields = {};
  for (const name of ["zone", "share", "keys", "hints kept", "segments", "cache hits", "vain reads spared"]) {
    fields[name] = make("dd");
    list.append(make("dt", name), fields[name]);
  }
  const life = make("button"), cut = make("button", "cut off"), buttons = make("div", undefined, "buttons");
  life.type = cut.type = "button";
  life.onclick = () => post(`admin/${life.textContent}/${n.name}`);
  cut.onclick = () => post(`admin/partition/${n.name}`);
  cut.setAttribute("aria-label", "cut off " + n.name);
  buttons.append(life, cut);
  c.append(title, list, buttons);
  $("nodes").append(c);
  return { c, state, fields, life, cut };
}
function drawNodes(nodes) {
  for (const n of nodes) {
    const e = cards[n.name] ||= card(n), up = n.state === "up";
    e.c.className = "node " + color(n.name) + (up ? "" : " isdown");
    e.state.textContent = up && n.away ? "cut off" : n.state;
    e.state.className = up && n.away ? "cutoff" : n.state;
    e.life.textContent = up ? "kill" : "revive";
    e.life.setAttribute("aria-label", e.life.textContent + " " + n.name);
    e.cut.disabled = !up || n.away;
    const v = [n.zone, percent(n.share, 1), count(n.keys), count(n.hints), n.segments, percent(n.cached, 0), percent(n.skipped, 1)];
    Object.values(e.fields).forEach((dd, i) => { dd.textContent = v[i]; });
  }
}

// Hot keys: a bar as long as the bound, a whisker over what is uncertain.
function drawHot(hot) {
  const top = hot && hot.length ? hot[0].count : 1;
  $("hot").replaceChildren(...(hot || []).map((k) => {
    const li = make("li"), name = make("div", undefined, "name"), bar = svg("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" });
    name.append(make("span", k.key), make("span", k.error ? `${count(k.count - k.error)} to ${count(k.count)}` : count(k.count)));
    const to = 96 * k.count / top, from = 96 * (k.count - k.error) / top;
    bar.append(svg("rect", { width: to, height: 6, y: 1 }), svg("path", { d: `M${from} 4H${to}M${from} 1V7M${to} 1V7` }));
    li.append(name, bar);
    return li;
  }));
}

// Plots of the last minute.
const minute = 240, ops = [], gets = [], puts = [];
const push = (list, v) => { list.push(v); if (list.length > minute) list.shift(); };
function plot(id, lines) {
  const canvas = $(id), g = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
  const w = canvas.width, h = canvas.height, top = Math.max(1e-9, ...lines.flatMap((l) => l.values));
  g.clearRect(0, 0, w, h);
  g.strokeStyle = style.getPropertyValue("--line");
  g.strokeRect(0.5, 0.5, w - 1, h - 1);
  g.lineWidth = 1.5;
  for (const { values, ink, dash } of lines) {
    g.strokeStyle = style.getPropertyValue(ink);
    g.setLineDash(dash || []);
    g.beginPath();
    values.forEach((v, i) => g.lineTo(w - (values.length - i) * w / minute, h - 4 - (h - 10) * v / top));
    g.stroke();
  }
  g.setLineDash([]);
  return top;
}
function drawPlots(s) {
  push(ops, s.ops); push(gets, s.get); push(puts, s.put);
  $("rate-label").textContent = `operations a second, at most ${count(plot("rate", [{ values: ops, ink: "--blue" }]))}`;
  plot("latency", [
    { values: gets.map((v) => v[0]), ink: "--up" }, { values: gets.map((v) => v[1]), ink: "--up", dash: [4, 3] },
    { values: puts.map((v) => v[0]), ink: "--down" }, { values: puts.map((v) => v[1]), ink: "--down", dash: [4, 3] },
  ]);
  $("latency-label").textContent = `get ${s.get[0]} / ${s.get[1]} ms, put ${s.put[0]} / ${s.put[1]} ms (p50, p99 dashed)`;
}

// A key: who has it, what each holds, and which write had seen which.
$("ask").onsubmit = async (e) => {
  e.preventDefault();
  const key = $("key").value;
  const answer = await fetch("key/" + key.split("/").map(encodeURIComponent).join("/"));
  if (!answer.ok) { $("answer").replaceChildren(make("p", await answer.text())); return; }
  const k = await answer.json();
  const table = make("table"), head = make("tr");
  for (const h of ["node", "role", "versions"]) head.append(make("th", h));
  table.append(head);
  for (const r of k.replicas) {
    const row = make("tr"), held = make("td");
    for (const v of r.values) held.append(make("div", `${v.version}: ${v.text}`));
    if (!r.values.length) held.textContent = r.state === "up" ? "-" : "down";
    row.append(make("td", r.node), make("td", r.role), held);
    table.append(row);
  }
  const siblings = Math.max(0, ...k.replicas.map((r) => r.values.length));
  $("answer").replaceChildren(make("p", `Position ${k.hash}; ${siblings > 1 ? siblings + " values side by side: a conflict" : siblings ? "one value" : "absent"}.`), table, ...spaceTime(k.writes));
};
function spaceTime(writes) {
  if (!writes.length) return [];
  const actors = [...new Set(writes.map((w) => w.actor))].sort(), at = {};
  const high = 24 + 18 * writes.length, wide = Math.max(240, 110 * actors.length);
  const s = svg("svg", { id: "time", viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": "Space-time diagram of the last writes" });
  actors.forEach((a, i) => {
    const x = (i + 0.5) * wide / actors.length;
    s.append(svg("text", { x, y: 11, "text-anchor": "middle" }, a.split("~")[0]), svg("line", { x1: x, x2: x, y1: 16, y2: high, class: "life" }));
  });
  writes.forEach((w, i) => { at[w.version] = [(actors.indexOf(w.actor) + 0.5) * wide / actors.length, 28 + 18 * i]; });
  for (const w of writes) for (const seen of w.seen) {
    const [x1, y1] = at[seen], [x2, y2] = at[w.version];
    s.append(svg("line", { x1, y1, x2, y2 }));
  }
  for (const w of writes) {
    const dot = svg("circle", { cx: at[w.version][0], cy: at[w.version][1], r: 4.5, class: w.alive ? "alive" : "" });
    dot.append(svg("title", {}, w.version + (w.alive ? ", a value now" : ", replaced")));
    s.append(dot);
  }
  return [make("h3", "Writes, downwards in time; a line leads to what a write had seen"), s];
}

// Levels: what they promise, and a button that makes the traffic use them.
let live = {};
const level = (id) => Number($(id).value);
async function explain() {
  for (const id of ["r", "w"]) { $(id).max = $("n").value; }
  for (const o of document.querySelectorAll("output")) o.value = $(o.htmlFor[0]).value;
  $("apply").disabled = level("n") !== live.n;
  $("apply").title = level("n") === live.n ? "" : "the cluster keeps " + live.n + " copies: start it with -n to change that";
  $("guarantee").textContent = await (await fetch(`guarantee?n=${level("n")}&r=${level("r")}&w=${level("w")}`)).text();
}
$("levels").oninput = explain;
$("levels").onsubmit = (e) => { e.preventDefault(); post(`admin/levels?r=${level("r")}&w=${level("w")}`); };
$("heal").onclick = () => post("admin/heal");

const events = new EventSource("events");
events.onerror = () => { $("lost").hidden = false; };
events.onmessage = (e) => {
  const s = JSON.parse(e.data);
  $("lost").hidden = true;
  $("caption").textContent = s.caption;
  $("ops").textContent = count(s.ops);
  $("total").textContent = count(s.total);
  $("clients").textContent = "about " + count(s.clients[0]);
  $("sigma").textContent = `(${count(s.clients[1])} to ${count(s.clients[2])}: one standard error)`;
  $("denied").textContent = s.denied && s.denied.length ? "Told to wait: " + s.denied.map((d) => `${d.key} ${count(d.count)} times`).join(", ") : "Nobody was told to wait.";
  $("heal").hidden = !s.cut;
  $("inuse").textContent = `in use: N=${s.n} R=${s.r} W=${s.w}`;
  if (s.ring && s.ring !== drawn) drawRing(s.ring);
  drawDead(s.nodes || []);
  drawNodes(s.nodes || []);
  drawKeys(s.keys);
  drawStrip(s.ranges || "");
  drawHot(s.hot);
  drawPlots(s);
  if (live.n === undefined) {
    live = s;
    $("n").value = s.n; $("r").value = s.r; $("w").value = s.w;
    explain();
  }
};
