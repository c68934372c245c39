// @ts-check
// Fills the time zone from the browser, so that times on pages are the reader's own: the hidden ones of forms that make an
// account, and a choice that nobody has made yet (UTC).

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
for (const field of document.querySelectorAll("[data-time-zone]")) {
  if (field instanceof HTMLInputElement && !field.value) field.value = zone;
  if (field instanceof HTMLSelectElement && field.value === "UTC" && Array.from(field.options).some(({ value }) => value === zone)) {
    field.value = zone;
  }
}
