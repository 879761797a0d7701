// What the receivers hear: sky and strength of satellites, the minute of a time code as it arrives, pulses.
import { $, el, svg, amount, grouped } from "./dom.js";
import { superscript } from "./sources.js";

const letter = { GPS: "G", GLONASS: "R", Galileo: "E", BeiDou: "C", QZSS: "J", NavIC: "I", SBAS: "S" };
const constellationClass = name => "sat-" + (letter[name] || "X");
const call = s => (letter[s.constellation] || "?") + s.prn;

function sky(list) {
  const radius = 150,
    placed = list.filter(s => s.elevation_degrees >= 0 && s.azimuth_degrees >= 0);
  const nodes = [90, 60, 30].map(r => svg("circle", { cx: 0, cy: 0, r: (radius * r) / 90, class: "grid" }));
  nodes.push(svg("path", { d: `M0-${radius}V${radius}M-${radius} 0H${radius}`, class: "grid" }));
  for (const [text, x, y] of [
    ["N", 0, -166],
    ["E", 168, 5],
    ["S", 0, 175],
    ["W", -168, 5],
  ])
    nodes.push(svg("text", { x, y, class: "compass" }, text));
  // Those in use lie on top.
  for (const s of [...placed].sort((a, b) => a.used - b.used)) {
    const r = (radius * (90 - s.elevation_degrees)) / 90,
      a = (s.azimuth_degrees * Math.PI) / 180;
    const [x, y] = [r * Math.sin(a), -r * Math.cos(a)].map(v => v.toFixed(1));
    nodes.push(
      svg(
        "g",
        { class: "sat " + constellationClass(s.constellation) + (s.used ? " used" : "") },
        svg("circle", { cx: x, cy: y, r: 12 }),
        svg("text", { x, y: Number(y) + 4 }, call(s)),
      ),
    );
  }
  const label = placed.length
    ? `Sky plot: ${list.filter(s => s.used).length} of ${list.length} satellites are used`
    : "Sky plot: no satellite has a known place";
  return svg("svg", { viewBox: "-190 -186 380 372", class: "sky", role: "img", "aria-label": label }, nodes);
}

function strength(list) {
  const heard = list.filter(s => s.cn0_dbhz > 0).sort((a, b) => call(a)[0].localeCompare(call(b)[0]) || a.prn - b.prn);
  const step = 28,
    width = Math.max(12, heard.length) * step,
    top = 55; // dB-Hz
  const nodes = heard.map((s, i) => {
    const h = (120 * Math.min(s.cn0_dbhz, top)) / top,
      x = i * step + 3;
    return svg(
      "g",
      { class: "sat " + constellationClass(s.constellation) + (s.used ? " used" : "") },
      svg("rect", { x, y: 140 - h, width: step - 6, height: Math.max(h, 1), rx: 2 }),
      svg("text", { x: x + 11, y: 134 - h, class: "value" }, s.cn0_dbhz ? Math.round(s.cn0_dbhz) : ""),
      svg("text", { x: x + 11, y: 156, class: "call" }, call(s)),
    );
  });
  const tracked = list.filter(s => s.cn0_dbhz > 0),
    mean = tracked.reduce((a, s) => a + s.cn0_dbhz, 0) / (tracked.length || 1);
  return svg(
    "svg",
    {
      viewBox: `0 0 ${width} 162`,
      class: "strength",
      role: "img",
      "aria-label": `Strength of ${tracked.length} satellites, ${mean.toFixed(0)} dB-Hz in the mean`,
    },
    nodes,
  );
}

function gnssPanel(s) {
  const g = s.signal.gnss,
    list = g.satellites || [];
  const facts = [
    ["fix", { none: "none", "2d": "2D", "3d": "3D", time: "time only" }[g.fix] || g.fix],
    ["jamming", g.jamming],
    ["spoofing", g.spoofing],
    ["antenna", g.antenna],
    ["firmware", g.firmware],
    ["protocol", g.protocol],
    ["GPS − UTC", g.leap_seconds === undefined ? "" : g.leap_seconds + " s"],
    ["faulty sentences", g.sentences ? `${grouped(g.checksum_errors)} of ${grouped(g.sentences)}` : ""],
  ];
  const names = [...new Set(list.map(x => x.constellation))];
  return panel(
    "in-sky",
    s,
    "What does it see of the sky?",
    s.signal.state !== "timing" && s.signal.text,
    el(
      "div",
      { class: "gnss" },
      sky(list),
      el(
        "div",
        { class: "beside" },
        el(
          "p",
          { class: "legend" },
          names.map(n => el("span", { class: constellationClass(n) }, `${letter[n] || "?"} ${n}`)),
          el("span", { class: "filled" }, "used"),
          el("span", { class: "outlined" }, "seen"),
        ),
        el("p", { class: "caption" }, "C/N₀ in dB-Hz"),
        strength(list),
        definitions(facts),
      ),
    ),
  );
}

// Where the fields of the codes lie; the rest is told by the telegram's own list.
const layout = {
  dcf77: [
    [1, 14, "weather"],
    [15, 20, "flags"],
    [21, 28, "minute"],
    [29, 35, "hour"],
    [36, 41, "day"],
    [42, 44, "weekday"],
    [45, 49, "month"],
    [50, 58, "year"],
  ],
  msf60: [
    [1, 16, "DUT1"],
    [17, 24, "year"],
    [25, 29, "month"],
    [30, 35, "day"],
    [36, 38, "weekday"],
    [39, 44, "hour"],
    [45, 51, "minute"],
    [52, 59, "parity"],
  ],
};

const small = matchMedia("(max-width: 100rem)");
const brief = { minute: "min", weekday: "wd", month: "mon", parity: "" };

function minute(s) {
  const marks = s.signal.radio.marks || [],
    step = 14,
    nodes = [];
  for (let i = 0; i < 60; i++) {
    const m = marks[i];
    const tall = m && m.symbol === "1",
      wide = m && m.symbol !== "0" && m.symbol !== "1" && m.symbol !== "?";
    const h = m ? (tall ? 78 : wide ? 60 : 40) : 40,
      y = 84 - h;
    // Brightness says how sure: one half is a guess.
    const sure = m ? Math.max(0, Math.min(1, 2 * m.confidence - 1)) : 0;
    nodes.push(
      svg("rect", {
        x: i * step + 2,
        y,
        width: step - 4,
        height: h,
        rx: 2,
        class: m ? "mark" : "mark due",
        "fill-opacity": m ? (0.3 + 0.7 * sure).toFixed(2) : 1,
      }),
    );
    if (wide) nodes.push(svg("text", { x: i * step + step / 2, y: y - 5, class: "letter" }, m.symbol));
  }
  for (const [from, to, name] of layout[s.driver] || []) {
    nodes.push(svg("line", { x1: from * step + 1, x2: (to + 1) * step - 1, y1: 93, y2: 93, class: "field" }));
    nodes.push(
      svg(
        "text",
        { x: ((from + to + 1) / 2) * step, y: small.matches ? 119 : 110, class: "fieldname" },
        small.matches ? (brief[name] ?? name) : name,
      ),
    );
  }
  return svg(
    "svg",
    {
      viewBox: `0 0 ${60 * step} ${layout[s.driver] ? (small.matches ? 126 : 116) : 90}`,
      class: "minute",
      role: "img",
      "aria-label": `${marks.length} of 60 second marks of this minute have arrived`,
    },
    nodes,
  );
}

function quality(list) {
  const shown = list.slice(-60),
    step = 14;
  const mean = shown.reduce((a, q) => a + q, 0) / (shown.length || 1);
  return svg(
    "svg",
    {
      viewBox: `0 0 ${60 * step} 34`,
      class: "quality",
      role: "img",
      "aria-label": `Reception in the last ${shown.length} minutes: ${(100 * mean).toFixed(0)} % in the mean`,
    },
    shown.map((q, i) =>
      svg("rect", {
        x: (60 - shown.length + i) * step + 2,
        width: step - 4,
        y: 32 - 30 * q,
        height: Math.max(2, 30 * q),
        rx: 1,
        class: q > 0.6 ? "good" : q > 0.25 ? "warn" : "bad",
      }),
    ),
  );
}

function radioPanel(s) {
  const r = s.signal.radio;
  const odds =
    r.confidence > 0
      ? `odds against wrong: 10${superscript(Math.floor(r.confidence))}`
      : "no minute has been decoded yet";
  return panel(
    "in-air",
    s,
    "The minute as it arrives",
    s.signal.state !== "timing" && s.signal.text,
    el(
      "p",
      { class: "odds " + (r.coasting ? "warn" : r.confidence > 6 ? "good" : "warn") },
      odds + (r.coasting ? "; nothing is decoded now, its oscillator carries on" : ""),
    ),
    minute(s),
    (r.quality || []).length > 0 && [
      el("p", { class: "caption" }, "how well each of the last 60 minutes was heard"),
      quality(r.quality),
    ],
    definitions((r.fields || []).map(f => [f.name, f.value])),
  );
}

function pulsePanel(s) {
  const p = s.signal.pulses,
    h = p.histogram || [],
    most = Math.max(1, ...h),
    step = h.length ? 400 / h.length : 0;
  return panel(
    "in-step",
    s,
    "How regular are its pulses?",
    s.signal.state !== "timing" && s.signal.text,
    h.length > 0 && [
      svg(
        "svg",
        {
          viewBox: "0 0 400 90",
          class: "histogram",
          preserveAspectRatio: "none",
          role: "img",
          "aria-label": `Scatter of the pulses, ${amount(p.jitter_seconds)} at one sigma`,
        },
        h.map(
          (n, i) =>
            n > 0 &&
            svg("rect", {
              x: (i * step + step * 0.08).toFixed(2),
              width: (step * 0.84).toFixed(2),
              y: (88 - (86 * n) / most).toFixed(1),
              height: ((86 * n) / most).toFixed(1),
            }),
        ),
      ),
      el(
        "p",
        { class: "caption ends" },
        el("span", {}, amount((-h.length / 2) * p.histogram_step_seconds, true)),
        el("span", {}, "the regular second"),
        el("span", {}, amount((h.length / 2) * p.histogram_step_seconds, true)),
      ),
    ],
    definitions([
      ["jitter", amount(p.jitter_seconds)],
      ["width", p.width_seconds ? amount(p.width_seconds) : ""],
      ["seen", grouped(p.seen)],
      ["missing", grouped(p.missing)],
      ["extra", grouped(p.extra)],
    ]),
  );
}

const definitions = facts =>
  el(
    "dl",
    { class: "facts" },
    facts
      .filter(([, v]) => v !== undefined && v !== "" && v !== null)
      .map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", {}, v))),
  );

function panel(cls, s, title, wrong, ...body) {
  const id = "signal-" + s.name.replace(/\W/g, "-");
  return el(
    "section",
    { class: "panel " + cls, "aria-labelledby": id },
    el("h2", { id }, el("span", { class: "whose" }, s.name), " ", title),
    wrong && el("p", { class: "wrong" }, wrong),
    body,
  );
}

const drawn = new Map(); // by name: what was drawn last, and the section

const kinds = [
  ["gnss", gnssPanel],
  ["radio", radioPanel],
  ["pulses", pulsePanel],
];

export function showSignals(status) {
  const sections = [];
  const names = new Set();
  const heard = (status.sources || [])
    .map(s => [s, kinds.findIndex(([key]) => s.signal[key])])
    .filter(([, kind]) => kind >= 0);
  for (const [s, kind] of heard.sort((a, b) => a[1] - b[1])) {
    const make = kinds[kind][1];
    names.add(s.name);
    const text = JSON.stringify([s.driver, s.signal]);
    const old = drawn.get(s.name);
    if (!old || old.text !== text) drawn.set(s.name, { text, section: make(s) });
    sections.push(drawn.get(s.name).section);
  }
  for (const name of drawn.keys()) if (!names.has(name)) drawn.delete(name);
  const box = $("signals");
  if (sections.length !== box.children.length || sections.some((n, i) => n !== box.children[i]))
    box.replaceChildren(...sections);
  box.hidden = sections.length === 0;
}
