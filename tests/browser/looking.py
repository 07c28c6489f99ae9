"""What a browser finds wrong with a page, beyond what axe knows."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

MOST_SHIFT = 0.01

# Before the page: adds up what moved without being asked to, and says what the policy refused.
WATCH = """(() => {
    window.__moved = 0;
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) if (!one.hadRecentInput) window.__moved += one.value;
    }).observe({type: 'layout-shift', buffered: true});
    document.addEventListener('securitypolicyviolation', (event) =>
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
})()"""

SETTLE = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(
    () => done(window.__moved))))"""

# What can be told from the document alone.
INSPECT = """() => {
    const wrong = [], told = (one) => one.outerHTML.slice(0, 160);
    const headings = [...document.querySelectorAll('h1')].filter((one) => one.checkVisibility());
    if (headings.length !== 1) wrong.push(`${headings.length} headings of the first level`);
    if (!/^\\S.* – Earnest$/.test(document.title) && location.pathname !== '/')
        wrong.push(`its title is “${document.title}”`);
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > room) {
        const wide = [...document.body.querySelectorAll('*')]
            .filter((one) => one.getBoundingClientRect().right > room + 1).slice(0, 3).map(told);
        wrong.push(`wider than the window: ${wide.join(' | ')}`);
    }
    const reachable = 'a[href], button, input, select, textarea, summary, label, [tabindex="0"]';
    for (const one of document.body.querySelectorAll('*'))
        if (one.checkVisibility() && getComputedStyle(one).cursor === 'pointer'
                && !one.closest(reachable))
            wrong.push(`can be clicked but not reached by the keyboard: ${told(one)}`);
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
        const moving = [...document.querySelectorAll('*')].find((one) =>
            parseFloat(getComputedStyle(one).transitionDuration) > 0);
        if (moving || document.getAnimations().length)
            wrong.push(`moves: ${moving && told(moving)}`);
    }
    return wrong;
}"""

# After a first press of Tab: the way past the header, then every control in turn.
TAB = """() => {
    const wrong = [], told = (one) => one.outerHTML.slice(0, 160);
    const first = document.activeElement, place = first.getBoundingClientRect();
    if (!first.matches('a.skip') || place.top < 0 || place.height === 0)
        wrong.push(`Tab does not begin with the way past the header: ${told(first)}`);
    const target = document.querySelector(first.getAttribute('href') || '#nowhere');
    if (!target) wrong.push('the way past the header leads nowhere');
    const controls = document.querySelectorAll(
        'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]');
    for (const one of controls) {
        const hidden = !one.checkVisibility({visibilityProperty: true});
        if (hidden || one.disabled || one === target) continue;
        one.focus({preventScroll: true});
        if (document.activeElement !== one) {
            wrong.push(`takes no focus: ${told(one)}`);
            continue;
        }
        const look = getComputedStyle(one);
        const shown = (look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 1)
            || look.boxShadow !== 'none';
        if (!shown) wrong.push(`its focus is not seen: ${told(one)}`);
        if (one.tabIndex < 0) wrong.push(`Tab passes it over: ${told(one)}`);
    }
    return wrong;
}"""


def faults(page: Page) -> list[str]:
    """Everything wrong with the page that is open now."""
    moved: float = page.evaluate(SETTLE)
    found = [f"moved by {moved:.3f} while it was drawn"] if moved >= MOST_SHIFT else []
    found += page.evaluate(INSPECT)
    found += axe(page)
    page.keyboard.press("Tab")
    found += page.evaluate(TAB)
    return found


def axe(page: Page) -> list[str]:
    """Every violation axe knows, of any impact."""
    answer: dict[str, Any] = Axe().run(page).response
    return [
        f"axe: {one['id']} ({one['impact']}): {one['help']}: "
        + " | ".join(node["html"][:160] for node in one["nodes"][:3])
        for one in answer["violations"]
    ]
