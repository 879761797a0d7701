// The keeper measures how far this device's clock is from the station's, as NTP does (RFC 5905, section 8): each answer of
// /api/time lies between two readings of our own, the quickest of the last few is believed, and the bound is the station's
// own, half the round trip of that one, the grain of our clock, and what our oscillator may have drifted since.

const remembered = 16,
  enough = 8;
const drift = 100e-6; // what the oscillator of a phone or a computer may be off
const burstEvery = 0.25,
  calmEvery = 2; // seconds between exchanges: until there are enough, and then
const patience = 600; // seconds without contact until the clock is no longer shown

const own = () => performance.now() / 1000;

// grain is the step of performance.now, which browsers make coarse on purpose.
function grain() {
  let smallest = Infinity,
    last = performance.now();
  for (const until = last + 20; last < until;) {
    const now = performance.now();
    if (now > last) smallest = Math.min(smallest, now - last);
    last = now;
  }
  return isFinite(smallest) ? smallest / 1000 : 1e-3;
}

export class Keeper {
  constructor() {
    this.exchanges = [];
    this.grain = grain();
    this.heard = null; // by our own clock
    this.refused = false; // a token is wanted
    this.run();
  }

  async run() {
    for (;;) {
      let fine = false;
      try {
        fine = await this.ask();
      } catch {
        /* no contact; the bound says so */
      }
      const every = fine && this.exchanges.length < enough ? burstEvery : fine ? calmEvery : 2;
      await new Promise(r => setTimeout(r, every * 1000));
    }
  }

  async ask() {
    const t1 = own();
    const response = await fetch("api/time", { signal: AbortSignal.timeout(3000), cache: "no-store" });
    const t4 = own();
    this.refused = response.status === 401;
    if (!response.ok) return false;
    const answer = await response.json();
    this.heard = t4;
    this.answer = answer;
    if (answer.receive_tai_seconds === undefined) {
      // it does not know the time
      this.exchanges = [];
      return true;
    }
    const t2 = answer.receive_tai_seconds,
      t3 = answer.transmit_tai_seconds;
    const e = { at: t4, offset: (t2 - t1 + (t3 - t4)) / 2, half: (t4 - t1 - (t3 - t2)) / 2 };
    // A device that slept, or a station that was corrected: what was measured before no longer holds.
    const best = this.best();
    if (
      best &&
      Math.abs(best.offset - e.offset) > this.spread(best, t4) + e.half + 2 * (answer.max_error_seconds || 0) + 2e-3
    )
      this.exchanges = [];
    this.exchanges = [...this.exchanges, e].slice(-remembered);
    return true;
  }

  // tell passes on what was heard in another way, sooner than by the next exchange.
  tell(state, maxError) {
    if (this.answer) Object.assign(this.answer, { state, max_error_seconds: maxError });
  }

  spread(e, now) {
    return e.half + this.grain + drift * (now - e.at);
  }

  best(now = own()) {
    let best = null;
    for (const e of this.exchanges) if (!best || this.spread(e, now) < this.spread(best, now)) best = e;
    return best;
  }

  // reading is what time it is: null before that is known. tai is in seconds; silence is how long there was no contact.
  reading() {
    const now = own(),
      best = this.best(now);
    if (!best || !this.answer) return null;
    const silence = now - this.heard;
    const a = this.answer;
    const link = this.spread(best, now);
    return {
      tai: now + best.offset,
      silence,
      link,
      bound: (a.max_error_seconds || 0) + link,
      known: a.state !== "unsynchronised" && silence < patience,
      state: silence < patience ? a.state : "unsynchronised",
      answer: a,
    };
  }

  // civil gives the fields of a second of TAI: in UTC, and in the station's zone.
  civil(tai) {
    const a = this.answer;
    let minus = a.tai_minus_utc_seconds,
      leap = false;
    if (a.leap_at_tai_seconds !== undefined && tai >= a.leap_at_tai_seconds) {
      const step = a.next_tai_minus_utc_seconds - minus;
      leap = step > 0 && tai < a.leap_at_tai_seconds + 1;
      minus = a.next_tai_minus_utc_seconds;
    }
    const unix = Math.floor(tai - minus + 1e-7);
    const z = a.zone;
    const next = z.next_at !== undefined && unix >= Date.parse(z.next_at) / 1000;
    const offset = next ? z.next_offset_seconds || 0 : z.offset_seconds;
    // Within 23:59:60 the count of 23:59:59 is repeated.
    return {
      unix,
      leap,
      utc: fields(unix, leap),
      local: fields(unix + offset, leap),
      zone: next ? z.next_abbreviation : z.abbreviation,
    };
  }
}

function fields(unix, leap) {
  const d = new Date(unix * 1000);
  return { date: d, hour: d.getUTCHours(), minute: d.getUTCMinutes(), second: leap ? 60 : d.getUTCSeconds() };
}
