"""The page for people: test_page.py CASEHOOKD TRACKER CONNECTOR

CASEHOOKD_SCREENSHOTS names a folder that gets pictures to be looked at.
"""
import base64
import contextlib
import html
import json
import os
import re
import sqlite3
import sys
import unittest

import browser
from daemon import PAGE_PASSWORD, alert, payload, setup

PROGRAM, TRACKER, DOCUMENT = sys.argv[1:4]
del sys.argv[1:4]
LOGIN = "Basic " + base64.b64encode(f"ops:{PAGE_PASSWORD}".encode()).decode()
HOSTILE = '<script>document.title="owned"</script>"\'><img src=x onerror="document.title=1"> \u202egnp.exe &amp; \x07'
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Page(unittest.TestCase):
    def setUp(self):
        setup(self, PROGRAM, TRACKER, DOCUMENT)

    def refusing(self):
        """A connector that the tracker refuses for good: every entry is parked."""
        path = os.path.join(self.daemon.folder, "tracker.json")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("/api/cases\"", "/api/nothing\""))
        return self.daemon.start()

    def put(self, *titles):
        for number, title in enumerate(titles):
            self.assertEqual(self.daemon.post({"title": title, "id": f"c{number}"}, "/cases").status, 202)
        self.daemon.wait_idle()

    def page(self):
        answer = self.daemon.ask("GET", "/", login=LOGIN)
        self.assertEqual(answer.status, 200)
        return answer

    def press(self, action, number=1, token=None, headers=None, **more):
        token = re.search(r'name="token" value="(\w+)"', self.page().text).group(1) if token is None else token
        form = "&".join(f"{name}={value}" for name, value in {"token": token, "id": number, "action": action, **more}.items())
        return self.daemon.ask("POST", "/entries", form, {**FORM, **(headers or {})}, LOGIN)

    def test_login_and_headers(self):
        self.daemon.start()
        for login in (None, "Bearer " + PAGE_PASSWORD, "Basic " + base64.b64encode(b"ops:wrong").decode()):
            answer = self.daemon.ask("GET", "/", login=login)
            self.assertEqual((answer.status, answer.headers["WWW-Authenticate"][:5]), (401, "Basic"))
        headers = self.page().headers
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])
        self.assertEqual((headers["Cache-Control"], headers["X-Content-Type-Options"]), ("no-store", "nosniff"))
        self.assertEqual(self.daemon.ask("POST", "/", "x", login=LOGIN).status, 405)

    def test_no_page_without_login(self):
        del self.daemon.configuration["page"]
        self.daemon.save()
        self.daemon.start()
        self.assertEqual([self.daemon.ask("GET", path, login=LOGIN).status for path in ("/", "/-/style.css")], [404, 404])
        self.assertEqual(self.daemon.ask("POST", "/entries", "", login=LOGIN).status, 404)

    def test_hostile_texts_are_texts(self):
        self.refusing()
        self.put(HOSTILE)
        text = self.page().text
        self.assertNotIn("<script", text)
        self.assertNotIn("<img", text)
        self.assertNotIn("\u202e", text)
        self.assertIn(html.escape('<script>document.title="owned"</script>'), text)

    def test_links_lead_to_the_tracker(self):
        self.daemon.start()
        self.put("A case")
        self.assertIn(f'href="{self.tracker.url}/cases/1"', self.page().text)

    def test_buttons(self):
        self.refusing()
        self.put("one", "two", "three")
        answer = self.press("retry", 1)
        self.assertEqual((answer.status, answer.headers["Location"]), (303, "/?done=retry"))
        self.daemon.wait_idle()
        self.assertEqual(self.press("discard", 2).status, 303)
        self.assertEqual(self.press("done", 3, external="a%26b+c").status, 303)
        numbers = self.daemon.metrics()
        self.assertEqual([numbers[f'casehook_outbox_entries{{state="{state}"}}'] for state in ("parked", "discarded", "done")], [1, 1, 1])
        self.assertEqual(self.press("retry", 2).status, 409)
        self.assertEqual(self.press("retry", 99).status, 409)
        for action, number in (("purge", 1), ("retry", "x"), ("retry", 0), ("retry", "-1"), ("", 1)):
            self.assertEqual(self.press(action, number).status, 400, (action, number))
        self.assertEqual(self.press("done", 1, external="%zz").status, 400)

    def walk(self, name, heading):
        """All entries of a list, from page to page by its links; and the words before the first link."""
        entries, words, path = [], [], "/"
        while path:
            text = self.daemon.ask("GET", path, login=LOGIN).text
            part = text.split(f"<h2>{heading}</h2>")[1].split("<h2>")[0]
            entries.append(re.findall(r'id="e(\d+)"', part))
            older = re.search(rf'<p>([^<]*)<a href="([^"]*list={name}[^"]*)">older ones</a>', part)
            words += older.groups()[:1] if older else []
            path = html.unescape(older.group(2)) if older else None
        return entries, words

    def test_long_lists(self):
        """A list says that there is more of it, and where."""
        self.daemon.start()
        self.put(*(f"case {number}" for number in range(230)))
        entries, words = self.walk("cases", "Cases")
        self.assertEqual([len(part) for part in entries][:2] + words, [100, 100, "", ""])
        self.assertEqual({int(each) for part in entries for each in part}, set(range(1, 231)))
        answer = self.daemon.ask("GET", "/?list=cases&before=1", login=LOGIN).text
        self.assertIn("There are no older ones.", answer)
        self.assertNotIn("Waiting</h2>", answer)
        self.assertIn('<a href="/">', answer)
        for path in ("/?list=nope", "/?list=nope&before=5", "/?before=5", "/?list=cases&before=x", "/?list=cases&before=" + "9" * 30):
            self.assertEqual(self.daemon.ask("GET", path, login=LOGIN).status, 200)

    def test_long_lists_of_what_is_stuck(self):
        self.refusing()
        self.put(*(f"case {number}" for number in range(130)))
        entries, words = self.walk("stuck", "Needs a person")
        self.assertEqual([[int(each) for each in part] for part in entries], [list(range(130, 30, -1)), list(range(30, 0, -1))])
        self.assertEqual(words, ["… and 30 more: "])

    def test_a_case_that_was_deleted_there(self):
        self.daemon.start()
        self.put("one")
        self.assertEqual(self.daemon.end(), 0)
        with contextlib.closing(sqlite3.connect(self.daemon.configuration["outbox"]["location"])) as database, database:
            database.execute("UPDATE casehook_case SET external_id = '999'")  # the tracker has none of that name
        self.daemon.start()
        for number, operation in enumerate(("push", "push", "comment")):
            body = {"id": "c0", "title": "more", "comments": [{"commentId": str(number), "comment": operation}]}
            self.assertEqual(self.daemon.post(body, "/cases?operation=" + operation).status, 202)
        self.daemon.wait_for("all are parked", lambda: self.daemon.metrics()['casehook_outbox_entries{state="parked"}'] == 3)
        # Of two that could make it the newer one says more.
        self.assertEqual([self.press("again", number).status for number in (1, 2, 4, 99)], [409] * 4)
        answer = self.press("again", 3)
        self.assertEqual((answer.status, answer.headers["Location"]), (303, "/?done=again"))
        self.assertIn("The case will be made again.", self.daemon.ask("GET", "/?done=again", login=LOGIN).text)
        self.daemon.wait_idle()
        self.assertEqual([self.press(action, 2).status for action in ("again", "retry")], [409] * 2)
        self.assertEqual(self.press("retry", 4).status, 303)
        self.daemon.wait_idle()
        self.assertEqual([(case["title"], len(case["comments"])) for case in self.tracker.ask("/api/cases")], [("one", 0), ("more", 2)])

    def test_what_was_discarded_gets_no_comments(self):
        self.daemon.configuration["sources"][0].update(onChange="comment", onResolved="comment")
        self.daemon.save()
        self.refusing()
        self.assertEqual(self.daemon.post(payload([alert()])).status, 202)
        self.daemon.wait_idle()
        self.assertEqual(self.press("discard", 1).status, 303)
        for alerts in ([alert(), alert(instance="web-02")], [alert("resolved")]):
            answer = self.daemon.post(payload(alerts))
            self.assertEqual((answer.status, answer.json["status"]), (200, "ignored"), answer.text)

    def test_other_sites_cannot_press(self):
        self.refusing()
        self.put("one")
        for token in ("", "x", "0" * 64):
            self.assertEqual(self.press("retry", token=token).status, 403)
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
                        {"Sec-Fetch-Site": "same-site"}):
            self.assertEqual(self.press("retry", headers=headers).status, 403, headers)
        self.assertEqual(self.daemon.ask("POST", "/entries", "token=x", FORM).status, 401)
        self.assertEqual(self.press("retry", headers={"Origin": f"http://127.0.0.1:{self.daemon.port}",
                                                      "Sec-Fetch-Site": "same-origin"}).status, 303)
        self.daemon.wait_idle()
        # A proxy that changes Host: what the browser says of the site is enough.
        self.assertEqual(self.press("retry", headers={"Origin": "https://alerts.example", "Sec-Fetch-Site": "same-origin"}).status, 303)
        self.daemon.wait_line("entry 1: retry, by ops from the page")

    # ---- in a browser --------------------------------------------------------------------------

    def browser(self):
        program = browser.find()
        if not program:
            self.skipTest("chromium is not installed")
        shown = browser.Browser(program)
        self.addCleanup(shown.close)
        shown.login("ops", PAGE_PASSWORD)
        return shown

    def look(self, shown, name, width, dark=False):
        """Opens the page; nothing may be wider than the window, nothing may be refused by the policy."""
        shown.window(width, 800, dark)
        shown.open(f"http://127.0.0.1:{self.daemon.port}/")
        self.assertEqual(shown.evaluate("document.title"), "casehookd")
        self.assertLessEqual(shown.evaluate("document.documentElement.scrollWidth"), width)
        self.assertEqual([each["entry"]["text"] for each in shown.named("Log.entryAdded")
                          if "favicon" not in json.dumps(each)], [])
        background = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        light = sum(int(part) for part in re.findall(r"\d+", background)[:3]) > 380
        self.assertEqual(light, not dark, background)
        if os.environ.get("CASEHOOKD_SCREENSHOTS"):
            shown.screenshot(os.path.join(os.environ["CASEHOOKD_SCREENSHOTS"], name + ".png"))

    def test_empty_and_busy(self):
        self.daemon.start()
        shown = self.browser()
        self.look(shown, "empty", 900)
        self.put(*(f"Case {number} {'long ' * number}" for number in range(20)), "W" * 400)
        self.look(shown, "busy", 900)
        self.look(shown, "busy-phone", 360, dark=True)
        self.assertEqual(shown.evaluate("document.querySelectorAll('li.good a').length"), 21)

    def test_parked_and_hostile(self):
        self.refusing()
        self.put(HOSTILE, "Disk full", "x" * 3000)
        shown = self.browser()
        self.look(shown, "parked", 900)
        self.look(shown, "parked-dark", 900, dark=True)
        self.look(shown, "parked-phone", 360)
        self.assertEqual(shown.evaluate("document.querySelectorAll('script, img').length"), 0)
        self.assertEqual(shown.evaluate("document.querySelectorAll('li.bad').length"), 3)
        # A person, a mouse: the newest one is tried again, then discarded.
        shown.click("document.querySelector('li.bad button[value=retry]')")
        self.assertEqual(shown.evaluate("document.querySelector('[role=status]').textContent"), "It will be tried again.")
        self.daemon.wait_idle()
        shown.open(f"http://127.0.0.1:{self.daemon.port}/")
        shown.click("document.querySelector('li.bad button[value=discard]')")
        self.assertEqual(shown.evaluate("document.querySelectorAll('li.bad').length"), 2)
        self.assertEqual(self.daemon.metrics()['casehook_outbox_entries{state="discarded"}'], 1)

    def test_buttons_over_plain_http(self):
        """From another machine, without TLS, browsers say less of where a request comes from."""
        self.refusing()
        self.put("one")
        shown = self.browser()
        shown.open(f"http://plain.example:{self.daemon.port}/")
        self.assertFalse(shown.evaluate("isSecureContext"))
        shown.click("document.querySelector('li.bad button[value=discard]')")
        self.assertEqual(shown.evaluate("document.querySelector('[role=status]')?.textContent"), "It was discarded.")


if __name__ == "__main__":
    unittest.main(verbosity=2)
