"use strict";
// The page keeps its own offset to the station, measured over the connection it came by, and never shows a second that
// the station did not draw: each face is fetched ahead of its second and put up when that second comes.

const $ = id => document.getElementById(id);
const local = () => performance.timeOrigin + performance.now(); // ms, not stepped while the page lives

let offset = null;   // station UTC − local(), ms
let bound = Infinity; // half the round trip of the measurement it came from, ms
let heard = 0;       // local() of the last answer

async function poll() {
  const sent = performance.now();
  const answer = await fetch("api/status", { signal: AbortSignal.timeout(3000) });
  const received = performance.now();
  const status = await answer.json();
  heard = local();
  if (status.utc) {
    const half = (received - sent) / 2;
    const leap = status.utc.slice(17, 19) === "60";
    const utc = Date.parse(leap ? status.utc.slice(0, 17) + "59" + status.utc.slice(19) : status.utc);
    // A wider measurement replaces a tighter one only slowly: the browser's own clock drifts.
    bound += 0.05;
    if (half <= bound) [offset, bound] = [utc - (performance.timeOrigin + sent + half), half];
  }
  show(status);
}

function duration(seconds) {
  const s = Math.abs(seconds), sign = seconds < 0 ? "−" : "";
  if (s >= 1) return sign + s.toFixed(2) + " s";
  if (s >= 1e-3) return sign + (s * 1e3).toFixed(s >= 0.1 ? 0 : 1) + " ms";
  return sign + (s * 1e6).toFixed(1) + " µs";
}

function row(cells) {
  const tr = document.createElement("tr");
  for (const [text, cls] of cells) {
    const td = document.createElement("td");
    td.textContent = text;
    if (cls) td.className = cls;
    tr.append(td);
  }
  return tr;
}

function show(s) {
  document.title = s.name;
  $("name").textContent = s.name;
  $("version").textContent = s.version;
  $("page-bound").textContent = bound < 1e6 ? "±" + duration(bound / 1e3) : "…";
  $("sentence").textContent = (s.demonstration ? "Demonstration: a receiver recording plays. " : "") +
    (s.state === "unsynchronised" ? "The time is not known: " + s.reason + "." :
      `${s.selected} gives the time within ±${duration(s.max_error_seconds)}` + (s.reason ? `; ${s.reason}.` : "."));
  $("alerts").replaceChildren(...(s.alerts || []).map(a => {
    const li = document.createElement("li"), mend = document.createElement("small");
    li.className = a.severity;
    li.textContent = a.text;
    mend.textContent = a.mend || "";
    li.append(mend);
    return li;
  }));
  $("sources").replaceChildren(...(s.sources || []).map(x => row(x.age_seconds < 0 ?
    [[x.name], [x.state, x.state], ["–", "n"], ["–", "n"], ["–", "n"], [x.explanation]] :
    [[x.name], [x.state, x.state], [duration(x.offset_seconds), "n"], [duration(x.jitter_seconds), "n"],
      ["±" + duration(x.max_error_seconds), "n"], [x.explanation]])));
  $("listeners").replaceChildren(...(s.listeners || []).map(l => row([[l.address], [l.requests, "n"], [l.answered, "n"], [l.authenticated, "n"],
    [Object.entries(l.dropped || {}).filter(([, n]) => n).map(([why, n]) => `${why} ${n}`).join(", ") || "nothing"]])));
}

async function pollForever() {
  for (;;) {
    try { await poll(); } catch { /* shown by the clock below */ }
    await new Promise(r => setTimeout(r, offset === null || bound > 20 ? 500 : 2000));
  }
}

// drawForever fetches the coming second's face and waits for that second.
async function drawForever() {
  for (;;) {
    const begun = local();
    try {
      const box = $("face").getBoundingClientRect();
      const size = `width=${Math.max(160, Math.round(box.width))}&height=${Math.max(160, Math.round(box.height))}`;
      const known = offset !== null;
      const answer = await fetch(`face.svg?${size}&in=${known ? 1 : 0}`, { signal: AbortSignal.timeout(3000) });
      if (!answer.ok) throw new Error(answer.status);
      const svg = await answer.text();
      heard = local();
      if (known) await new Promise(r => setTimeout(r, 1000 - ((local() + offset) % 1000)));
      $("face").innerHTML = svg;
    } catch { /* shown below */ }
    const late = local() - heard > 4000;
    $("contact").hidden = !late;
    $("face").classList.toggle("stale", late);
    // Ask for the next one well inside the second, so that «the next» is not in doubt.
    const rest = offset === null ? 500 : (1300 - ((local() + offset) % 1000)) % 1000;
    await new Promise(r => setTimeout(r, Math.max(100, rest, late ? 1000 - (local() - begun) : 0)));
  }
}

pollForever();
drawForever();
