/** Times as people read them, and the server's time where the laptop's clock may be wrong. */

/**
 * Return `12:34`, and `1:02:03` from an hour on.
 * @param {number} seconds
 * @returns {string}
 */
export function clockText(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/**
 * Return the time of day of an ISO moment, as the pages write it: `17:57`.
 * @param {string} moment
 * @returns {string}
 */
export function timeOfDay(moment) {
  return new Date(moment).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/**
 * Return the time of day of an ISO moment, with its day unless that is today: `14:00`, `Thursday 08:00`.
 * @param {string} moment within the next days
 * @param {number} now milliseconds since 1970
 * @returns {string}
 */
export function momentText(moment, now) {
  const date = new Date(moment);
  if (date.toDateString() === new Date(now).toDateString()) return timeOfDay(moment);
  const far = date.getTime() - now > 6 * 24 * 60 * 60 * 1000;
  const day = date.toLocaleDateString("en-GB", far ? { day: "numeric", month: "long" } : { weekday: "long" });
  return `${day} ${timeOfDay(moment)}`;
}

/**
 * Return a function that gives the server's time in milliseconds since 1970.
 *
 * The page says when it was rendered (`data-now`, seconds since 1970); what the laptop's clock was off by then, it is off by later.
 * @param {string | undefined} renderedAt
 * @returns {() => number}
 */
export function serverTime(renderedAt) {
  const [entry] = performance.getEntriesByType("navigation");
  // A page out of the browser's own cache tells nothing about the time now.
  const fresh = entry instanceof PerformanceNavigationTiming && entry.type !== "back_forward";
  if (!renderedAt || !fresh) return () => Date.now();
  const received = performance.timeOrigin + entry.responseStart;
  const off = Number(renderedAt) * 1000 - received;
  return () => Date.now() + off;
}
