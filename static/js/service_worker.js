/**
 * Shows what the server pushes, with Hopps closed too, and takes it back. Served at /service-worker.js.
 *
 * What is pushed is `hopps.push.Notification`. Checked by tsconfig.worker.json: a worker's world is not a page's.
 */

/**
 * @typedef {object} Pushed
 * @property {"show" | "close"} kind
 * @property {string} tag
 * @property {string} title
 * @property {string} body
 * @property {string} url
 */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const ICON = "/static/icons/app-192.png";
const SUBSCRIBE = "/expert/push/subscribe/";

// A new worker mends the old one's mistakes at once: it keeps nothing that two versions could disagree about.
worker.addEventListener("install", () => void worker.skipWaiting());

worker.addEventListener("push", (event) => {
  const pushed = read(event.data);
  if (!pushed) return;
  event.waitUntil(pushed.kind === "close" ? takeBack(pushed.tag) : display(pushed));
});

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(addressOf(event.notification.data?.url)));
});

worker.addEventListener("pushsubscriptionchange", (event) => {
  // Not in every browser's event, though in the standard: what was, and what took its place.
  const { oldSubscription, newSubscription } = /** @type {Partial<PushSubscriptionChangeEvent>} */ (event);
  /** @type {ExtendableEvent} */ (event).waitUntil(subscribeAgain(oldSubscription ?? null, newSubscription ?? null));
});

/**
 * Return what was pushed, or null where it makes no sense.
 * @param {PushMessageData | null} data
 * @returns {Pushed | null}
 */
function read(data) {
  let told;
  try {
    told = data?.json();
  } catch {
    return null;
  }
  if (typeof told !== "object" || told === null) return null;
  const { kind, tag, title = "", body = "", url = "" } = told;
  if ((kind !== "show" && kind !== "close") || typeof tag !== "string" || !tag) return null;
  if (typeof title !== "string" || typeof body !== "string" || typeof url !== "string") return null;
  if (kind === "show" && !title) return null;
  return { kind, tag, title, body, url };
}

/** @param {Pushed} pushed */
function display({ tag, title, body, url }) {
  // `renotify` is not in TypeScript's list; browsers that do not know it leave it aside.
  const options = { tag, body, icon: ICON, data: { url }, requireInteraction: true, renotify: true };
  return worker.registration.showNotification(title, options);
}

/** @param {string} tag */
async function takeBack(tag) {
  for (const shown of await worker.registration.getNotifications({ tag })) shown.close();
  const subscription = await worker.registration.pushManager.getSubscription();
  // Apple ends a subscription after a few pushes that show nothing.
  if (!subscription || !new URL(subscription.endpoint).hostname.endsWith(".push.apple.com")) return;
  await worker.registration.showNotification("No longer open", { tag, body: "The request was taken or called off.", silent: true });
}

/**
 * Return the address on this site that a notification leads to: never to another site, and the board where it says none.
 * @param {unknown} url
 */
function addressOf(url) {
  const fallback = new URL("/expert/", worker.location.origin);
  if (typeof url !== "string" || !url) return fallback;
  try {
    const { pathname, search } = new URL(url, worker.location.origin);
    return new URL(pathname + search, worker.location.origin);
  } catch {
    return fallback;
  }
}

/**
 * Bring the page at `address` to the front, or open it.
 * @param {URL} address
 */
async function open(address) {
  const tabs = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = tabs.find((tab) => new URL(tab.url).pathname === address.pathname);
  await (there ? there.focus() : worker.clients.openWindow(address.href));
}

/**
 * The browser's maker gave it another address. Where the person is signed out, the page asks them again.
 * @param {PushSubscription | null} old
 * @param {PushSubscription | null} fresh
 */
async function subscribeAgain(old, fresh) {
  const asked = await fetch(SUBSCRIBE, { headers: { Accept: "application/json" } });
  if (!asked.ok || asked.redirected) return;
  const { key, token } = await asked.json();
  if (!key) return;
  const subscription =
    fresh ?? (await worker.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  await fetch(SUBSCRIBE, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token, Accept: "application/json" },
    body: JSON.stringify({ ...subscription.toJSON(), replaces: old?.endpoint }),
  });
}
