import { $ } from "./dom.js";
import { Keeper } from "./keeper.js";
import { Clock } from "./clock.js";
import { strip } from "./strip.js";

const keeper = new Keeper();
new Clock($("face"), keeper);
setInterval(() => strip(null, keeper.reading()), 1000);

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
