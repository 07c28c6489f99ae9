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
// Parts that ask again every few seconds: not while nobody looks or somebody types in them, and
// nothing is drawn anew that says what is there already.
const seen = new Map();
const typing = (part) => part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.detail.elt;
  if (part.matches('[hx-trigger^="every"]') && (document.hidden || typing(part))) event.preventDefault();
});
const bare = (part) => part.innerHTML.replace(/name="(idempotency_key|csrfmiddlewaretoken)" value="[^"]*"/g, "");
document.addEventListener("htmx:configRequest", (event) => {
  const last = event.detail.elt.matches("[data-live]") && seen.get(event.detail.path);
  if (last) event.detail.headers["Live-Seen"] = last;
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const { elt, xhr, pathInfo } = event.detail;
  if (!elt.matches("[data-live]") || !xhr.getResponseHeader("Live-Seen")) return;
  const drawn = new DOMParser().parseFromString(xhr.responseText, "text/html").getElementById("live");
  // What is not drawn was not seen: it is sent again, once nobody types in it any more.
  if (typing(elt)) return void (event.detail.shouldSwap = false);
  seen.set(pathInfo.requestPath, xhr.getResponseHeader("Live-Seen"));
  if (drawn && bare(drawn) === bare(elt)) event.detail.shouldSwap = false;
});
