import { $ } from "./dom.js";
import { Keeper } from "./keeper.js";
import { Clock } from "./clock.js";
import { OnAir } from "./onair.js";
import { strip } from "./strip.js";

const keeper = new Keeper();
new Clock($("face"), keeper);
setInterval(() => strip(null, keeper.reading()), 1000);

// The lights come as events, and are asked for where those do not come.
const onAir = new OnAir(keeper);
let source = null;
function live() {
  source = new EventSource("api/events?studio");
  source.addEventListener("studio", event => onAir.hear(JSON.parse(event.data)));
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
    source = null;
    setTimeout(live, 30000);
  };
}
live();
setInterval(() => {
  if (!source) onAir.ask();
}, 2000);

document.addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else
    document.documentElement.requestFullscreen?.().catch(() => {
      /* the browser does not want to */
    });
});

// A wall must not go dark; where the browser cannot promise that (it wants HTTPS), its own settings have to.
async function stayAwake() {
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    /* refused */
  }
}
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) stayAwake();
});
stayAwake();

let still;
document.addEventListener("mousemove", () => {
  document.body.classList.remove("still");
  clearTimeout(still);
  still = setTimeout(() => document.body.classList.add("still"), 3000);
});
