/** What can stand between a person and a camera, microphone or speaker: one plain sentence and one action for each. */

/** @typedef {"camera" | "microphone"} Source */
/** @typedef {"blocked" | "dismissed" | "system" | "missing" | "busy" | "policy" | "insecure" | "unable" | "other"} Kind */
/** @typedef {"again" | "secure" | "copy"} Does open it again; go to the https:// address; copy the page's address */
/**
 * @typedef {object} Problem
 * @property {Kind} kind
 * @property {string} sentence
 * @property {string} without what one can do without the device, before joining
 * @property {string} label on the action's button
 * @property {Does} does
 */

/**
 * @typedef {object} Circumstances what the browser says around the error
 * @property {boolean} secure whether the page came over https:// or from this computer
 * @property {boolean} able whether the browser offers devices to pages at all
 * @property {boolean} policy whether the page may use this device: a header, or the page around it, can forbid that
 * @property {string} permission "granted", "denied", "prompt", or "" where the browser does not tell
 */

/** What a person can do without the device. */
const WITHOUT = {
  camera: "You can join without it.",
  microphone: "Without it you can listen, and write in the chat.",
  "camera or microphone": "You can join without them: listen, and write in the chat.",
};

/** @type {Record<Kind, (what: string) => [sentence: string, label: string, does: Does]>} */
const SAID = {
  insecure: (what) => [`This address is not secure, and browsers keep the ${what} from such pages.`, "Open the secure page", "secure"],
  unable: (what) => [
    `This browser has no way to use a ${what}. Open the page in Chrome, Edge, Firefox or Safari.`,
    "Copy the address",
    "copy",
  ],
  policy: (what) => [
    `Your network or organisation does not let this page use a ${what}. Open it on another device.`,
    "Copy the address",
    "copy",
  ],
  blocked: (what) => [`This page may not use your ${what}. Allow it beside the page's address, then try again.`, "Try again", "again"],
  dismissed: (what) => [`The question about your ${what} was closed. Have it asked again, and choose “Allow”.`, "Ask again", "again"],
  system: (what) => [
    `Your computer does not let this browser use the ${what}. Allow it in the system's privacy settings.`,
    "Try again",
    "again",
  ],
  missing: (what) => [`No ${what} was found. Plug one in or switch it on.`, "Look again", "again"],
  busy: (what) => [`Another program is using your ${what}. Close that one, then try again.`, "Try again", "again"],
  other: (what) => [`Your ${what} did not start. Try again, or start your browser anew.`, "Try again", "again"],
};

/**
 * Return what kept a device from opening, and what to do about it.
 * @param {Source} source
 * @param {unknown} reason what `getUserMedia` threw; anything where it was not even asked
 * @param {Circumstances} around
 * @returns {Problem}
 */
export function problemOf(source, reason, around) {
  return told(kindOf(reason, around), source);
}

/**
 * Return the problems to show, by the place for each: one where both devices suffer from the same.
 * @param {Record<Source, Problem | null>} problems
 * @returns {Record<Source, Problem | null>}
 */
export function toShow({ camera, microphone }) {
  if (!camera || camera.kind !== microphone?.kind) return { camera, microphone };
  return { camera: null, microphone: told(camera.kind, "camera or microphone") };
}

/**
 * @param {Kind} kind
 * @param {keyof typeof WITHOUT} what
 * @returns {Problem}
 */
function told(kind, what) {
  const [sentence, label, does] = SAID[kind](what);
  return { kind, sentence, without: WITHOUT[what], label, does };
}

/**
 * @param {unknown} reason
 * @param {Circumstances} around
 * @returns {Kind}
 */
function kindOf(reason, { secure, able, policy, permission }) {
  if (!able) return secure ? "unable" : "insecure";
  switch (nameOf(reason)) {
    case "NotAllowedError":
    case "SecurityError":
      if (!policy) return "policy";
      // Chromium's words where macOS or Windows said no; the page's own permission may well be granted.
      if (reason instanceof Error && /by system/i.test(reason.message)) return "system";
      return permission === "prompt" ? "dismissed" : "blocked";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "other";
  }
}

/** @param {unknown} reason */
export function nameOf(reason) {
  return reason instanceof DOMException || reason instanceof Error ? reason.name : "";
}

/**
 * Ask the browser what stands around a device.
 * @param {Source} source
 * @returns {Promise<Circumstances>}
 */
export async function circumstances(source) {
  return {
    secure: isSecureContext,
    able: Boolean(navigator.mediaDevices?.getUserMedia),
    policy: maySource(source),
    permission: await permissionOf(source),
  };
}

/**
 * Whether the page's policy leaves it the device. Browsers that do not tell count as yes.
 * @param {Source} source
 * @returns {boolean}
 */
function maySource(source) {
  const { featurePolicy } = /** @type {{featurePolicy?: {allowsFeature(name: string): boolean}}} */ (/** @type {unknown} */ (document));
  return featurePolicy?.allowsFeature(source) ?? true;
}

/**
 * How the person's permission for a device stands: "granted", "denied", "prompt", or "" where the browser does not tell.
 * @param {Source} source
 * @returns {Promise<string>}
 */
export async function permissionOf(source) {
  try {
    return (await navigator.permissions.query({ name: /** @type {PermissionName} */ (source) })).state;
  } catch {
    return "";
  }
}

/**
 * Return why the test tone did not sound.
 * @param {unknown} reason
 * @returns {string}
 */
export function speakerSentence(reason) {
  return nameOf(reason) === "NotFoundError"
    ? "That speaker is not connected any more. Choose another one."
    : "The speaker did not start. Choose another one.";
}

/**
 * Do what a problem's button says.
 * @param {Problem} problem
 * @param {() => void} again open the device again
 * @returns {Promise<string>} what to tell the person; "" where it shows
 */
export async function act({ does }, again) {
  if (does === "again") {
    again();
    return "";
  }
  if (does === "secure") {
    location.assign(location.href.replace(/^http:/, "https:"));
    return "";
  }
  try {
    await navigator.clipboard.writeText(location.href);
    return "The address is copied.";
  } catch {
    return `The address is ${location.href}`;
  }
}
