// What people put on the wall beside the time: the on-air lights, and the most important message.
import { $, el, once, shape } from "./dom.js";

const patience = 15000; // ms: the station says it every 5 s, and more often when it changes
const two = n => String(n).padStart(2, "0");

// ink is what can be read on a colour: black or white, whichever has the greater contrast (WCAG 2, relative luminance).
function ink(colour) {
  const [r, g, b] = [1, 3, 5].map(i => {
    const v = parseInt(colour.slice(i, i + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
}

function lasts(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  return (s < 3600 ? "" : Math.floor(s / 3600) + ":") + two(Math.floor(s / 60) % 60) + ":" + two(s % 60);
}

export class OnAir {
  constructor(keeper) {
    Object.assign(this, { keeper, studio: null, heard: -Infinity, clocks: [] });
    this.drawLights = once(lights => this.draw(lights));
    this.drawMessage = once(message => {
      const line = $("message");
      line.hidden = !message;
      if (!message) return line.replaceChildren();
      const kind = { urgent: "bad", warning: "warn" }[message.priority] || "info";
      line.className = "message " + kind;
      const more = message.more ? ` (+${message.more} more)` : "";
      line.replaceChildren(shape(kind), el("span", {}, message.text + more));
    });
    setInterval(() => this.tick(), 1000);
  }

  hear(studio) {
    this.studio = studio;
    this.heard = performance.now();
    this.tick();
  }

  // ask is for where no events come.
  async ask() {
    try {
      const response = await fetch("api/studio", { signal: AbortSignal.timeout(3000) });
      if (response.ok) this.hear(await response.json());
    } catch {
      /* that nothing was heard is shown */
    }
  }

  // A lamp that may be wrong is worse than none: what was not heard lately is not shown as lit or dark.
  tick() {
    if (!this.studio) return;
    const stale = performance.now() - this.heard > patience;
    this.drawLights(this.studio.lights.filter(l => l.name).map(l => ({ ...l, unknown: stale })));
    const all = stale ? [] : this.studio.messages || [];
    this.drawMessage(all.length ? { ...all[0], more: all.length - 1 } : null);
    const now = this.keeper.reading();
    for (const { node, since } of this.clocks) node.textContent = now && now.known ? lasts(now.tai - since) : "";
  }

  draw(lights) {
    this.clocks = [];
    const box = $("lights");
    box.hidden = lights.length === 0;
    box.replaceChildren(
      ...lights.map(l => {
        const on = l.on && !l.unknown;
        const state = l.unknown ? "no contact" : on ? "on" : "off";
        const look = `light ${on ? "lit" : ""} ${on && l.blink ? "blink" : ""}`;
        const light = el("li", { class: look }, el("span", {}, l.name));
        light.dataset.state = state;
        if (on) {
          light.style.setProperty("--light", l.colour);
          light.style.setProperty("--on-light", ink(l.colour));
        }
        light.append(el("span", { class: l.unknown ? "small" : "unseen" }, " " + state));
        if (on && l.timed && l.since) {
          const node = el("span", { class: "since", "aria-hidden": "true" });
          this.clocks.push({ node, since: l.since.tai_ns / 1e9 });
          light.append(node);
        }
        return light;
      }),
    );
    const text = lights
      .filter(l => l.on || l.unknown)
      .map(l => `${l.name} ${l.unknown ? "unknown" : "on"}`)
      .join(", ");
    $("light-news").textContent = text || (lights.length ? "All lights off" : "");
  }
}
