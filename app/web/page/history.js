// The history: offset, bound, frequency and temperature over the same time, with zoom by buttons, keys, wheel and pointer.
import { el, svg, amount, once } from "./dom.js";

const spans = [
  ["1 hour", 3600],
  ["6 hours", 21600],
  ["1 day", 86400],
  ["1 week", 604800],
  ["1 month", 2678400],
];
const left = 70,
  right = 8; // CSS pixels, as everything in the picture: text keeps its size on every screen
const shortest = 120,
  longest = 3 * 366 * 86400;
const two = n => String(n).padStart(2, "0");

export class History {
  constructor(box, reading) {
    Object.assign(this, { box, reading, span: 86400, end: null, data: null, at: null }); // end null: it follows the clock
    const button = (text, act, label) =>
      el("button", { type: "button", class: "tool", "aria-label": label, onclick: act }, text);
    this.choices = spans.map(([text, s]) =>
      el("button", { type: "button", class: "tool", "aria-pressed": "false", onclick: () => this.go(s, null) }, text),
    );
    this.figure = svg("svg", {
      class: "plot",
      tabindex: 0,
      role: "application",
      "aria-roledescription": "zoomable plot",
      "aria-label": "History",
      "aria-describedby": "history-help",
    });
    this.caption = el("p", { class: "caption", role: "status" });
    this.readout = el("p", { class: "readout" }, "\u00a0");
    box.append(
      el(
        "div",
        { class: "tools", role: "toolbar", "aria-label": "Span of the history" },
        this.choices,
        el("span", { class: "gap" }),
        button("◀", () => this.pan(-0.5), "Earlier"),
        button("▶", () => this.pan(0.5), "Later"),
        button("+", () => this.zoom(0.5), "Zoom in"),
        button("−", () => this.zoom(2), "Zoom out"),
      ),
      this.readout,
      this.figure,
      this.caption,
      el(
        "p",
        { id: "history-help", class: "quiet small" },
        "Drag across the plot to see a part of it; double-click for the day. Keys: ← → move, + − zoom, Home for now.",
      ),
    );
    this.listen();
    this.draw = once(data => this.render(data));
    new ResizeObserver(() => {
      if (this.points && this.figure.clientWidth !== this.width) this.render(this.data);
    }).observe(box);
    setInterval(() => {
      if (this.end === null && !document.hidden) this.load();
    }, 15000);
  }

  now() {
    const r = this.reading();
    return r ? r.tai - r.answer.tai_minus_utc_seconds : null;
  }

  go(span, end) {
    this.span = Math.min(longest, Math.max(shortest, span));
    const now = this.now();
    this.end = end !== null && now !== null && end < now - 1 ? end : null;
    this.load();
  }

  zoom(factor, around = 0.5) {
    const end = this.end ?? this.now();
    if (end === null) return;
    const span = Math.min(longest, Math.max(shortest, this.span * factor));
    this.go(span, end - (1 - around) * this.span + (1 - around) * span);
  }

  pan(part) {
    const end = this.end ?? this.now();
    if (end !== null) this.go(this.span, end + part * this.span);
  }

  async load() {
    const end = this.end ?? this.now();
    clearTimeout(this.retry);
    if (end === null) {
      this.retry = setTimeout(() => this.load(), 1000);
      return;
    }
    const mine = (this.asked = Symbol());
    for (const [i, [, s]] of spans.entries())
      this.choices[i].setAttribute("aria-pressed", String(this.end === null && Math.abs(this.span - s) < 1));
    try {
      const response = await fetch(`api/history?from=${(end - this.span).toFixed(3)}&to=${end.toFixed(3)}&points=500`, {
        signal: AbortSignal.timeout(10000),
      });
      const answer = await response.json();
      if (mine !== this.asked) return; // it was overtaken
      if (!response.ok) {
        this.caption.textContent = answer.error || "The log cannot be read.";
        return;
      }
      // A station that was put up today has no day to show.
      const first = (answer.points || []).find(p => p.offset_seconds !== undefined || p.state);
      if (!this.data && this.span > 3600 && (!first || end - Date.parse(first.time) / 1000 < this.span / 12)) {
        this.data = answer;
        return this.go(3600, null);
      }
      this.draw(answer);
    } catch {
      /* asked again */
    }
  }

  listen() {
    const place = event => {
      const b = this.figure.getBoundingClientRect();
      return Math.min(1, Math.max(0, (((event.clientX - b.left) / b.width) * this.width - left) / this.plot));
    };
    this.figure.addEventListener("keydown", event => {
      const act = {
        ArrowLeft: () => this.pan(-0.25),
        ArrowRight: () => this.pan(0.25),
        "+": () => this.zoom(0.5),
        "=": () => this.zoom(0.5),
        "-": () => this.zoom(2),
        Home: () => this.go(86400, null),
      }[event.key];
      if (act) {
        event.preventDefault();
        act();
      }
    });
    this.figure.addEventListener(
      "wheel",
      event => {
        if (!event.ctrlKey) return; // the page scrolls
        event.preventDefault();
        this.zoom(event.deltaY > 0 ? 1.5 : 1 / 1.5, place(event));
      },
      { passive: false },
    );
    this.figure.addEventListener("dblclick", () => this.go(86400, null));
    let began = null;
    this.figure.addEventListener("pointerdown", event => {
      began = place(event);
      this.figure.setPointerCapture(event.pointerId);
    });
    this.figure.addEventListener("pointermove", event => this.point(place(event), began));
    this.figure.addEventListener("pointerleave", () => {
      if (began === null) this.point(null, null);
    });
    this.figure.addEventListener("pointercancel", () => {
      began = null;
      this.point(null, null);
    });
    this.figure.addEventListener("pointerup", event => {
      const [a, b] = [began, place(event)].sort((x, y) => x - y);
      const end = this.end ?? this.now();
      if (began !== null && b - a > 0.02 && end !== null) {
        const from = end - this.span;
        this.go((b - a) * this.span, from + b * this.span);
      }
      began = null;
    });
  }

  // point shows what was logged under the pointer, and what a drag would choose.
  point(at, began) {
    if (!this.cursor) return;
    this.cursor.setAttribute("visibility", at === null ? "hidden" : "visible");
    this.chosen.setAttribute("visibility", at === null || began === null ? "hidden" : "visible");
    if (at === null) {
      this.readout.textContent = "\u00a0";
      return;
    }
    const x = left + at * this.plot;
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
    if (began !== null) {
      const other = left + began * this.plot;
      this.chosen.setAttribute("x", Math.min(x, other));
      this.chosen.setAttribute("width", Math.abs(x - other));
    }
    const t = this.from + at * (this.to - this.from);
    let nearest = null;
    for (const p of this.points) if (!nearest || Math.abs(p.t - t) < Math.abs(nearest.t - t)) nearest = p;
    if (!nearest || Math.abs(nearest.t - t) > 3 * this.step) {
      this.readout.textContent = `${this.when(t, true)}: nothing was logged`;
      return;
    }
    const p = nearest,
      parts = [this.when(p.t, true)];
    if (p.offset_seconds !== undefined) parts.push(`offset ${amount(p.offset_seconds, true)}`);
    if (p.max_error_seconds !== undefined) parts.push(`bound ±${amount(p.max_error_seconds)}`);
    if (p.frequency_ppm !== undefined) parts.push(`${p.frequency_ppm.toFixed(3)} ppm`);
    if (p.temperature_celsius !== undefined) parts.push(`${p.temperature_celsius.toFixed(1)} °C`);
    if (p.state && p.state !== "synchronised") parts.push(p.state);
    this.readout.textContent = parts.join(" · ");
  }

  // when writes a moment in the station's zone, as finely as the span needs.
  when(t, full) {
    const r = this.reading(),
      z = r ? r.answer.zone : { name: "UTC", offset_seconds: 0 };
    const long = this.to - this.from > 2 * 86400;
    const options = full
      ? { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" }
      : long
        ? { day: "numeric", month: "short" }
        : { hour: "2-digit", minute: "2-digit", second: this.to - this.from < 1200 ? "2-digit" : undefined };
    try {
      return new Intl.DateTimeFormat("en-GB", { timeZone: z.name, ...options }).format(t * 1000);
    } catch {
      const d = new Date((t + z.offset_seconds) * 1000);
      return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
    }
  }

  render(h) {
    this.data = h;
    const W = (this.width = Math.max(280, this.figure.clientWidth || this.box.clientWidth)),
      plot = (this.plot = W - left - right),
      few = W < 600;
    this.from = Date.parse(h.from) / 1000;
    this.to = Date.parse(h.to) / 1000;
    this.step = h.step_seconds || (this.to - this.from) / 500;
    const points = (this.points = (h.points || []).map(p => ({ ...p, t: Date.parse(p.time) / 1000 })));
    const x = t => left + (plot * (t - this.from)) / (this.to - this.from);
    const nodes = [];
    let y = 8;
    const lane = (title, height, keys, write, log) => {
      const values = points.flatMap(p => keys.map(k => p[k])).filter(v => v !== undefined && (!log || v > 0));
      if (!values.length) return null;
      let [low, high] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
      if (log) {
        low = Math.log10(low);
        high = Math.log10(high);
      }
      const pad = Math.max((high - low) * 0.08, log ? 0.15 : Math.abs(high) * 1e-6, 1e-10);
      low -= pad;
      high += pad;
      const top = y + 18,
        bottom = top + height,
        place = v => bottom - (height * ((log ? Math.log10(v) : v) - low)) / (high - low);
      nodes.push(svg("text", { x: left, y: top - 6, class: "lane" }, title));
      for (const v of log ? decades(low, high) : nice(low, high)) {
        nodes.push(
          svg("line", { x1: left, x2: W - right, y1: place(v), y2: place(v), class: "grid" }),
          svg("text", { x: left - 8, y: place(v) + 4, class: "tick" }, write(v)),
        );
      }
      y = bottom + 10;
      return { place, top, bottom };
    };
    const line = (key, place, cls) => {
      let d = "",
        last = -Infinity;
      for (const p of points)
        if (p[key] !== undefined && isFinite(place(p[key]))) {
          d += (p.t - last > 2.5 * this.step ? "M" : "L") + x(p.t).toFixed(1) + " " + place(p[key]).toFixed(1);
          last = p.t;
        }
      nodes.push(svg("path", { d, class: cls }));
    };
    const offset = lane(
      few ? "offset of the source followed" : "offset of the source that is followed",
      few ? 120 : 170,
      ["offset_seconds", "offset_low_seconds", "offset_high_seconds"],
      v => amount(v, true),
    );
    if (offset) {
      for (const band of runs(
        points.filter(p => p.offset_low_seconds !== undefined),
        2.5 * this.step,
      )) {
        const up = band.map(p => `${x(p.t).toFixed(1)} ${offset.place(p.offset_high_seconds).toFixed(1)}`),
          down = band.map(p => `${x(p.t).toFixed(1)} ${offset.place(p.offset_low_seconds).toFixed(1)}`).reverse();
        nodes.push(svg("path", { d: "M" + [...up, ...down].join("L") + "Z", class: "band" }));
      }
      line("offset_seconds", offset.place, "curve offset");
    }
    const bound = lane(
      "bound of the station's error",
      70,
      ["max_error_seconds"],
      v => amount(v).replace(/\.0+(?=\s)/, ""),
      true,
    );
    if (bound) line("max_error_seconds", bound.place, "curve bound");
    const frequency = lane("oscillator, ppm", 50, ["frequency_ppm"], v => v.toFixed(Math.abs(v) < 10 ? 2 : 1));
    if (frequency) line("frequency_ppm", frequency.place, "curve frequency");
    const warmth = lane("temperature, °C", 40, ["temperature_celsius"], v => v.toFixed(1));
    if (warmth) line("temperature_celsius", warmth.place, "curve temperature");
    const stripe = { synchronised: "good", holdover: "warn", unsynchronised: "bad" };
    for (const run of states(points, this.step)) {
      const kind = stripe[run.state],
        high = kind === "good" ? 4 : kind === "warn" ? 7 : 10; // a shape beside the colour
      nodes.push(
        svg(
          "rect",
          {
            x: x(run.from),
            width: Math.max(1.5, x(run.to) - x(run.from)),
            y: y + 10 - high,
            height: high,
            class: "stripe " + kind,
          },
          svg("title", {}, run.state),
        ),
      );
    }
    y += 16;
    for (const t of times(this.from, this.to, few ? 4 : 8)) {
      nodes.unshift(svg("line", { x1: x(t), x2: x(t), y1: 20, y2: y - 4, class: "grid" }));
      nodes.push(svg("text", { x: x(t), y: y + 12, class: "hour" }, this.when(t)));
    }
    y += 20;
    this.cursor = svg("line", { x1: left, x2: left, y1: 20, y2: y - 20, class: "cursor", visibility: "hidden" });
    this.chosen = svg("rect", { x: left, width: 0, y: 20, height: y - 40, class: "chosen", visibility: "hidden" });
    this.figure.setAttribute("viewBox", `0 0 ${W} ${y}`);
    this.figure.style.height = y + "px";
    this.figure.replaceChildren(...nodes, this.chosen, this.cursor);
    const offsets = points.map(p => p.offset_seconds).filter(v => v !== undefined);
    const worst = points.reduce((a, p) => Math.max(a, p.max_error_seconds ?? 0), 0);
    const said = offsets.length
      ? `${this.when(this.from, true)} to ${this.when(this.to, true)}: offset between ${amount(Math.min(...offsets), true)} and ${amount(Math.max(...offsets), true)}, bound at most ±${amount(worst)}`
      : "Nothing was logged in this span.";
    this.figure.setAttribute("aria-label", "History. " + said);
    this.caption.textContent = said;
  }
}

function nice(low, high) {
  const rough = (high - low) / 3,
    power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= rough);
  const all = [];
  for (let v = Math.ceil(low / step) * step; v <= high && all.length < 8; v += step)
    all.push(Math.abs(v) < step / 1e6 ? 0 : v);
  return all;
}

function decades(low, high) {
  const all = [];
  for (let e = Math.ceil(low); e <= high; e++) all.push(10 ** e);
  return all.length ? all : [10 ** ((low + high) / 2)];
}

function times(from, to, most) {
  const step =
    [
      10, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800, 2592000, 7776000, 31536000,
    ].find(s => (to - from) / s <= most) || 31536000;
  const all = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) all.push(t);
  return all;
}

function runs(points, gap) {
  const all = [];
  for (const p of points) {
    if (!all.length || p.t - all.at(-1).at(-1).t > gap) all.push([]);
    all.at(-1).push(p);
  }
  return all;
}

function states(points, step) {
  const all = [];
  for (const p of points) {
    if (!p.state) continue;
    const last = all.at(-1);
    if (last && last.state === p.state && p.t - last.to < 1.5 * step) last.to = p.t + step;
    else all.push({ state: p.state, from: p.t, to: p.t + step });
  }
  return all;
}
