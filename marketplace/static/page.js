// Small conveniences; every page works without them.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
  for (const menu of document.querySelectorAll("details.menu[open]"))
    if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("toggle", (event) => {
  if (!event.target.open || !event.target.matches("details.menu")) return;
  for (const other of document.querySelectorAll("details.menu[open]"))
    if (other !== event.target) other.open = false;
}, true);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
// A pressed button says that it is at work until the next page is here; pressing again does no harm.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || event.defaultPrevented || event.target.method !== "post") return;
  button.setAttribute("aria-busy", "true");
  setTimeout(() => button.removeAttribute("aria-busy"), 8000); // a file leaves the page where it is
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll(".btn[aria-busy]")) button.removeAttribute("aria-busy");
});
// Parts that ask again every few seconds: not while nobody looks or somebody writes in them, and
// nothing is drawn anew that says what is there already.
const seen = new Map();
const first = (list) => Math.max(0, [...list.options].findIndex((option) => option.defaultSelected));
const changed = (field) =>
  field.type === "hidden" ? false
  : field.matches("select") ? field.selectedIndex !== first(field)
  : field.value !== field.defaultValue || field.checked !== field.defaultChecked;
const fields = "input, textarea, select";
const written = (part) =>
  (part.contains(document.activeElement) && document.activeElement.matches(fields)) ||
  [...part.querySelectorAll(fields)].some(changed);
document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.detail.elt;
  if (part.matches('[hx-trigger^="every"]') && (document.hidden || written(part))) event.preventDefault();
});
const bare = (part) => part.innerHTML.replace(/name="(idempotency_key|csrfmiddlewaretoken)" value="[^"]*"/g, "");
const same = (one, other) =>
  bare(one) === bare(other) && one.getAttribute("hx-trigger") === other.getAttribute("hx-trigger");
document.addEventListener("htmx:configRequest", (event) => {
  const last = event.detail.elt.matches("[data-live]") && seen.get(event.detail.path);
  if (last) event.detail.headers["Live-Seen"] = last;
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const { elt, xhr, pathInfo } = event.detail;
  if (!elt.matches("[data-live]") || xhr.status !== 200) return;
  const drawn = new DOMParser().parseFromString(xhr.responseText, "text/html").getElementById(elt.id);
  // What is not drawn was not seen: it is sent again, once nobody writes in it any more. An answer
  // without the part is somebody's who was signed out meanwhile.
  if (!drawn || written(elt)) return void (event.detail.shouldSwap = false);
  const mark = xhr.getResponseHeader("Live-Seen");
  if (!mark) return;
  seen.set(pathInfo.requestPath, mark);
  if (same(drawn, elt)) event.detail.shouldSwap = false;
});
