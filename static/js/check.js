/** An expert's sound and device test: the chime, heard by this page too, and the device check. */

import { DeviceCheck } from "./device_check.js";
import { need, say } from "./lib/dom.js";
import { LocalMedia } from "./lib/local_media.js";
import { Chime } from "./lib/sound.js";

const root = need(document, "[data-check]", HTMLElement);
const said = need(root, "[data-play-said]", HTMLElement);
const chime = new Chime();
// Without this script nothing is tested here, and nothing to say about it.
need(root, "[data-verdict]", HTMLFormElement).hidden = false;
new DeviceCheck(need(root, "[data-devices]", HTMLElement), new LocalMedia());

need(root, "[data-play]", HTMLButtonElement).addEventListener("click", async () => {
  const proven = await chime.unlock();
  say(
    said,
    proven
      ? "The chime came out of this page. Not heard? Turn the volume up, or see “Something does not work”."
      : "No sound came out. Allow sound for this page beside its address, then press again.",
  );
});
