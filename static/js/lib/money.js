/** Money is an integer of minor units plus a currency; the same rules as hopps/money.py and billing/pricing.py. */

/** @type {Record<string, number>} ISO 4217 exponents that are not 2 */
const EXPONENTS = { JPY: 0, KRW: 0, CLP: 0, VND: 0, BHD: 3, KWD: 3, JOD: 3, OMR: 3, TND: 3 };
/** @type {Record<string, string>} */
const SYMBOLS = { USD: "$", EUR: "€", GBP: "£", JPY: "¥" };

/**
 * Return `minor` units of `currency` as people write it: `formatMoney(1250, "USD") === "$12.50"`.
 * @param {number} minor
 * @param {string} currency
 * @returns {string}
 */
export function formatMoney(minor, currency) {
  const digits = EXPONENTS[currency] ?? 2;
  const padded = String(Math.abs(minor)).padStart(digits + 1, "0");
  const whole = padded.slice(0, padded.length - digits).replace(/\B(?=(\d{3})+$)/g, ",");
  const number = digits ? `${whole}.${padded.slice(-digits)}` : whole;
  const sign = minor < 0 ? "−" : "";
  const symbol = SYMBOLS[currency];
  return symbol ? `${sign}${symbol}${number}` : `${sign}${number} ${currency}`;
}

/**
 * @typedef {object} Terms
 * @property {number} free_seconds
 * @property {number} price_per_minute minor units
 * @property {number} cap_minor
 */

/**
 * Return what `seconds` whole billable seconds cost, in minor units: rounded up once, never above the cap.
 * @param {number} seconds
 * @param {Terms} terms
 * @returns {number}
 */
export function amountDue(seconds, terms) {
  const charged = Math.max(0, seconds - terms.free_seconds);
  return Math.min(Math.floor((charged * terms.price_per_minute + 59) / 60), terms.cap_minor);
}
