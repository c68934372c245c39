/** Finding and changing what the server rendered. */

/**
 * Return the first element that matches, or null.
 * @template {Element} [E=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {E | null}
 */
export function find(root, selector) {
  return root.querySelector(selector);
}

/**
 * Return the first element that matches and is a `kind`.
 * @template {Element} E
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => E} kind such as HTMLVideoElement
 * @returns {E}
 * @throws {Error} the template and this script do not fit together
 */
export function need(root, selector, kind) {
  const element = root.querySelector(selector);
  if (!(element instanceof kind)) throw new Error(`The page has no ${kind.name} at ${selector}`);
  return element;
}

/**
 * Return every HTML element that matches.
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement[]}
 */
export function all(root, selector) {
  return Array.from(root.querySelectorAll(selector)).filter((element) => element instanceof HTMLElement);
}

/**
 * Make an element with text, or with other nodes, in it.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Set the text of an element only where it differs, so that a live region speaks once.
 * @param {Element | null} element
 * @param {string} text
 */
export function say(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/**
 * Show or hide every element that matches.
 * @param {ParentNode} root
 * @param {string} selector
 * @param {boolean} shown
 */
export function show(root, selector, shown) {
  for (const element of all(root, selector)) element.hidden = !shown;
}
