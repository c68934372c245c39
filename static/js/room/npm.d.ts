// What the page gets from npm, as far as its types do not come from there.

type TwilioVideo = typeof import("twilio-video");

interface Window {
  /** Set by Twilio's SDK once its file has run. */
  Twilio?: { Video: TwilioVideo };
}

// What the SDK's own declarations stand on: Node's `events`, which its bundle carries and which comes without types.
declare module "events" {
  export class EventEmitter {
    on(event: string, listener: (...args: any[]) => void): this;
    once(event: string, listener: (...args: any[]) => void): this;
    off(event: string, listener: (...args: any[]) => void): this;
    emit(event: string, ...args: unknown[]): boolean;
    removeAllListeners(event?: string): this;
  }
}
