/** Sounds made here, no file to fetch: they sound in a hidden tab too, once a click has unlocked the page's audio. */

// What the loudest of the analyser's samples must reach before we believe that something sounds (full scale is 1).
const AUDIBLE = 0.01;
const PROOF_MS = 1_500;
const RINGS = 8;
const RING_EVERY_SECONDS = 4;

/** A short rising chime, and the proof that this tab lets it out. */
export class Chime {
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {AnalyserNode | null} */
  #analyser = null;
  /** @type {AudioBufferSourceNode[]} */
  #ringing = [];
  /** Whether a sound of this tab was seen to leave it. */
  proven = false;

  /**
   * Unlock this tab's sound and play the chime. To be called from a click: browsers keep sound locked until then.
   * @returns {Promise<boolean>} whether sound really came out
   */
  async unlock() {
    this.prepare();
    this.stop();
    this.#play(0);
    this.proven = await this.#hears();
    return this.proven;
  }

  /** Unlock this tab's sound without a sound. To be called from a click. */
  prepare() {
    this.#context ??= new AudioContext();
    if (!this.#analyser) {
      this.#analyser = this.#context.createAnalyser();
      this.#analyser.connect(this.#context.destination);
    }
    // Where the browser refuses, `resume` never settles: nothing waits for it.
    void this.#context.resume();
  }

  /** Chime once. Does nothing before `prepare` or `unlock`. */
  once() {
    this.#play(0);
  }

  /** Ring until `stop`, half a minute at most. Does nothing before `unlock`. */
  ring() {
    if (!this.#context) return;
    void this.#context.resume();
    this.stop();
    // Planned ahead on the audio clock: a hidden page's timers are slow, this clock is not.
    for (let turn = 0; turn < RINGS; turn += 1) this.#play(turn * RING_EVERY_SECONDS);
  }

  /** Be quiet. */
  stop() {
    for (const source of this.#ringing) source.stop();
    this.#ringing = [];
  }

  /**
   * The loudest sample now, 0 to 1.
   * @returns {number}
   */
  energy() {
    return this.#analyser ? peak(this.#analyser) : 0;
  }

  /** @param {number} later seconds from now */
  #play(later) {
    if (!this.#context || !this.#analyser) return;
    const source = this.#context.createBufferSource();
    source.buffer = chimeBuffer(this.#context);
    source.connect(this.#analyser);
    source.start(this.#context.currentTime + later);
    source.onended = () => (this.#ringing = this.#ringing.filter((other) => other !== source));
    this.#ringing.push(source);
  }

  async #hears() {
    const until = performance.now() + PROOF_MS;
    while (performance.now() < until) {
      if (this.#context?.state === "running" && this.energy() > AUDIBLE) return true;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return false;
  }
}

/**
 * Return the loudest of an analyser's samples, 0 to 1.
 * @param {AnalyserNode} analyser
 * @returns {number}
 */
export function peak(analyser) {
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  return samples.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0);
}

/**
 * Play the chime once through the chosen speaker.
 * @param {string} speaker a device id; "" is the system's own
 */
export async function playOnSpeaker(speaker) {
  const context = new AudioContext();
  if (speaker && "setSinkId" in context) await /** @type {SinkableContext} */ (context).setSinkId(speaker);
  const source = context.createBufferSource();
  source.buffer = chimeBuffer(context);
  source.connect(context.destination);
  source.onended = () => void context.close();
  source.start();
}

/** @typedef {AudioContext & {setSinkId: (id: string) => Promise<void>}} SinkableContext */

/**
 * Three notes, each a struck bell: a sine with a softer octave, fading out.
 * @param {AudioContext} context
 * @returns {AudioBuffer}
 */
function chimeBuffer(context) {
  const rate = context.sampleRate;
  const buffer = context.createBuffer(1, Math.ceil(1.4 * rate), rate);
  const samples = buffer.getChannelData(0);
  [659.25, 830.61, 987.77].forEach((pitch, note) => {
    const start = Math.floor(note * 0.16 * rate);
    for (let at = start; at < samples.length; at += 1) {
      const seconds = (at - start) / rate;
      const fade = Math.min(1, seconds * 200) * Math.exp(-4.5 * seconds);
      const turn = 2 * Math.PI * pitch * seconds;
      samples[at] = (samples[at] ?? 0) + 0.22 * fade * (Math.sin(turn) + 0.3 * Math.sin(2 * turn));
    }
  });
  return buffer;
}
