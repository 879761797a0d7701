// Who looks at the page: the login, and orders to the station.
import { $, el, sentence } from "./dom.js";

const ranks = ["view", "operate", "admin"];
let session = { orders: false, closed: false };
const listeners = [];

export const onSession = f => listeners.push(f);
export const may = role => session.role !== undefined && ranks.indexOf(session.role) >= ranks.indexOf(role);

function set(s) {
  session = s;
  $("who").textContent = s.name ? `${s.name} (${s.role})` : "";
  $("login").hidden = !s.orders;
  $("login").textContent = s.name ? "Log out" : "Log in";
  listeners.forEach(f => f(s));
}

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(8000),
  });
  const answer = await response.json().catch(() => ({ error: `the station answered ${response.status}` }));
  if (!response.ok) {
    if (response.status === 401) refresh();
    throw new Error(answer.error || `the station answered ${response.status}`);
  }
  return answer;
}
export const order = post;

export async function refresh() {
  try {
    const response = await fetch("api/session", { signal: AbortSignal.timeout(5000) });
    set(await response.json());
  } catch {
    /* asked again when it matters */
  }
}

// askToLogIn opens the form; unasked, as the page does that may show nothing, only until somebody closes it.
let declined = false;
export function askToLogIn(unasked) {
  if ($("login-box").open || (unasked && declined)) return;
  $("login-box").showModal();
  $("token").focus();
}

export function startSession() {
  $("login").addEventListener("click", async () => {
    if (!session.name) return askToLogIn();
    set(await post("api/logout", {}).catch(() => session));
    if (session.closed) location.reload(); // what stands on the page is no longer for everybody to see
  });
  $("login-cancel").addEventListener("click", () => $("login-box").close());
  $("login-box").addEventListener("close", () => {
    declined = true;
    $("token").value = "";
    $("login-error").textContent = "";
  });
  $("login-form").addEventListener("submit", async event => {
    event.preventDefault();
    const token = $("token").value;
    $("token").value = "";
    try {
      set(await post("api/login", { token }));
      $("login-box").close();
    } catch (error) {
      $("login-error").textContent = sentence(error.message);
      $("token").focus();
    }
  });
  refresh();
}

export const failure = (error, place) => place.replaceChildren(el("span", { class: "wrong" }, sentence(error.message)));
