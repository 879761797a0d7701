// Who asks, and where the station answers.
import { $, el, grouped, once, age } from "./dom.js";

const shown = 25;

const draw = once(({ clients, now, offset }) => {
  $("clients").replaceChildren(
    ...clients.clients
      .slice(0, shown)
      .map(c =>
        el(
          "tr",
          {},
          el("th", { scope: "row" }, c.address),
          ...[c.requests, c.answered, c.authenticated, c.refused].map((n, i) =>
            el("td", { class: "n", title: i === 3 && c.last_refused ? "last: " + c.last_refused : null }, grouped(n)),
          ),
          el("td", {}, now ? age(Math.max(0, now - c.last_seen_local_ns / 1e9 - offset)) + " ago" : "–"),
        ),
      ),
  );
  if (!clients.clients.length)
    $("clients").replaceChildren(el("tr", {}, el("td", { colspan: 6, class: "quiet" }, "Nobody has asked yet.")));
  const refused = Object.entries(clients.refused || {})
    .filter(([, n]) => n)
    .sort((a, b) => b[1] - a[1]);
  $("pace").textContent =
    `${clients.requests_per_second.toFixed(clients.requests_per_second < 10 ? 1 : 0)} requests a second from ${grouped(clients.known)} ${clients.known === 1 ? "address" : "addresses"}` +
    (refused.length ? "; met with silence: " + refused.map(([why, n]) => `${why} ${grouped(n)}`).join(", ") : "") +
    ".";
});

export async function loadClients(status) {
  try {
    const response = await fetch("api/clients", { signal: AbortSignal.timeout(5000) });
    if (response.ok)
      draw({
        clients: await response.json(),
        now: status.utc ? Date.parse(status.utc.slice(0, 19) + "Z") / 1000 : null,
        offset: status.offset_seconds || 0,
      });
  } catch {
    /* the next one */
  }
}

const drawListeners = once(list => {
  $("listeners").replaceChildren(
    ...list.map(l =>
      el(
        "li",
        {},
        el("p", {}, el("b", {}, "NTP " + l.address)),
        el(
          "p",
          { class: "quiet" },
          `${grouped(l.requests)} requests, ${grouped(l.answered)} answered, ${grouped(l.authenticated)} with a key` +
            (l.nts ? `, ${grouped(l.nts)} under NTS` : "") +
            (l.interleaved ? `, ${grouped(l.interleaved)} interleaved` : "") +
            (l.receive_stamps
              ? `; time stamps by the ${l.receive_stamps === l.transmit_stamps || !l.transmit_stamps ? l.receive_stamps : `${l.receive_stamps} and ${l.transmit_stamps}`}`
              : "") +
            ".",
        ),
      ),
    ),
  );
  if (!list.length)
    $("listeners").replaceChildren(el("li", { class: "quiet" }, "It serves nobody: there is no listener."));
});

export const showListeners = status => drawListeners(status.listeners || []);
