/**
 * Makes the adapter for whatever carries the call.
 *
 * @import {Carrier, RoomAdapter, RoomListener} from "./adapter.js"
 * @import {SendSignal} from "./peer.js"
 */

import { PeerAdapter } from "./peer.js";
import { TwilioAdapter } from "./twilio.js";

/**
 * @param {Carrier} carrier
 * @param {object} setting
 * @param {string} setting.page this page's id in the room
 * @param {RoomListener} setting.listener
 * @param {SendSignal} setting.sendSignal
 * @param {() => Promise<void>} setting.fresh asks for fresh credentials; resolves once the adapter has them, or none are to be had
 * @param {string} setting.sdk where Twilio's SDK is; "" if the page came without
 * @param {(reason: string) => void} setting.failed what carries the call cannot be reached
 * @returns {RoomAdapter}
 */
export function makeAdapter(carrier, { page, listener, sendSignal, fresh, sdk, failed }) {
  /** @type {RoomAdapter} */
  const adapter =
    carrier.type === "carried_by_twilio"
      ? new TwilioAdapter(listener, { sdk, failed, fresh })
      : new PeerAdapter(page, listener, sendSignal, fresh);
  adapter.useCarrier(carrier);
  return adapter;
}
