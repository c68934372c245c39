/** The device check: own picture, microphone level, speaker test, and pickers. Shown while waiting, before joining, and in the room. */

import { act, speakerSentence, toShow } from "./lib/device_problems.js";
import { NONE, listDevices, remember, remembered } from "./lib/devices.js";
import { all, make, need, say, show } from "./lib/dom.js";
import { showLevel } from "./lib/meter.js";
import { playOnSpeaker } from "./lib/sound.js";

/** @import {LocalMedia} from "./lib/local_media.js" */

/** @type {("camera" | "microphone")[]} */
const SOURCES = ["camera", "microphone"];

/** A view of `LocalMedia` in a `[data-devices]` element. */
export class DeviceCheck {
  #ends = new AbortController();
  /** @type {MediaStreamTrack | null} */
  #metered = null;
  #stopMeter = () => {};

  /**
   * @param {HTMLElement} root
   * @param {LocalMedia} media
   */
  constructor(root, media) {
    this.root = root;
    this.media = media;
    const { signal } = this.#ends;
    media.addEventListener("change", () => this.#show(), { signal });
    need(root, "[data-start]", HTMLButtonElement).addEventListener("click", () => media.open(), { signal });
    need(root, "[data-test-speaker]", HTMLButtonElement).addEventListener("click", () => this.#testSpeaker(), { signal });
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#list(), { signal });
    root.addEventListener("change", (event) => this.#choose(event.target), { signal });
    for (const source of SOURCES) {
      need(root, `[data-problem="${source}"] button`, HTMLButtonElement).addEventListener("click", () => this.#solve(source), { signal });
    }
    media.addEventListener("swapped", (event) => say(root.querySelector("[data-swapped]"), event instanceof CustomEvent ? event.detail : ""), { signal });
    this.#show();
    void media.openAllowed();
  }

  close() {
    this.#ends.abort();
    this.#stopMeter();
    need(this.root, "[data-preview]", HTMLVideoElement).srcObject = null;
  }

  #show() {
    const { tracks, problems } = this.media;
    const preview = need(this.root, "[data-preview]", HTMLVideoElement);
    const shown = preview.srcObject instanceof MediaStream ? preview.srcObject.getVideoTracks()[0] : undefined;
    if (shown !== (tracks.camera ?? undefined)) preview.srcObject = tracks.camera && new MediaStream([tracks.camera]);
    show(this.root, "[data-preview-off]", !tracks.camera);
    for (const source of SOURCES) {
      const problem = toShow(problems)[source];
      const notice = need(this.root, `[data-problem="${source}"]`, HTMLElement);
      notice.hidden = !problem;
      say(notice.querySelector("[data-sentence]"), problem ? `${problem.sentence} ${problem.without}` : "");
      if (problem) say(notice.querySelector("button"), problem.label);
    }
    // Each problem brings a button of its own.
    show(this.root, "[data-start]", SOURCES.some((source) => this.media.wants(source) && !tracks[source] && !problems[source]));
    this.#meter(tracks.microphone);
    void this.#list();
  }

  /** @param {"camera" | "microphone"} source */
  async #solve(source) {
    const problem = toShow(this.media.problems)[source];
    if (!problem) return;
    // Asked once for both, where both wait for the same answer.
    const said = await act(problem, () => void this.media.open());
    if (said) say(this.root.querySelector(`[data-problem="${source}"] [data-sentence]`), `${problem.sentence} ${said}`);
  }

  /** @param {MediaStreamTrack | null} track */
  #meter(track) {
    if (track === this.#metered) return;
    this.#metered = track;
    this.#stopMeter();
    show(this.root, "[data-silent]", false);
    this.#stopMeter = track
      ? showLevel(track, need(this.root, "[data-meter]", HTMLElement), (silent) => show(this.root, "[data-silent]", silent))
      : () => {};
  }

  /** Fill the pickers; names come once a device was allowed. */
  async #list() {
    const chosen = remembered();
    for (const picker of all(this.root, "select[data-picker]")) {
      if (!(picker instanceof HTMLSelectElement)) continue;
      const source = sourceOf(picker);
      const options = [make("option", { value: "" }, "System default")];
      for (const { id, label } of await listDevices(source)) {
        // "default" is the system's own under another name.
        if (id !== "default" && id !== "communications") options.push(make("option", { value: id }, label));
      }
      if (source !== "speaker") options.push(make("option", { value: NONE }, `Without ${source}`));
      picker.replaceChildren(...options);
      picker.value = chosen[source];
      // A device that is gone: say what is used instead.
      if (picker.selectedIndex < 0) picker.value = "";
    }
    show(this.root, "[data-speaker-picker]", "setSinkId" in HTMLMediaElement.prototype);
  }

  /** @param {EventTarget | null} target */
  #choose(target) {
    if (!(target instanceof HTMLSelectElement) || !target.matches("[data-picker]")) return;
    const source = sourceOf(target);
    if (source !== "speaker") {
      void this.media.choose(source, target.value);
      return;
    }
    remember("speaker", target.value);
    // The room's sound moves along.
    this.media.dispatchEvent(new Event("change"));
  }

  async #testSpeaker() {
    const line = this.root.querySelector("[data-speaker-said]");
    try {
      await playOnSpeaker(remembered().speaker);
      say(line, "A chime is playing. Not heard? Turn the volume up, or choose another speaker.");
    } catch (problem) {
      say(line, speakerSentence(problem));
    }
  }
}

/**
 * @param {HTMLSelectElement} picker
 * @returns {"camera" | "microphone" | "speaker"}
 */
function sourceOf(picker) {
  const source = picker.dataset.picker;
  return source === "camera" || source === "microphone" ? source : "speaker";
}
