// The studio clock: sixty dots, seven-segment digits, the date and the zone. It is drawn once and then only switched.
import { svg } from "./dom.js";

// The segments a to g of a digit that is 100 wide and 180 high, and which of them each digit lights.
const thick = 19,
  slant = 6;
const segments = (() => {
  const t = thick,
    h = t / 2,
    w = 100,
    m = 90,
    e = 180,
    g = 2.2;
  const across = y => [
    [h + g, y],
    [t + g, y - h],
    [w - t - g, y - h],
    [w - h - g, y],
    [w - t - g, y + h],
    [t + g, y + h],
  ];
  const upright = (x, from, to) => [
    [x, from + g],
    [x + h, from + h + g],
    [x + h, to - h - g],
    [x, to - g],
    [x - h, to - h - g],
    [x - h, from + h + g],
  ];
  return [
    across(h),
    upright(w - h, h, m),
    upright(w - h, m, e - h),
    across(e - h),
    upright(h, m, e - h),
    upright(h, h, m),
    across(m),
  ];
})();
const lit = ["abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg"].map(s =>
  [..."abcdefg"].map(c => s.includes(c)),
);

class Digit {
  constructor(parent, x, y, scale) {
    this.parts = segments.map(points =>
      svg("polygon", {
        class: "off",
        points: points
          .map(
            ([px, py]) => `${(x + scale * (px + (slant * (90 - py)) / 90)).toFixed(1)},${(y + scale * py).toFixed(1)}`,
          )
          .join(" "),
      }),
    );
    parent.append(...this.parts);
  }
  show(n) {
    this.parts.forEach((p, i) => p.setAttribute("class", n !== null && lit[n][i] ? "on" : "off"));
  }
}

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const two = n => String(n).padStart(2, "0");

function week(d) {
  // ISO 8601
  const thursday = new Date(
    Date.UTC(d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate() + 3 - ((d.getUTCDay() + 6) % 7)),
  );
  return 1 + Math.floor((thursday - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / 6048e5);
}

export class Clock {
  constructor(face, keeper) {
    Object.assign(this, { face, keeper, shown: undefined });
    const dot = (radius, i, of, r, cls) => {
      const a = (2 * Math.PI * i) / of;
      return svg("circle", {
        cx: (500 + radius * Math.sin(a)).toFixed(1),
        cy: (500 - radius * Math.cos(a)).toFixed(1),
        r,
        class: cls,
      });
    };
    this.dots = Array.from({ length: 60 }, (_, i) => dot(430, i, 60, 9.4, "off"));
    const hours = Array.from({ length: 12 }, (_, i) => dot(464, i, 12, 9.4, "on"));
    const digits = svg("g");
    this.digits = [
      [160, 330],
      [313, 330],
      [537, 330],
      [690, 330],
    ].map(([x, y]) => new Digit(digits, x, y, 1.3));
    this.seconds = [
      [402, 622],
      [508, 622],
    ].map(([x, y]) => new Digit(digits, x, y, 0.78));
    this.colon = [
      svg("circle", { cx: 493, cy: 411, r: 12, class: "on" }),
      svg("circle", { cx: 487, cy: 483, r: 12, class: "on" }),
    ];
    const text = (y, cls) => svg("text", { x: 500, y, class: cls });
    Object.assign(this, { date: text(236, "date"), zone: text(286, "zone"), utc: text(838, "utc") });
    this.strike = svg("path", { d: "M120 640 880 250", class: "strike" });
    face.replaceChildren(
      svg("g", { class: "ring" }, this.dots, hours),
      digits,
      ...this.colon,
      this.date,
      this.zone,
      this.utc,
      this.strike,
    );
    this.tick();
  }

  // tick draws the second that the frame which is painted next will fall into, and waits for the one after.
  tick() {
    const frame = 0.008;
    const now = this.keeper.reading();
    this.show(now, frame);
    const wait = now ? 1 - ((now.tai + frame) % 1) : 0.2;
    setTimeout(() => requestAnimationFrame(() => this.tick()), Math.max(4, wait * 1000 - 4));
    // A tab that is not seen gets no frames: it catches up when it is seen again.
  }

  show(now, ahead) {
    const state = now ? now.state : "starting";
    if (this.face.dataset.state !== state) this.face.dataset.state = state;
    if (!now) {
      [...this.digits, ...this.seconds].forEach(d => d.show(null));
      this.zone.textContent = this.keeper.refused ? "log in at the station's page first" : "waiting for the station";
      return;
    }
    const c = this.keeper.civil(now.tai + ahead);
    const key = c.unix + (c.leap ? "+" : "") + state + c.zone;
    if (key === this.shown) return;
    this.shown = key;
    const { hour, minute, second, date } = c.local;
    [Math.floor(hour / 10), hour % 10, Math.floor(minute / 10), minute % 10].forEach((n, i) => this.digits[i].show(n));
    [Math.floor(second / 10), second % 10].forEach((n, i) => this.seconds[i].show(n));
    this.dots.forEach((d, i) => d.setAttribute("class", i <= Math.min(second, 59) ? "on" : "off"));
    this.date.textContent = `${days[date.getUTCDay()]} ${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
    this.zone.textContent = now.known ? `${c.zone} · week ${week(date)}` : "the time is not known";
    this.utc.textContent = `UTC ${two(c.utc.hour)}:${two(c.utc.minute)}:${two(c.utc.second)}`;
    this.face.dataset.second = `${two(hour)}:${two(minute)}:${two(second)}`;
    const label =
      (now.known ? "" : "The time is not known; last it was ") +
      `${two(hour)}:${two(minute)} ${c.zone}, ${this.date.textContent}`;
    if (this.face.getAttribute("aria-label") !== label) this.face.setAttribute("aria-label", label);
  }
}
