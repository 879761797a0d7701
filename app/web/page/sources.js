// The sources: how far each is from the station's time, with its error bar, on one scale for all, and the decision.
import { $, el, svg, shape, kindOf, amount, within, once, age } from "./dom.js";

const width = 400,
  height = 30,
  middle = width / 2;

// scaleOf squeezes nanoseconds and seconds into one picture: about linear near 0, logarithmic beyond.
function scaleOf(sources) {
  const heard = sources.filter(s => s.age_seconds >= 0);
  const reach = Math.max(1e-8, ...heard.map(s => Math.abs(s.offset_seconds) + s.max_error_seconds));
  const finest = Math.max(1e-9, Math.min(reach / 10, ...heard.map(s => s.max_error_seconds)));
  const whole = Math.asinh(reach / finest) * 1.06;
  return { reach, finest, x: v => middle + (Math.asinh(v / finest) / whole) * (middle - 8) };
}

function bar(s, scale) {
  const kind = kindOf[s.state] || "absent";
  const [low, at, high] = [
    s.offset_seconds - s.max_error_seconds,
    s.offset_seconds,
    s.offset_seconds + s.max_error_seconds,
  ].map(scale.x);
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, class: "bar " + kind, "aria-hidden": "true", preserveAspectRatio: "none" },
    svg("line", { x1: middle, x2: middle, y1: 0, y2: height, class: "axis" }),
    svg("line", { x1: low, x2: high, y1: height / 2, y2: height / 2, class: "reach" }),
    svg("line", { x1: low, x2: low, y1: 8, y2: height - 8, class: "end" }),
    svg("line", { x1: high, x2: high, y1: 8, y2: height - 8, class: "end" }),
    svg("line", { x1: at, x2: at, y1: 5, y2: height - 5, class: "dot" }),
  );
}

const drivers = {
  gps: "GPS",
  dcf77: "DCF77",
  msf60: "MSF",
  wwvb: "WWVB",
  jjy: "JJY",
  pps: "pulse",
  "pps-gpio": "pulse",
  gpsd: "gpsd",
  upstream: "NTP",
  sock: "chrony SOCK",
  shm: "shared memory",
  replay: "recording",
};

export function kindOfSource(s) {
  const g = s.signal.gnss,
    n = s.signal.server,
    r = s.signal.radio,
    parts = [drivers[s.driver] || s.driver];
  if (g && g.satellites_used) parts.push(`${g.satellites_used} satellites`);
  if (n) parts.push(n.authenticated ? n.protection || "authenticated" : "not authenticated");
  if (r && r.confidence > 0) parts.push(`odds against wrong 10${superscript(Math.floor(r.confidence))}`);
  return parts.join(", ");
}

export const superscript = n =>
  String(n)
    .replace(/-/g, "⁻")
    .replace(/\d/g, d => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]);

const draw = once(({ sources }) => {
  if (!sources.length) {
    $("sources").replaceChildren(el("p", { class: "quiet" }, "There is no source."));
    return;
  }
  const scale = scaleOf(sources);
  // The scale is not a ruler: what lies between is named too.
  const named = [1e-6, 1e-3, 1]
    .filter(
      v =>
        v > 2 * scale.finest && scale.x(scale.reach) - scale.x(v) > width * 0.18 && scale.x(v) - middle > width * 0.08,
    )
    .slice(-1);
  const ticks = [...named.flatMap(v => [-v, v]), -scale.reach, 0, scale.reach].map(v => {
    const tick = el(
      "span",
      { class: v === -scale.reach ? "first" : v === scale.reach ? "last" : null },
      v ? amount(v, true).replace(".00", "") : "0",
    );
    if (Math.abs(v) !== scale.reach) tick.style.left = (100 * scale.x(v)) / width + "%";
    return tick;
  });
  $("sources").replaceChildren(
    ...[
      sources.some(s => s.age_seconds >= 0) && el("div", { class: "scale", "aria-hidden": "true" }, ticks),
      el(
        "ul",
        { class: "plain sources" },
        sources.map(s => {
          const kind = kindOf[s.state] || "absent",
            heard = s.age_seconds >= 0;
          return el(
            "li",
            { class: kind },
            el("span", { class: "source" }, shape(kind), el("b", {}, s.name)),
            el("span", { class: "kind" }, kindOfSource(s)),
            el("span", { class: "word" }, s.state === "silent" && heard ? "silent for " + age(s.age_seconds) : s.state),
            el(
              "span",
              { class: "figure" },
              heard ? amount(s.offset_seconds, true) : "–",
              el("small", {}, heard ? within(s.max_error_seconds) : ""),
            ),
            el("span", { class: "drawn" }, heard ? bar(s, scale) : ""),
            el("span", { class: "why" }, s.explanation),
          );
        }),
      ),
    ].filter(Boolean),
  );
});

export function showSources(status) {
  // Ages run on every second, but only a silent source's is shown.
  draw({
    sources: (status.sources || []).map(s => ({
      ...s,
      age_seconds: s.state === "silent" || s.age_seconds < 0 ? s.age_seconds : 0,
      samples: 0,
      phase_seconds: 0,
      signal: {
        gnss: s.signal.gnss && { satellites_used: s.signal.gnss.satellites_used },
        server: s.signal.server && {
          authenticated: s.signal.server.authenticated,
          protection: s.signal.server.protection,
        },
        radio: s.signal.radio && { confidence: s.signal.radio.confidence },
      },
    })),
  });
  $("vote").textContent = [status.vote, status.unseen]
    .filter(Boolean)
    .map(t => t.replace(/[^.!?]$/, "$&."))
    .join(" ");
}
