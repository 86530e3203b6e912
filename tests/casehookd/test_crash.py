"""What was accepted survives kill -9, a tracker that fails, and a stop in between: test_crash.py CASEHOOKD TRACKER CONNECTOR

Payloads are sent again until they are accepted, as Alertmanager does; the daemon is killed at random moments meanwhile.
"""
import random
import sys
import threading
import unittest

from daemon import PATIENCE, alert, check_lives, life, payload, setup

PROGRAM, TRACKER, DOCUMENT = sys.argv[1:4]
del sys.argv[1:4]
GROUPS, KILLS = 60, 12


class Crash(unittest.TestCase):
    def group(self, number):
        for value in life(number):
            self.daemon.post_until_accepted(value, self.over)

    def campaign(self, *faults):
        setup(self, PROGRAM, TRACKER, DOCUMENT, *faults)
        self.over = threading.Event()
        self.addCleanup(self.over.set)
        # The tracker knows what it has had by the idempotency key, so what is unknown is found out.
        self.daemon.configuration["settings"] = {"retry.findDelay": "10ms"}
        self.daemon.save()
        self.daemon.start()
        threads = [threading.Thread(target=self.group, args=(number,)) for number in range(GROUPS)]
        moments = random.Random(7)
        for thread in threads:
            thread.start()
        kills = 0
        while any(thread.is_alive() for thread in threads) or kills < KILLS:
            self.over.wait(moments.uniform(0.01, 0.3))
            self.daemon.end(9)
            self.daemon.start()
            kills += 1
            if kills >= KILLS:
                break
        for thread in threads:
            thread.join(PATIENCE)
            self.assertFalse(thread.is_alive())
        self.daemon.wait_idle()
        check_lives(self, self.tracker, GROUPS)
        self.assertEqual(self.daemon.end(), 0)

    def test_killed_under_load(self):
        self.campaign()

    def test_killed_while_answers_are_lost(self):
        self.campaign("drop-after-commit:create:5", "drop-after-commit:comment:7", "status=503:update:11")

    def test_stopped_while_sending(self):
        """SIGTERM: what is in flight ends, what waits is there after the next start."""
        setup(self, PROGRAM, TRACKER, DOCUMENT)
        self.daemon.configuration["outbox"]["maxSending"] = 2
        self.daemon.save()
        self.daemon.start()
        for number in range(100):
            self.assertEqual(self.daemon.post({"title": "x", "id": f"c{number}"}, "/cases").status, 202)
        self.assertEqual(self.daemon.end(), 0)
        done = len(self.tracker.ask("/api/cases"))
        self.daemon.start()
        self.daemon.wait_idle()
        self.assertLessEqual(done, 100)
        self.assertEqual(len(self.tracker.ask("/api/cases")), 100)

    def test_a_tracker_that_is_away(self):
        setup(self, PROGRAM, TRACKER, DOCUMENT)
        document = self.daemon.folder + "/tracker.json"
        with open(document, encoding="utf-8") as file:
            right = file.read()
        with open(document, "w", encoding="utf-8") as file:
            file.write(right.replace(self.tracker.url, "http://127.0.0.1:9"))
        self.daemon.start()
        for number in range(3):
            self.assertEqual(self.daemon.post(payload([alert()], key=str(number))).status, 202)
        self.daemon.wait_for("attempts", lambda: self.daemon.metrics()["casehook_outbox_retried_total"] >= 6)
        self.assertEqual(self.daemon.ask("GET", "/-/ready").status, 200)
        self.daemon.end(9)
        with open(document, "w", encoding="utf-8") as file:
            file.write(right)
        self.daemon.start()
        self.daemon.wait_idle()
        self.assertEqual(len(self.tracker.ask("/api/cases")), 3)

    def test_a_full_outbox(self):
        setup(self, PROGRAM, TRACKER, DOCUMENT)
        self.daemon.configuration["outbox"]["maxEntries"] = 5
        self.daemon.configuration["connectors"]["tracker"] = {"file": "tracker.json"}
        with open(self.daemon.folder + "/tracker.json", encoding="utf-8") as file:
            text = file.read()
        with open(self.daemon.folder + "/tracker.json", "w", encoding="utf-8") as file:
            file.write(text.replace(self.tracker.url, "http://127.0.0.1:9"))
        self.daemon.save()
        self.daemon.start()
        statuses = [self.daemon.post(payload([alert()], key=str(number))).status for number in range(8)]
        self.assertEqual(statuses, [202] * 5 + [503] * 3)
        answer = self.daemon.post(payload([alert()], key="9"))
        self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "60"))
        self.assertEqual(self.daemon.metrics()['casehook_source_requests_total{source="alertmanager",result="full"}'], 4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
