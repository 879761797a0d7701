// The trust strip: the state in colour, shape and word, and the figures that it rests on.
import { $, el, shape, kindOf, within, once, age } from "./dom.js";

const words = {
  synchronised: "Synchronised",
  holdover: "Holdover",
  unsynchronised: "Time not known",
  starting: "Asking the station",
};

const drawState = once(({ kind, text }) => {
  $("strip-state").className = "state " + kind;
  $("strip-state").replaceChildren(shape(kind), el("span", {}, text));
  document.querySelector("footer").className = kind;
});

const drawFigures = once(figures =>
  $("strip").replaceChildren(...figures.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
);

export function satellites(status) {
  let used = 0,
    seen = 0,
    any = false;
  for (const s of status.sources || [])
    if (s.signal.gnss) {
      any = true;
      used = Math.max(used, s.signal.gnss.satellites_used);
      seen = Math.max(seen, (s.signal.gnss.satellites || []).length);
    }
  return any ? `${used} of ${seen}` : null;
}

export function sourcesThatAgree(status) {
  return (status.sources || []).filter(s => s.state === "selected" || s.state === "agreeing").map(s => s.name);
}

// strip shows a status, which may be null, and this device's own reading.
export function strip(status, reading) {
  const state = status ? status.state : reading ? reading.state : "starting";
  const agree = status ? sourcesThatAgree(status) : [];
  let text = words[state];
  if (state === "synchronised" && agree.length > 1 && agree.length < 4)
    text = agree.slice(0, -1).join(", ") + " and " + agree.at(-1) + " agree";
  else if (state === "synchronised" && agree.length >= 4) text = `${agree.length} sources agree`;
  else if (state === "synchronised" && status && status.selected) text = `${status.selected} gives the time`;
  if (status && status.demonstration) text = "Demonstration: " + text;
  drawState({ kind: kindOf[state] || "absent", text });
  const figures = [];
  if (status) {
    figures.push(["station", state === "unsynchronised" ? "unknown" : within(status.max_error_seconds)]);
    const sky = satellites(status);
    if (sky) figures.push(["satellites", sky]);
    figures.push(["stratum", String(status.stratum)], ["leap", status.leap]);
  }
  figures.push(["this screen", reading && reading.known ? within(reading.bound) : "unknown"]);
  if (reading && reading.silence > 15) figures.push(["no contact for", age(reading.silence)]);
  drawFigures(figures);
}
