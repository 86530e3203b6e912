"""Two daemons on one PostgreSQL, told the same by two Alertmanagers: test_machines.py CASEHOOKD TRACKER CONNECTOR postgresql://...

Each notification goes to both, at the same time, until both have accepted it; one or the other is killed meanwhile.
"""
import os
import random
import sys
import tempfile
import threading
import unittest

from daemon import PATIENCE, Daemon, check_lives, life
from server import Tracker

PROGRAM, TRACKER, DOCUMENT, LOCATION = sys.argv[1:5]
del sys.argv[1:5]
GROUPS, KILLS = 30, 10


class Machines(unittest.TestCase):
    def start(self, name):
        folder = os.path.join(self.folder.name, name)
        os.mkdir(folder)
        daemon = Daemon(PROGRAM, DOCUMENT, folder, self.tracker.url, settings={"retry.findDelay": "10ms", "responseTimeout": "1700ms"},
                        outbox={"location": LOCATION, "retryBase": "20ms", "retryMax": "100ms", "lease": "2s"})
        self.addCleanup(lambda: daemon.end(9))
        return daemon.start()

    def setUp(self):
        self.tracker = Tracker(TRACKER, "drop-after-commit:create:5", "status=503:update:11")
        self.addCleanup(self.tracker.close)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.over = threading.Event()
        self.addCleanup(self.over.set)
        self.daemons = [self.start(name) for name in ("one", "two")]

    def group(self, number):
        for value in life(number):
            senders = [threading.Thread(target=daemon.post_until_accepted, args=(value, self.over)) for daemon in self.daemons]
            for each in senders:
                each.start()
            for each in senders:
                each.join()

    def test_told_twice_and_killed(self):
        threads = [threading.Thread(target=self.group, args=(number,)) for number in range(GROUPS)]
        for thread in threads:
            thread.start()
        moments = random.Random(7)
        for kill in range(KILLS):
            self.over.wait(moments.uniform(0.05, 0.4))
            self.daemons[kill % 2].end(9)
            self.daemons[kill % 2].start()
        for thread in threads:
            thread.join(PATIENCE)
            self.assertFalse(thread.is_alive())
        self.daemons[0].wait_idle()
        check_lives(self, self.tracker, GROUPS)
        for daemon in self.daemons:
            self.assertEqual(daemon.end(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
