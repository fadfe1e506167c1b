"""Opens each page of the built site in Chromium, at the widths of a phone and of a desktop, and lists what is wrong.

Run it with `make check-docs`. It fails if a page is wider than its window, an image is missing, a link within the site has no
target, or the console of the browser has an error. It does not follow links to other sites.
"""

import functools
import http.server
import pathlib
import re
import sys
import threading
import urllib.parse

from playwright.sync_api import Page, sync_playwright

SIZES = {"phone": (390, 844), "desktop": (1440, 900)}

# The content of a page whose diagrams are drawn.
DRAWN = "() => [...document.querySelectorAll('pre.mermaid')].every(each => each.querySelector('svg'))"
# The theme hides what is beyond the right edge, so the width of the page does not show it. Elements are compared with it.
FACTS = """() => ({
    overflow: Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth),
    cut: [...document.querySelectorAll('main *')].filter(each => {
        if (each.getBoundingClientRect().right <= document.documentElement.clientWidth + 1) return false;
        for (let parent = each; parent && parent.tagName !== 'MAIN'; parent = parent.parentElement)
            if (['auto', 'scroll'].includes(getComputedStyle(parent).overflowX) && parent !== each) return false;
        return true;
    }).map(each => `${each.tagName.toLowerCase()} ${each.textContent.trim().slice(0, 40)}`),
    images: [...document.images].filter(each => !each.complete || !each.naturalWidth).map(each => each.src),
    links: [...document.querySelectorAll('a[href]')].map(each => each.href),
    ids: [...document.querySelectorAll('[id]')].map(each => each.id),
})"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def main(site: pathlib.Path, chromium: str, screenshots: pathlib.Path | None) -> int:
    handler = functools.partial(QuietHandler, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/"
    pages = sorted(str(path.relative_to(site)) for path in site.rglob("*.html"))
    pages = [page for page in pages if page not in ("404.html", "toc.html")]
    problems: list[str] = []
    links: dict[str, set[str]] = {}
    ids: dict[str, set[str]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (width, height) in SIZES.items():
            window = browser.new_page(viewport={"width": width, "height": height})
            errors: list[str] = []
            window.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
            window.on("pageerror", lambda error: errors.append(str(error)))
            window.on("response", lambda response: errors.append(f"{response.url}: {response.status}") if response.status >= 400 else None)
            for page in pages:
                errors.clear()
                facts = open_page(window, base + page)
                problems += [f"{page} ({name}): {error}" for error in errors]
                problems += [f"{page} ({name}): no image {image}" for image in facts["images"]]
                problems += [f"{page} ({name}): beyond the right edge: {element}" for element in facts["cut"]]
                if facts["overflow"] > 0:
                    problems.append(f"{page} ({name}): scrolls horizontally by {facts['overflow']} pixels")
                links[page], ids[page] = set(facts["links"]), set(facts["ids"])
                if screenshots:
                    window.screenshot(path=screenshots / f"{page.replace('/', '_')}-{name}.png")
        browser.close()
    server.shutdown()
    problems += dead_links(site, base, links, ids)
    for problem in problems:
        print(problem)
    count = sum(len(each) for each in links.values())
    print(f"{len(pages)} pages, {len(SIZES)} widths, {count} links: {len(problems)} problems")
    return 1 if problems or not pages else 0


def open_page(window: Page, address: str) -> dict:
    window.goto(address, wait_until="load")
    window.wait_for_function(DRAWN)
    return window.evaluate(FACTS)


def dead_links(site: pathlib.Path, base: str, links: dict[str, set[str]], ids: dict[str, set[str]]) -> list[str]:
    problems = []
    for page, targets in links.items():
        for target in sorted(targets):
            if not target.startswith(base):
                if re.match(r"https?://", target) is None:
                    problems.append(f"{page}: {target} is no address")
                continue
            path, _, anchor = target[len(base) :].partition("#")
            path, anchor = urllib.parse.unquote(path) or "index.html", urllib.parse.unquote(anchor)
            if not (site / path).is_file():
                problems.append(f"{page}: {target[len(base):]} does not exist")
            elif anchor and anchor not in ids.get(path, set()):
                problems.append(f"{page}: {target[len(base):]} is no section")
    return problems


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2], folder))
