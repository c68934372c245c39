/**
 * Changes of a text that two people write in at once: sessions_app/notes_change.py says how they are written, and has the
 * server's part of this. Characters in a change are code points; places in a text box are the browser's (UTF-16).
 *
 * @typedef {Array<number | string>} Change
 */

/** A change in its one form: neighbours of a kind joined, nothing empty, what is put in before what is taken out. */
class Writer {
  /** @type {Change} */
  change = [];

  /** @param {string} text */
  put(text) {
    if (!text) return;
    const { change } = this;
    let at = change.length;
    const last = change[at - 1];
    if (typeof last === "number" && last < 0) at -= 1;
    const before = change[at - 1];
    if (typeof before === "string") change[at - 1] = before + text;
    else change.splice(at, 0, text);
  }

  /** @param {number} number of characters kept, or taken out where it is below zero */
  count(number) {
    if (number === 0) return;
    const last = this.change.at(-1);
    if (typeof last === "number" && last > 0 === number > 0) this.change[this.change.length - 1] = last + number;
    else this.change.push(number);
  }
}

/** Reads a change piece by piece; steps in smaller pieces where asked. */
class Reader {
  #at = 0;

  /** @param {Change} change */
  constructor(change) {
    this.change = change;
    this.step = change[0];
  }

  next() {
    this.step = this.change[++this.#at];
  }

  /** @param {number} number of characters of the present step that are dealt with */
  use(number) {
    const { step } = this;
    if (typeof step === "string") this.step = step.slice(skip(step, 0, number));
    else if (step !== undefined) this.step = step > 0 ? step - number : step + number;
    if (!this.step) this.next();
  }
}

/**
 * Return the place in `text` that is `number` characters after `at`.
 * @param {string} text
 * @param {number} at
 * @param {number} number
 */
function skip(text, at, number) {
  for (; number > 0; number--) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return at;
}

/**
 * Return how many characters `text` has.
 * @param {string} text
 */
export function lengthOf(text) {
  let length = 0;
  for (let at = 0; at < text.length; length++) at = skip(text, at, 1);
  return length;
}

/**
 * Return whether a text is another after `change`.
 * @param {Change} change
 */
export function changesAnything(change) {
  return change.some((step) => typeof step === "string" || step < 0);
}

/**
 * Return `text` after `change`.
 * @param {string} text
 * @param {Change} change
 * @throws {RangeError} it was made of a text of another length
 */
export function apply(text, change) {
  let [after, at] = ["", 0];
  for (const step of change) {
    if (typeof step === "string") {
      after += step;
      continue;
    }
    const end = skip(text, at, Math.abs(step));
    if (step > 0) after += text.slice(at, end);
    at = end;
  }
  if (at !== text.length) throw new RangeError("This change is of another text.");
  return after;
}

/**
 * Return `change` as it has to be now that `done` came between; both were made of the same text.
 * @param {Change} change
 * @param {Change} done
 * @param {boolean} doneFirst whether what `done` put in stands first, where both put something in at the same place
 * @returns {Change}
 */
export function rebase(change, done, doneFirst) {
  const [writer, ours, theirs] = [new Writer(), new Reader(change), new Reader(done)];
  while (ours.step !== undefined || theirs.step !== undefined) {
    const [our, their] = [ours.step, theirs.step];
    if (typeof their === "string" && (doneFirst || typeof our !== "string")) {
      writer.count(lengthOf(their));
      theirs.next();
    } else if (typeof our === "string") {
      writer.put(our);
      ours.next();
    } else if (our === undefined || typeof their !== "number") {
      throw new RangeError("These changes are not of the same text.");
    } else {
      const number = Math.min(Math.abs(our), Math.abs(their));
      if (their > 0) writer.count(our > 0 ? number : -number);
      ours.use(number);
      theirs.use(number);
    }
  }
  return writer.change;
}

/**
 * Return one change that does what `first` and then `second` do.
 * @param {Change} first
 * @param {Change} second made of the text after `first`
 * @returns {Change}
 */
export function joined(first, second) {
  const [writer, a, b] = [new Writer(), new Reader(first), new Reader(second)];
  while (a.step !== undefined || b.step !== undefined) {
    const [one, two] = [a.step, b.step];
    if (typeof one === "number" && one < 0) {
      writer.count(one);
      a.next();
    } else if (typeof two === "string") {
      writer.put(two);
      b.next();
    } else if (one === undefined || two === undefined) {
      throw new RangeError("The second change is not of the text after the first.");
    } else {
      const number = Math.min(typeof one === "string" ? lengthOf(one) : one, Math.abs(two));
      if (typeof one !== "string") writer.count(two > 0 ? number : -number);
      else if (two > 0) writer.put(one.slice(0, skip(one, 0, number)));
      a.use(number);
      b.use(number);
    }
  }
  return writer.change;
}

/**
 * Return the change that takes `change` back.
 * @param {string} text as it was before `change`
 * @param {Change} change
 * @returns {Change}
 */
export function reverse(text, change) {
  const writer = new Writer();
  let at = 0;
  for (const step of change) {
    if (typeof step === "string") {
      writer.count(-lengthOf(step));
      continue;
    }
    const end = skip(text, at, Math.abs(step));
    if (step > 0) writer.count(step);
    else writer.put(text.slice(at, end));
    at = end;
  }
  return writer.change;
}

/**
 * Return the change that makes `after` of `before`.
 * @param {string} before
 * @param {string} after
 * @param {number} [caret] where the caret stands in `after`: right of it nothing changed. It decides which of three equal letters is new
 * @returns {Change}
 */
export function difference(before, after, caret = 0) {
  const most = Math.min(before.length, after.length);
  const same = Math.min(after.length - caret, most);
  let [end, start] = [0, 0];
  while (end < same && before.at(-1 - end) === after.at(-1 - end)) end++;
  while (start < most - end && before[start] === after[start]) start++;
  // Half a character is never left standing.
  if (isHalved(before, start) || isHalved(after, start)) start--;
  if (isHalved(before, before.length - end) || isHalved(after, after.length - end)) end--;
  const writer = new Writer();
  writer.count(lengthOf(before.slice(0, start)));
  writer.put(after.slice(start, after.length - end));
  writer.count(-lengthOf(before.slice(start, before.length - end)));
  writer.count(lengthOf(before.slice(before.length - end)));
  return writer.change;
}

/**
 * @param {string} text
 * @param {number} at
 */
function isHalved(text, at) {
  return at > 0 && (text.codePointAt(at - 1) ?? 0) > 0xffff;
}

/**
 * Return where a caret at `place` in `text` stands after `change`. What is put in right there comes after it.
 * @param {string} text as it was before `change`
 * @param {number} place
 * @param {Change} change
 */
export function moved(text, place, change) {
  let [at, to] = [0, place];
  for (const step of change) {
    if (at >= place) break;
    if (typeof step === "string") {
      to += step.length;
      continue;
    }
    const end = skip(text, at, Math.abs(step));
    if (step < 0) to -= Math.min(end, place) - at;
    at = end;
  }
  return to;
}

/**
 * Return where in the text after `change` its last piece ends: where a person looks.
 * @param {string} text as it was before `change`
 * @param {Change} change
 */
export function endOf(text, change) {
  let [at, from, last] = [0, 0, 0];
  for (const step of change) {
    if (typeof step === "string") {
      last = at += step.length;
      continue;
    }
    const end = skip(text, from, Math.abs(step));
    if (step > 0) at += end - from;
    else last = at;
    from = end;
  }
  return last;
}

/**
 * Return `change` as two, the first of them so short that it fits into one message; the second is null where nothing is left.
 *
 * What is too long takes out first and then puts in: the other way round, a change that ends within the notes' bound would
 * pass it on the way.
 * @param {Change} change
 * @param {number} most in letters, a number counting as ten
 * @returns {[Change, Change | null]}
 */
export function parted(change, most) {
  let size = 0;
  for (const step of change) size += typeof step === "string" ? lengthOf(step) : 10;
  if (size <= most) return [change, null];
  const takesOut = change.some((step) => typeof step === "number" && step < 0);
  const [now, later, reader] = [new Writer(), new Writer(), new Reader(change)];
  for (let left = most; reader.step !== undefined && left > 0; ) {
    const { step } = reader;
    if (typeof step !== "string") {
      const steps = now.change.length;
      now.count(step);
      if (step > 0) later.count(step);
      reader.next();
      left -= 10 * (now.change.length - steps);
    } else if (takesOut) {
      later.put(step);
      reader.next();
    } else {
      const size = Math.min(lengthOf(step), left);
      const text = step.slice(0, skip(step, 0, size));
      now.put(text);
      later.count(size);
      reader.use(size);
      left -= size;
    }
  }
  for (; reader.step !== undefined; reader.next()) {
    const { step } = reader;
    if (typeof step === "string") {
      later.put(step);
    } else {
      // Of the text before, this is still to come: the first part leaves it as it is.
      now.count(Math.abs(step));
      later.count(step);
    }
  }
  return [now.change, changesAnything(later.change) ? later.change : null];
}
