// The alerts: those that stand, each with what to do, and the last ones that ended.
import { $, el, shape, kindOf, once, utc } from "./dom.js";
import { may, onSession, order, askToLogIn, failure } from "./session.js";

let standing = [],
  clock,
  known = null,
  canLogIn = false;

const name = a => (a.source ? `${a.code} ${a.source}` : a.code);
const stamp = text => (text && !text.startsWith("1970") ? clock(utc(text)) : "before the time was known");

function acknowledge(a, place) {
  const button = el(
    "button",
    {
      type: "button",
      "data-alert": name(a),
      onclick: async () => {
        if (!may("operate")) return askToLogIn();
        button.disabled = true;
        try {
          await order("api/alerts/ack", { code: a.code, source: a.source });
        } catch (error) {
          failure(error, place);
          button.disabled = false;
        }
      },
    },
    "Acknowledge",
    el("span", { class: "unseen" }, ` ${a.text}`),
  );
  return button;
}

// Of these a person may say that the new time is the right one.
const jumps = ["jump-latched", "source-jump"];

function acceptJump(a, place) {
  const accept = async () => {
    try {
      const answer = await order("api/accept-jump", { source: a.source });
      place.textContent = answer.done;
    } catch (error) {
      failure(error, place);
    }
  };
  const ask = () => {
    if (!may("admin")) return askToLogIn();
    $("jump-text").textContent = a.text;
    $("jump-box").onclose = () => {
      if ($("jump-box").returnValue === "accept") accept();
    };
    $("jump-box").returnValue = "";
    $("jump-box").showModal();
  };
  return el("button", { type: "button", "data-alert": "jump " + name(a), onclick: ask }, "Accept the new time…");
}

function item(a, ended) {
  const place = el("span", { class: "result", role: "status" });
  return el(
    "li",
    { class: ended ? "ended" : kindOf[a.severity] },
    shape(ended ? "absent" : kindOf[a.severity]),
    el(
      "div",
      {},
      el("p", {}, el("b", {}, a.text)),
      a.mend && el("p", { class: "quiet" }, "Mend: " + a.mend),
      el(
        "p",
        { class: "small" },
        `${a.severity} · ${name(a)} · since ${stamp(a.since)}`,
        ended && ` to ${stamp(a.cleared)}`,
        a.acknowledged_by && ` · seen by ${a.acknowledged_by}`,
      ),
      place,
    ),
    !ended && canLogIn && jumps.includes(a.code) && acceptJump(a, place),
    !ended && !a.acknowledged_by && canLogIn && acknowledge(a, place),
  );
}

const draw = once(({ list }) => {
  const focused = document.activeElement?.dataset?.alert;
  $("alerts").replaceChildren(
    ...(list.length
      ? list.map(a => item(a))
      : [el("li", { class: "none" }, shape("good"), el("div", {}, el("p", {}, "Nothing. No alert stands.")))]),
  );
  if (focused)
    (
      [...document.querySelectorAll("[data-alert]")].find(b => b.dataset.alert === focused) || $("alerts-title")
    ).focus?.();
});

const drawEnded = once(list => {
  $("ended-box").hidden = list.length === 0;
  $("ended").replaceChildren(...list.slice(0, 20).map(a => item(a, true)));
});

// showAlerts draws the alerts of a status; local writes a time of the station's zone.
export function showAlerts(status, local) {
  clock = local;
  standing = status.alerts || [];
  draw({ list: standing, role: may("operate"), canLogIn });
  const keys = new Set(standing.map(name));
  if (known !== null) {
    const fresh = standing.filter(a => !known.has(name(a)));
    const gone = [...known].filter(k => !keys.has(k));
    if (fresh.length) $("alert-news").textContent = fresh.map(a => `${a.severity} alert: ${a.text}`).join(" ");
    else if (gone.length) $("alert-news").textContent = `Ended: ${gone.join(", ")}.`;
    if (gone.length) loadEnded();
  } else loadEnded();
  known = keys;
}

async function loadEnded() {
  try {
    const response = await fetch("api/alerts", { signal: AbortSignal.timeout(5000) });
    if (response.ok) drawEnded((await response.json()).cleared || []);
  } catch {
    /* the next one that ends asks again */
  }
}

onSession(s => {
  canLogIn = s.orders;
  if (clock) draw({ list: standing, role: may("operate"), canLogIn });
});
