"""What is wrong with a page where no script runs: what it offers and cannot do, says and never
does, or keeps out of sight for a script to show."""

from playwright.sync_api import Page

WIDTHS = ({"width": 390, "height": 844}, {"width": 1440, "height": 900})

# Everything that folds is unfolded: what is folded away must work as well.
UNFOLD = """() => {
    window.unfolded = [...document.querySelectorAll('details:not([open])')];
    window.unfolded.forEach((one) => { one.open = true; });
}"""
REFOLD = "() => window.unfolded.forEach((one) => { one.open = false; })"

# The two that a browser does by itself where no script runs: by its settings, by its menu.
SPARED = "[data-theme-toggle], [data-print]"

WORKS = """() => {
    const wrong = [], told = (one) => one.outerHTML.slice(0, 160);
    const seen = (one) => one.checkVisibility({visibilityProperty: true});
    const each = (what, judge) => document.body.querySelectorAll(what).forEach((one) => {
        const fault = seen(one) && judge(one);
        if (fault) wrong.push(`${fault}: ${told(one)}`);
    });
    const sends = (form) => form && [...form.elements].some((one) => one.type === 'submit');
    each('button, input[type=submit], input[type=button], [role=button], [onclick]', (one) =>
        !(one.form && ['submit', 'reset'].includes(one.type)) && 'pressing it does nothing');
    each('input:not([type=hidden]), select, textarea', (one) =>
        !sends(one.form) && 'what is put in goes nowhere');
    each('input[type=range], output', () => 'only a script would say its value');
    each('a', (one) => {
        const to = one.getAttribute('href');
        if (!to || to.startsWith('javascript:')) return 'it leads nowhere';
        return to.startsWith('#') && !document.getElementById(to.slice(1)) && 'it leads nowhere';
    });
    each('main :is([hx-get], [hx-post], [hx-put], [hx-patch], [hx-delete])', (one) => {
        const again = [...one.querySelectorAll('a[href]')].some((link) =>
            seen(link) && new URL(link.href).pathname === location.pathname);
        if (/^every/.test(one.getAttribute('hx-trigger') || ''))
            return !again && 'nobody can look at it again';
        const plain = one.matches('a[href], form[action], [formaction]')
            || (one.matches('button') && one.form?.hasAttribute('action'))
            || [...one.querySelectorAll('input, select, textarea')].some((in_) => sends(in_.form));
        return !plain && 'only a script would ask for it';
    });
    each('[aria-busy=true], progress:not([value])', () => 'it is at work for ever');
    const waits = /\\b(loading|please wait|one moment|l\u00e4dt|wird geladen|bitte warten)\\b/i;
    const said = waits.exec(document.querySelector('main')?.innerText || '');
    if (said) wrong.push(`it says “${said[0]}” for ever`);
    return wrong;
}"""

# What is not drawn: the outermost elements alone, and not what is never drawn anywhere.
UNDRAWN = """(spared) => [...document.body.querySelectorAll('*')].filter((one) =>
    getComputedStyle(one).display === 'none'
    && getComputedStyle(one.parentElement).display !== 'none'
    && !one.matches('script, style, template, noscript, option, input[type=hidden]')
    && !one.matches(spared) && !one.closest('svg'))"""
REMEMBER = f"(spared) => {{ window.undrawn = new Set(({UNDRAWN})(spared)); }}"
STILL_UNDRAWN = f"""(spared) => ({UNDRAWN})(spared).filter((one) => window.undrawn.has(one))
    .map((one) => `only a script would show it: ${{one.outerHTML.slice(0, 160)}}`)"""


def unscripted_faults(page: Page) -> list[str]:
    """Everything wrong with the page that is open now in a browser that runs no script, on a phone
    or on a desk; and what is drawn on neither."""
    before = page.viewport_size
    page.evaluate(UNFOLD)
    found: list[str] = []
    for width, look in zip(WIDTHS, (REMEMBER, STILL_UNDRAWN), strict=True):
        page.set_viewport_size(width)  # type: ignore[arg-type]
        found += page.evaluate(WORKS) + (page.evaluate(look, SPARED) or [])
    page.evaluate(REFOLD)
    if before:
        page.set_viewport_size(before)
    return list(dict.fromkeys(found))
