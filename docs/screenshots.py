"""Pictures of a report for its page of the documentation, taken by Chromium with the network cut.

Use: python docs/screenshots.py lampyris-demo/results/report.html (of `lampyris demo`, seed 1)
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT.parent / "tests" / "report"))

from chromium import Browser  # noqa: E402

DESK, PHONE = (1280, 800, False, 1.0), (390, 844, True, 2.0)
LESION = "#overlay .mark.lesion:not([data-lesion='1'])"


def saved(shots: list[bytes], name: str, *, share: float = 1.0) -> None:
    """Shots side by side, in one file."""
    pictures = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]
    gap = 24 if len(pictures) > 1 else 0
    width, height = sum(p.width + gap for p in pictures) - gap, max(p.height for p in pictures)
    sheet = Image.new("RGB", (width, height), "#9aa0a6")
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width + gap
    sheet = sheet.resize((round(width * share), round(height * share)), Image.Resampling.LANCZOS)
    # 6 bits a channel: the eye sees no step, and the file is half as large
    sheet.point([value & 0xFC | value >> 6 for value in range(256)] * 3).save(
        ROOT / "images" / f"{name}.png", optimize=True
    )


class Camera:
    """Opens the report at a size and takes what the window shows."""

    def __init__(self, browser: Browser, report: Path, folder: Path) -> None:
        self.browser, self.report, self.shot_file = browser, report, folder / "shot.png"

    def open(self, size: tuple[int, int, bool, float], fragment: str = "") -> None:
        width, height, touch, ratio = size
        self.browser.size(width, height, touch=touch, ratio=ratio)
        # scroll bars are no part of the page
        self.browser.call("Emulation.setScrollbarsHidden", hidden=True)
        self.browser.open(self.report, fragment)
        self.browser.until("document.documentElement.dataset.ready")
        if fragment:
            self.browser.until("document.documentElement.dataset.viewer")
        self.browser.settle()

    def shot(self) -> bytes:
        self.browser.settle()
        self.browser.shot(self.shot_file)
        return self.shot_file.read_bytes()

    def choose_lesion(self) -> None:
        place = self.browser.middle(f"{LESION} path:nth-child(2)")
        self.browser.hover(*place)
        self.browser.click(*place)


def main(report: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, Browser(Path(folder) / "profile") as browser:
        camera = Camera(browser, report, Path(folder))
        camera.open((1280, 1500, False, 1.0))
        saved([camera.shot()], "report-desktop", share=0.75)
        camera.open(PHONE)
        first = camera.shot()
        browser.evaluate("document.querySelector('#films').scrollIntoView()")
        second = camera.shot()
        camera.open(PHONE, "#picture-8")
        browser.tap(*browser.middle(f"{LESION} path:nth-child(2)"))
        saved([first, second, camera.shot()], "report-phone", share=0.5)
        camera.open(DESK, "#picture-8")
        browser.mouse("mouseWheel", *browser.middle("#sheet"), deltaX=0, deltaY=-60)
        camera.choose_lesion()
        saved([camera.shot()], "report-viewer")
        browser.evaluate(
            "document.querySelector('#fix').open = true; document.querySelector('.controls').scrollTop = 1e6"
        )
        for field, words in (("#fix-reason", "urine on the fur"), ("#fix-author", "A. Biologist")):
            browser.type(field, words)
        browser.evaluate("document.querySelector('#fix-action').value = 'reject'")
        browser.click(*browser.middle("#fix-add"))
        browser.evaluate(
            "document.querySelector('.controls').scrollTop = 1e6; document.querySelector('#said').textContent = ''"
        )
        browser.hover(5, 400)
        saved([camera.shot()], "report-corrections")
        camera.open((1280, 900, False, 1.0))
        browser.evaluate("document.querySelector('#curves').scrollIntoView()")
        browser.settle()
        browser.hover(*browser.middle("#curves .point[data-lesion][data-day='7']"))
        saved([camera.shot()], "report-linked", share=0.75)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
