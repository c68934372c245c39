// @ts-check
// The ask box: beside each choice of minutes stands the most it may cost, as soon as the topic is chosen.
// Prices come from the price list on the same page ([data-topic]); without this file the server writes them after the first send.

/**
 * @param {HTMLFormElement} form
 * @param {HTMLSelectElement} topic
 */
function showCosts(form, topic) {
  const row = document.querySelector(`[data-topic="${CSS.escape(topic.value)}"]`);
  const price = row instanceof HTMLElement ? Number(row.dataset.price) : NaN;
  const currency = row instanceof HTMLElement ? (row.dataset.currency ?? "USD") : "USD";
  const format = new Intl.NumberFormat("en-US", { style: "currency", currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  for (const radio of form.querySelectorAll('input[name="cap_minutes"]')) {
    const words = radio.nextSibling;
    if (!(radio instanceof HTMLInputElement) || !(words instanceof Text)) continue;
    const most = (Number(radio.value) * price) / 10 ** digits;
    const atMost = Number.isNaN(most) ? "" : ` · at most ${format.format(most)}`;
    words.data = ` ${radio.value} min${atMost}`;
  }
}

/**
 * Say whether nobody is there for the chosen topic.
 * @param {HTMLFormElement} form
 * @param {HTMLSelectElement} topic
 */
function showQuiet(form, topic) {
  const notice = form.querySelector("[data-quiet]");
  const name = notice?.querySelector("[data-quiet-name]");
  if (!(notice instanceof HTMLElement) || !name) return;
  notice.hidden = !(notice.dataset.quiet ?? "").split(" ").includes(topic.value);
  const row = document.querySelector(`[data-topic="${CSS.escape(topic.value)}"] dt`);
  if (!notice.hidden && row) name.textContent = row.textContent;
}

for (const form of document.querySelectorAll("form[data-ask]")) {
  const topic = form.querySelector('select[name="topic"]');
  if (!(form instanceof HTMLFormElement) || !(topic instanceof HTMLSelectElement)) continue;
  topic.addEventListener("change", () => {
    showCosts(form, topic);
    showQuiet(form, topic);
  });
  if (topic.value) showCosts(form, topic);
}
