// The page: live by server-sent events, and by asking every few seconds where those do not come.
import { $, within, once, age, kindOf } from "./dom.js";
import { Keeper } from "./keeper.js";
import { Clock } from "./clock.js";
import { OnAir } from "./onair.js";
import { strip, sourcesThatAgree } from "./strip.js";
import { showSources } from "./sources.js";
import { showSignals } from "./signals.js";
import { showAlerts } from "./alerts.js";
import { showListeners, loadClients } from "./clients.js";
import { History } from "./history.js";
import { startSession, onSession, askToLogIn } from "./session.js";

const keeper = new Keeper();
new Clock($("face"), keeper);
const onAir = new OnAir(keeper);
const history = new History($("history"), () => keeper.reading());
let status = null,
  heard = performance.now(),
  lastState = null;

// local writes a moment in the station's zone.
let zoned = null;
function local(ms) {
  try {
    if (!zoned || zoned.zone !== status.timezone)
      zoned = {
        zone: status.timezone,
        format: new Intl.DateTimeFormat("en-GB", {
          timeZone: status.timezone,
          dateStyle: "medium",
          timeStyle: "short",
        }),
      };
    return zoned.format.format(ms);
  } catch {
    // "Local" is no name that a browser knows
    return new Date(ms + 1000 * (status.zone ? status.zone.offset_seconds : 0))
      .toISOString()
      .slice(0, 16)
      .replace("T", " ");
  }
}

const showSentence = once(({ text }) => {
  $("sentence").textContent = text;
});

function sentenceOf(s) {
  if (s.state === "unsynchronised") return `The time is not known: ${s.reason || "no source is heard"}.`;
  const agree = sourcesThatAgree(s);
  const who =
    agree.length > 1
      ? `${agree.slice(0, -1).join(", ")} and ${agree.at(-1)} agree`
      : `${s.selected || "One source"} gives the time`;
  if (s.state === "holdover")
    return `No source is heard; the oscillator carries the time, within ${within(s.max_error_seconds)}${s.reason ? `: ${s.reason}` : ""}.`;
  return `${who}. The time is right within ${within(s.max_error_seconds)}${s.reason ? `; ${s.reason}` : ""}.`;
}

function show(s) {
  status = s;
  heard = performance.now();
  keeper.tell(s.state, s.max_error_seconds);
  document.title = (s.state === "synchronised" ? "" : s.state === "holdover" ? "▲ " : "■ ") + s.name;
  $("name").textContent = s.name;
  $("place").textContent = s.timezone === "Local" ? (s.zone ? s.zone.abbreviation : "") : s.timezone;
  $("version").textContent = s.version;
  showSentence({ text: (s.demonstration ? "Demonstration, a recording plays: " : "") + sentenceOf(s) });
  if (lastState !== null && lastState !== s.state) $("state-news").textContent = sentenceOf(s);
  lastState = s.state;
  document.body.dataset.state = kindOf[s.state];
  showSources(s);
  showAlerts(s, local);
  showSignals(s);
  showListeners(s);
  everySecond();
}

const contact = once(text => {
  $("contact").hidden = !text;
  $("contact").textContent = text || "";
});

function everySecond() {
  const reading = keeper.reading();
  strip(status, reading);
  const silent = (performance.now() - heard) / 1000;
  // Not a figure that changes: whoever hears the page read out would hear it every second.
  contact(
    silent > 5
      ? `No contact with the station${silent > 60 ? ` for ${age(60 * Math.floor(silent / 60))}` : ""}. ` +
          (reading && reading.known
            ? "The clock goes on by this device; what else stands here is old."
            : "What stands here is old.")
      : "",
  );
}

// live listens for events; poll asks where none come.
let source = null;
function live() {
  if (source) return;
  source = new EventSource("api/events");
  source.addEventListener("status", event => show(JSON.parse(event.data)));
  source.addEventListener("studio", event => onAir.hear(JSON.parse(event.data)));
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
    source = null;
    setTimeout(live, 30000);
  };
}

async function poll() {
  if (performance.now() - heard < 3500 && status) return;
  try {
    const response = await fetch("api/status", { signal: AbortSignal.timeout(3000) });
    if (response.status === 401) {
      heard = performance.now(); // it is there, and wants a token
      return askToLogIn(true);
    }
    if (response.ok) {
      show(await response.json());
      onAir.ask();
    }
  } catch {
    /* the banner says so */
  }
}

startSession();
onSession(s => {
  if (s.closed && !s.role) return askToLogIn(true);
  live();
  keeper.ask().catch(() => {
    /* it asks again by itself */
  });
  history.load();
  if (status) loadClients(status);
});
live();
poll();
setInterval(everySecond, 1000);
setInterval(poll, 2000);
setInterval(() => {
  if (status && !document.hidden) loadClients(status);
}, 5000);
setTimeout(() => {
  if (status) loadClients(status);
}, 1200);
everySecond();
