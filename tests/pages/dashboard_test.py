#!/usr/bin/python3
"""The scheduler's page in a real browser: what it shows of a running job, and what becomes of it when a
server dies, the scheduler hangs, or a token is asked for. scripts/pages.sh runs it.

Usage: dashboard_test.py CAPSTAN_BINARY FOLDER_FOR_PICTURES
"""
import os
import re
import signal
import sys
import unittest

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from running_job import Job, eventually

BINARY, PICTURES = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])

def browser(dark=False, width=1280):
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                     "--window-size=%d,1900" % width):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options)
    scheme = "dark" if dark else "light"
    made.execute_cdp_cmd("Emulation.setEmulatedMedia",
                         {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    return made


class Page(unittest.TestCase):
    def setUp(self):
        self.job = Job(BINARY)
        self.addCleanup(self.job.end)
        self.browser = browser()
        self.addCleanup(self.browser.quit)
        self.browser.get(self.job.url)

    # At one moment: the page draws its parts anew every second.
    def ask(self, expression):
        return self.browser.execute_script("return " + expression)

    def text(self, css):
        return self.browser.find_element(By.CSS_SELECTOR, css).text

    def count(self, css):
        return len(self.browser.find_elements(By.CSS_SELECTOR, css))

    def wait_until_it_trains(self):
        eventually(lambda: self.text("#state").startswith("running"), "it trains")
        eventually(lambda: self.count("#speed polyline") == 1 and self.count("#loss polyline") == 1, "curves")
        eventually(lambda: self.count("#checkpoints tbody tr") > 0, "a checkpoint")
        eventually(lambda: self.count("#hot-keys tbody tr") > 0, "rows that are pulled most")

    def complaints(self):
        return [line["message"] for line in self.browser.get_log("browser") if line["level"] == "SEVERE"]

    def test_shows_what_the_job_does(self):
        self.wait_until_it_trains()
        self.assertEqual(self.text("#job"), "browser")
        self.assertIn("browser", self.browser.title)
        self.assertEqual(self.count("#nodes tbody tr"), 5)
        self.assertEqual(self.count("#shards .cells i.leads"), 64)
        self.assertEqual(self.count("#shards .cells i.copy"), 64)
        self.assertGreater(self.count("#work tbody tr"), 0)
        self.browser.find_element(By.CSS_SELECTOR, "details:has(#job-file) > summary").click()
        eventually(lambda: "embedding_dim: 8" in self.text("#job-file"), "the job opens")
        before = self.text("#facts")
        eventually(lambda: self.text("#facts") != before, "it goes on by itself")
        self.assertEqual(self.complaints(), [])
        sources = self.ask("performance.getEntriesByType('resource').map((each) => each.name)")
        self.assertEqual([each for each in sources if not each.startswith(self.job.url)], [])

    def test_is_usable_by_keyboard_and_screen_reader(self):
        self.wait_until_it_trains()
        self.browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
        focused = self.browser.switch_to.active_element
        self.assertEqual(focused.text, "Skip to the cluster")
        focused.send_keys(Keys.ENTER)
        self.assertEqual(self.browser.switch_to.active_element.get_attribute("id"), "main")
        drawings = self.ask("[...document.querySelectorAll('svg, .cells')].map("
                            "(each) => [each.getAttribute('role'), each.getAttribute('aria-label')])")
        self.assertGreater(len(drawings), 3)
        for role, label in drawings:
            self.assertEqual(role, "img")
            self.assertTrue(label)
        tree = self.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        names = {node["name"]["value"] for node in tree if node.get("name", {}).get("value")}
        for wanted in ("Progress", "Nodes", "Shards", "Checkpoints", "of the pass"):
            self.assertIn(wanted, names)
        self.assertEqual(self.count("th:not([scope])"), 0)

    def test_a_server_that_dies_is_told_of_in_words(self):
        self.wait_until_it_trains()
        os.kill(self.job.pid_of("ps-1"), signal.SIGKILL)
        eventually(lambda: "server ps-1" in self.text("#warnings"), "the warning")
        eventually(lambda: self.count("#shards .cells i.copy") == 64, "whole again")

    def test_a_scheduler_that_hangs_is_told_of(self):
        self.wait_until_it_trains()
        scheduler = self.job.pid_of("scheduler")
        os.kill(scheduler, signal.SIGSTOP)
        eventually(lambda: "No answer from the scheduler" in self.text("#connection"), "it says so")
        os.kill(scheduler, signal.SIGCONT)
        eventually(lambda: self.text("#connection") == "", "and that it is back")

    def test_pictures_for_the_docs(self):
        self.wait_until_it_trains()
        eventually(lambda: self.ask("document.querySelector('#speed polyline').points.length") > 25, "points")
        os.makedirs(PICTURES, exist_ok=True)
        self.browser.save_screenshot(os.path.join(PICTURES, "dashboard-light.png"))
        dark = browser(dark=True)
        narrow = browser(width=480)
        try:
            for each, name in ((dark, "dashboard-dark.png"), (narrow, None)):
                each.get(self.job.url)
                eventually(lambda: each.find_elements(By.CSS_SELECTOR, "#speed polyline"), "it draws")
                if name:
                    each.save_screenshot(os.path.join(PICTURES, name))
            back = dark.execute_script("return getComputedStyle(document.body).backgroundColor")
            self.assertLess(sum(int(part) for part in re.findall(r"\d+", back)[:3]), 150, back)
            wide = narrow.execute_script("return document.documentElement.scrollWidth - innerWidth")
            self.assertLessEqual(wide, 0, "a narrow page does not scroll sideways")
        finally:
            dark.quit()
            narrow.quit()


class Token(unittest.TestCase):
    def test_is_asked_for_once(self):
        job = Job(BINARY, token="let me in")
        page = browser()
        try:
            page.get(job.url)
            ask = page.find_element(By.ID, "ask-token")
            eventually(ask.is_displayed, "it asks")
            field = page.find_element(By.ID, "token")
            field.send_keys("wrong", Keys.ENTER)
            eventually(lambda: "token" in page.find_element(By.ID, "connection").text, "a wrong one")
            field.clear()
            field.send_keys("let me in", Keys.ENTER)
            eventually(lambda: page.find_element(By.ID, "state").text.startswith("running"), "the right one")
            self.assertFalse(ask.is_displayed())
        finally:
            page.quit()
            job.end()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
