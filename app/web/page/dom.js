// Small helpers: elements, figures with units, and the shapes that say a state beside its colour.

export const $ = id => document.getElementById(id);

function make(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter(c => c !== undefined && c !== null && c !== false));
  return node;
}

export const el = (tag, attributes, ...children) => make(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) =>
  make(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

// once gives a function that draws only when what it draws has changed, so that focus and selection survive.
export function once(draw) {
  let last;
  return value => {
    const text = JSON.stringify(value) ?? "";
    if (text === last) return;
    last = text;
    draw(value);
  };
}

const nbsp = "\u00a0";

// amount writes seconds with a unit and about three figures.
export function amount(seconds, signed) {
  if (seconds === undefined || seconds === null || !isFinite(seconds)) return "–";
  const a = Math.abs(seconds),
    sign = seconds < 0 && a >= 5e-10 ? "−" : signed && a >= 5e-10 ? "+" : "";
  for (const [unit, size] of [
    ["s", 1],
    ["ms", 1e-3],
    ["µs", 1e-6],
    ["ns", 1e-9],
  ]) {
    if (a < 0.9995 * size && unit !== "ns") continue;
    const v = a / size;
    return sign + v.toFixed(v >= 99.95 || unit === "ns" ? 0 : v >= 9.995 ? 1 : 2) + nbsp + unit;
  }
}

export const within = seconds => "±" + nbsp + amount(seconds);

export function age(seconds) {
  if (!(seconds >= 0)) return "never";
  if (seconds < 90) return Math.round(seconds) + nbsp + "s";
  if (seconds < 5400) return Math.round(seconds / 60) + nbsp + "min";
  if (seconds < 129600) return Math.round(seconds / 3600) + nbsp + "h";
  return Math.round(seconds / 86400) + nbsp + "days";
}

export const grouped = n => String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");

// The kinds of state: each has a colour, a shape and a word.
export const kindOf = {
  synchronised: "good",
  holdover: "warn",
  unsynchronised: "bad",
  selected: "good",
  agreeing: "good",
  falseticker: "bad",
  compared: "absent",
  settling: "warn",
  unusable: "warn",
  silent: "bad",
  info: "info",
  warning: "warn",
  critical: "bad",
};

// shape is ● good, ▲ degraded, ■ lost, ○ absent.
export function shape(kind) {
  const drawn = {
    good: () => svg("circle", { cx: 8, cy: 8, r: 6.5 }),
    info: () => svg("circle", { cx: 8, cy: 8, r: 6.5 }),
    warn: () => svg("path", { d: "M8 1.2 15.4 14.4H.6Z" }),
    bad: () => svg("rect", { x: 2, y: 2, width: 12, height: 12 }),
    absent: () => svg("circle", { cx: 8, cy: 8, r: 5.5, class: "hollow" }),
  }[kind];
  return svg("svg", { viewBox: "0 0 16 16", class: "shape " + kind, "aria-hidden": "true" }, drawn());
}

// utc reads the station's stamps; within 23:59:60 it gives the end of :59.
export const utc = text =>
  Date.parse(text.slice(17, 19) === "60" ? text.slice(0, 17) + "59.999Z" : text.slice(0, 23) + "Z");

// sentence makes one of what the station says, which begins small and ends without a stop.
export const sentence = text => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
