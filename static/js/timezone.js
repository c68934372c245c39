// @ts-check
// Fills the time zone from the browser, so that times on pages are the reader's own: the hidden one of the sign-up form, and a
// choice that nobody has made yet (UTC).

const field = document.querySelector("[data-time-zone]");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
if (field instanceof HTMLInputElement && !field.value) field.value = zone;
if (field instanceof HTMLSelectElement && field.value === "UTC" && Array.from(field.options).some(({ value }) => value === zone)) {
  field.value = zone;
}
