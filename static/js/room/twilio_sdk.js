/** Fetching Twilio's SDK, once, when a call needs it. */

const LOAD_MS = 15_000;

/** @type {Promise<TwilioVideo> | null} */
let loading = null;

/**
 * Return the SDK, fetched the first time.
 * @param {string} address where it is; "" if the page came without
 * @returns {Promise<TwilioVideo>}
 * @throws {Error} it is not there, or does not come
 */
export async function loadSdk(address) {
  loading ??= within(LOAD_MS, run(address));
  try {
    return await loading;
  } catch (problem) {
    loading = null; // the next call may have more luck
    throw problem;
  }
}

/**
 * Run the file as a script: it is no module, and leaves its work at `window.Twilio`.
 * @param {string} address
 * @returns {Promise<TwilioVideo>}
 */
function run(address) {
  return new Promise((resolve, reject) => {
    if (!address) throw new Error("Twilio's SDK is not installed");
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => (window.Twilio ? resolve(window.Twilio.Video) : reject(new Error("Twilio's SDK did not run")));
    script.onerror = () => reject(new Error("Twilio's SDK did not load"));
    document.head.append(script);
  });
}

/**
 * Wait for `promise`, but not for ever.
 * @template T
 * @param {number} ms
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 * @throws {Error} it took longer
 */
export async function within(ms, promise) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
