// @ts-check
// Fills the hidden time zone of the sign-up form from the browser, so that times on pages are the reader's own.

const field = document.querySelector("input[data-time-zone]");
if (field instanceof HTMLInputElement && !field.value) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
}
