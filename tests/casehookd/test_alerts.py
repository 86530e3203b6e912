"""Alerts become cases, and live as these do: test_alerts.py CASEHOOKD TRACKER CONNECTOR TOOL"""
import base64
import contextlib
import datetime
import json
import sqlite3
import subprocess
import sys
import threading
import unittest
import urllib.request

from daemon import PASSWORD, PATIENCE, TOKEN, USER, alert, payload, setup

PROGRAM, TRACKER, DOCUMENT, TOOL = sys.argv[1:5]
del sys.argv[1:5]


class Alerts(unittest.TestCase):
    def setUp(self):
        setup(self, PROGRAM, TRACKER, DOCUMENT)

    def source(self, **changes):
        self.daemon.configuration["sources"][0].update(changes)
        self.daemon.save()
        return self.daemon.start()

    def send(self, alerts, wanted="stored", **members):
        answer = self.daemon.post(payload(alerts, **members))
        self.assertEqual((answer.json["status"], answer.status), (wanted, 202 if wanted == "stored" else 200), answer.text)
        self.daemon.wait_idle()
        return answer.json

    def cases(self):
        return self.tracker.ask("/api/cases")

    def texts(self, case):
        return [each["text"] for each in case["comments"]]

    def test_a_life(self):
        self.source()
        first = self.send([alert()])
        self.assertRegex(first["case"], r"^am-[0-9a-f]{32}$")
        again = self.send([alert()], "known")
        self.assertEqual(again["case"], first["case"])
        [case] = self.cases()
        self.assertEqual((case["title"], case["status"], case["reference"], self.texts(case)),
                         ("DiskFull on web-01", "open", first["case"], []))
        self.assertIn("alertname: DiskFull\n", case["description"])

        self.send([alert(), alert(instance="web-02")])
        [case] = self.cases()
        self.assertEqual(case["status"], "open")
        self.assertIn("web-02", case["description"])
        self.assertEqual(len(case["comments"]), 1)
        self.assertIn("2 firing, 0 resolved.", self.texts(case)[0])
        # What it said at first is something new now.
        self.send([alert()])
        self.assertEqual(len(self.cases()[0]["comments"]), 2)

        self.send([alert("resolved")])
        self.send([alert("resolved")], "known")
        self.send([alert("resolved"), alert("resolved", instance="web-02")], "ignored")
        [case] = self.cases()
        self.assertEqual((case["status"], len(case["comments"])), ("closed", 3))
        self.assertIn("Resolved.", self.texts(case)[2])

        self.send([alert(starts="2026-01-02T00:00:00Z")])
        [case] = self.cases()
        self.assertEqual((case["status"], len(case["comments"])), ("open", 4))

    def test_a_repetition_after_all_that(self):
        """What is old is deleted; what was said of a case last is known as long as the case is."""
        self.daemon.configuration["outbox"]["keepFinished"] = "1s"
        self.source()
        first = self.send([alert()])
        self.assertEqual(self.daemon.end(), 0)
        with contextlib.closing(sqlite3.connect(self.daemon.configuration["outbox"]["location"])) as database, database:
            database.execute("UPDATE casehook_entry SET due = due - 5000 WHERE state = 6")
        self.daemon.start()  # which deletes with the first thing that it does
        self.send([alert(name="Other")], key="other")
        self.assertEqual(self.send([alert()], "known")["case"], first["case"])
        self.assertEqual(len(self.cases()), 2)
        self.send([alert("resolved")])
        self.assertEqual({case["reference"]: case["status"] for case in self.cases()}[first["case"]], "closed")

    def test_order_of_alerts_is_no_news(self):
        self.source()
        pair = [alert(), alert(instance="web-02")]
        common = {"commonLabels": {"alertname": "DiskFull"}}
        self.send(pair, **common)
        pair[0]["annotations"] = dict(reversed(pair[0]["annotations"].items()))
        self.send(pair, "known", **common)

    def test_who_sends_is_no_news(self):
        """Each Alertmanager of a pair has an address of its own, as have the Prometheus servers behind it."""
        self.source(case={"description": "{{#firingAlerts}}{{annotations.summary}} {{generatorURL}}{{/firingAlerts}} {{externalURL}}"})
        for round in range(3):
            for sender in ("am-1", "am-2"):
                each = alert()
                each["generatorURL"] = f"http://prometheus-{sender}/graph"
                self.send([each], "known" if round or sender == "am-2" else "stored", externalURL=f"http://{sender}:9093")
        [case] = self.cases()
        self.assertEqual((case["description"], case["comments"]),
                         ("DiskFull on web-01 http://prometheus-am-1/graph http://am-1:9093", []))
        # What is said of the alerts is news.
        changed = alert()
        changed["annotations"]["summary"] = "worse"
        self.send([changed], externalURL="http://am-2:9093")
        [case] = self.cases()
        self.assertEqual((case["description"], len(case["comments"])), ("worse http://prometheus http://am-2:9093", 1))

    def test_default_texts_of_a_pair(self):
        self.source()
        for number in range(4):
            self.send([alert()], "known" if number else "stored", externalURL=f"http://am-{number % 2}:9093")
        [case] = self.cases()
        self.assertEqual((case["description"].splitlines()[-1], case["comments"]), ("http://am-0:9093", []))

    def test_who_sends_from_grafana(self):
        """Its addresses hold the time of the notification as well."""
        self.source(type="grafana", path="/alertmanager", login={"bearer": TOKEN}, case={
            "description": "{{#alerts}}{{silenceURL}} {{dashboardURL}} {{panelURL}} {{imageURL}}{{/alerts}} {{externalURL}}"})
        self.daemon.configuration["sources"][1]["path"] = "/other"
        for number in range(2):
            each = {**alert(), **{name: f"http://grafana-{number}/?to={number}" for name in
                                  ("generatorURL", "silenceURL", "dashboardURL", "panelURL", "imageURL")}}
            self.send([each], "known" if number else "stored", version="1", orgId=1, externalURL=f"http://grafana-{number}/")
        self.assertEqual(self.cases()[0]["comments"], [])

    def send_common(self, alerts, *wanted):
        """With what is common to all of them, as Alertmanager counts it."""
        def common(name):
            return dict(sorted(set.intersection(*(set(each[name].items()) for each in alerts))))
        self.send(alerts, *wanted, commonLabels=common("labels"), commonAnnotations=common("annotations"))

    def test_what_was_resolved_is_said_once(self):
        """The repetition of what fires leaves out what was told to be resolved."""
        self.source()
        first, second = alert(), alert(instance="web-02")
        self.send_common([first, second])
        self.send_common([alert("resolved"), second])
        self.send_common([second], "known")
        self.send_common([alert("resolved"), second], "known")
        self.assertEqual(len(self.cases()[0]["comments"]), 1)
        # One that came and went between two notifications is told, and so is the first one when it fires again.
        self.send_common([alert("resolved", instance="web-03"), second])
        self.send_common([second], "known")
        self.send_common([alert(starts="2026-01-02T00:00:00Z"), second])
        [case] = self.cases()
        self.assertEqual(["web-03" in text for text in self.texts(case)], [False, True, False])
        self.send_common([alert("resolved"), alert("resolved", instance="web-02")])
        self.send_common([alert("resolved")], "ignored")
        [case] = self.cases()
        self.assertEqual((case["status"], len(case["comments"])), ("closed", 4))

    def test_groups_are_cases(self):
        self.source(idPrefix="prod-")
        for number in range(5):
            self.assertTrue(self.send([alert()], key=f"group {number}")["case"].startswith("prod-"))
        self.assertEqual(len(self.cases()), 5)

    def test_reactions(self):
        self.source(onChange="comment", onResolved="comment",
                    comments={"changed": "{{firingCount}} fire", "resolved": "{{#resolvedAlerts}}{{labels.instance}} {{/resolvedAlerts}}"})
        self.send([alert()])
        description = self.cases()[0]["description"]
        self.send([alert(), alert(instance="web-02")])
        self.send([alert("resolved"), alert("resolved", instance="web-02")])
        [case] = self.cases()
        self.assertEqual((case["status"], case["description"], self.texts(case)),
                         ("open", description, ["2 fire", "web-01 web-02"]))

    def test_nothing_but_the_case(self):
        self.source(onChange="none", onResolved="none")
        self.send([alert()])
        self.send([alert(), alert(instance="web-02")], "ignored")
        self.send([alert("resolved")], "ignored")
        [case] = self.cases()
        self.assertEqual((case["status"], case["comments"]), ("open", []))

    def test_without_comments(self):
        self.source(onChange="update", onResolved="close")
        self.send([alert()])
        self.send([alert(), alert(instance="web-02")])
        self.send([alert("resolved")])
        [case] = self.cases()
        self.assertEqual((case["status"], case["comments"]), ("closed", []))

    def finding(self, **changes):
        """onRefire find: the connector says that what was closed is not found, so there is a new case."""
        path = self.daemon.folder + "/tracker.json"
        with open(path, encoding="utf-8") as file:
            connector = json.load(file)
        connector["config"].update(findIncident="always", findIncidentResponseStatusKey="items[0].status",
                                   closedStatuses=["closed"], whenClosed="create")
        self.daemon.write("tracker.json", connector)
        self.source(onRefire="find", **changes)

    def close_by_hand(self, reference):
        [number] = [case["id"] for case in self.cases() if case["reference"] == reference]
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(f"{self.tracker.url}/api/cases/{number}", b'{"status": "closed"}', method="PUT",
                                         headers={"Content-Type": "application/json", "Authorization": "Basic " + login})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            self.assertEqual(answer.status, 200)

    def test_a_case_that_a_person_closed(self):
        """The end could not be delivered, or was discarded: the case is looked for anew all the same."""
        self.finding(onResolved="close")
        for discarded in (False, True):
            key = f"group {discarded}"
            case = self.send([alert()], key=key)["case"]
            end = self.send([alert("resolved")], key=key, commonLabels={"alertname": "x" * 1025})  # which the tracker refuses
            self.assertEqual(self.daemon.metrics()['casehook_outbox_entries{state="parked"}'], 1)
            if discarded:
                self.outbox("discard", end["entry"])
            self.close_by_hand(case)
            self.send([alert(starts="2026-01-02T00:00:00Z")], key=key)
            self.assertEqual([each["status"] for each in self.cases() if each["reference"] == case], ["closed", "open"], discarded)
            if not discarded:
                self.outbox("discard", end["entry"])

    def test_it_fires_before_its_end_is_told(self):
        """Nothing is forgotten while something of the case is on its way, of a program too: it is accepted, behind that."""
        self.finding()
        first, second = (self.send([alert()], key=key)["case"] for key in "12")
        self.send([alert("resolved")], key="2")
        self.tracker.close()
        self.daemon.post(payload([alert("resolved")], key="1"))
        self.daemon.post({"id": second, "comments": [{"commentId": "1", "comment": "x"}]}, "/cases?operation=comment")
        for key, case in (("1", first), ("2", second)):
            answer = self.daemon.post(payload([alert(starts="2026-01-02T00:00:00Z")], key=key))
            self.assertEqual((answer.status, answer.json.get("case")), (202, case), answer.text)

    def test_a_closed_case_is_left_alone(self):
        self.finding()
        self.send([alert()])
        self.send([alert("resolved")])
        again = self.send([alert(starts="2026-01-02T00:00:00Z")])
        self.send([alert(starts="2026-01-02T00:00:00Z")], "known")
        self.send([alert(starts="2026-01-02T00:00:00Z"), alert(instance="web-02")])
        first, second = self.cases()
        self.assertEqual((first["status"], second["status"]), ("closed", "open"))
        self.assertEqual({first["reference"], second["reference"]}, {again["case"]})
        self.assertEqual((len(first["comments"]), len(second["comments"])), (1, 2))

    def comment(self, case, number, path="/cases", **headers):
        """What a program says of the case of an alert."""
        answer = self.daemon.post({"id": case, "comments": [{"commentId": f"p{number}", "comment": f"program {number}"}]},
                                  path + "?operation=comment", **headers)
        self.assertEqual(answer.status, 202, answer.text)
        self.daemon.wait_idle()

    def test_what_programs_say_between(self):
        """What was said of the alerts last is known, whatever programs have put for their case since."""
        self.source()
        case = self.send([alert()])["case"]
        for number in range(3):
            self.comment(case, number)
        self.send([alert()], "known")
        self.send([alert("resolved")])
        for number in range(3, 120):
            self.comment(case, number)
        self.send([alert("resolved")], "known")
        self.assertEqual([case["status"] for case in self.cases()], ["closed"])
        self.send([alert(starts="2026-01-02T00:00:00Z")])
        self.send([alert(starts="2026-01-02T00:00:00Z")], "known")
        self.assertEqual([(case["status"], len(case["comments"])) for case in self.cases()], [("open", 122)])
        # The same lives with the same words again: each is an entry of its own.
        for _ in range(2):
            self.comment(case, _ + 200)
            self.send([alert("resolved", starts="2026-01-02T00:00:00Z")])
            self.comment(case, _ + 300)
            self.send([alert(starts="2026-01-02T00:00:00Z")])
        self.assertEqual([(case["status"], len(case["comments"])) for case in self.cases()], [("open", 130)])

    def test_keys_that_look_like_those_of_alerts(self):
        self.daemon.configuration["sources"] += [
            {"type": "cases", "connector": "tracker", "login": {"bearer": TOKEN}, "path": "/" + name, "name": name}
            for name in ("runbooks", "fc", "r-" + "0" * 32 + "-1")]
        self.source()
        for number, source in enumerate(self.daemon.configuration["sources"][3:]):
            case = self.send([alert()], key=str(number))["case"]
            self.comment(case, number, source["path"], **{"Idempotency-Key": f"0b0e5e3c-6c0e-4d0f-9f5e-2d1f3f4a5b6{number}"})
            self.send([alert("resolved")], key=str(number))
            self.comment(case, number + 10, source["path"], **{"Idempotency-Key": "7"})
            self.send([alert("resolved")], "known", key=str(number))
        self.assertEqual([case["status"] for case in self.cases()], ["closed"] * 3)

    def test_when_only_programs_are_remembered(self):
        """What was said is not known any more: the case is opened, as for the first time, rather than left closed."""
        self.daemon.configuration["outbox"]["keepFinished"] = "1s"
        self.source(onChange="comment")
        case = self.send([alert()])["case"]
        self.send([alert("resolved")])
        self.comment(case, 1)
        self.assertEqual(self.daemon.end(), 0)
        with contextlib.closing(sqlite3.connect(self.daemon.configuration["outbox"]["location"])) as database, database:
            database.execute("UPDATE casehook_entry SET due = due - 5000 WHERE state = 6")
        self.daemon.start()  # which deletes with the first thing that it does
        self.send([alert(name="Other")], key="other")
        self.send([alert()])
        self.assertEqual({case["title"]: case["status"] for case in self.cases()}, {"DiskFull on web-01": "open", "Other on web-01": "open"})

    def test_an_end_without_a_beginning(self):
        self.source()
        self.send([alert("resolved")], "ignored")
        self.assertEqual(self.cases(), [])
        numbers = self.daemon.metrics()
        self.assertEqual((numbers['casehook_outbox_entries{state="parked"}'], numbers["casehook_outbox_put_total"]), (0, 0))
        self.send([alert()])
        self.assertEqual(self.texts(self.cases()[0]), [])

    def outbox(self, word, which, *more):
        """Beside the daemon: which may have the entry in its hand just then."""
        location = self.daemon.configuration["outbox"]["location"]

        def decided():
            done = subprocess.run([TOOL, "outbox", word, which, *more, "--outbox", location], stderr=subprocess.PIPE, text=True,
                                  timeout=PATIENCE)
            if done.returncode and "is being sent" not in done.stderr:
                raise AssertionError(done.stderr)
            return done.returncode == 0
        self.daemon.wait_for(f"entry {which} in nobody's hand", decided)

    def test_an_end_of_what_was_never_made(self):
        self.source(case={"title": "{{commonAnnotations.summary}}"})
        long = {"commonAnnotations": {"summary": "x" * 1025}}  # which the tracker refuses
        first = self.send([alert()], **long)
        self.assertEqual(self.daemon.metrics()['casehook_outbox_entries{state="parked"}'], 1)
        self.outbox("discard", first["entry"])
        self.assertEqual(self.send([alert("resolved")], "ignored")["reason"], "there is no case to close")
        self.assertEqual(self.cases(), [])
        # What is parked may make one yet: its end is kept behind it, and makes none itself.
        parked = self.send([alert()], key="2", **long)["entry"]
        end = self.send([alert("resolved")], key="2")["entry"]
        self.assertEqual(self.daemon.metrics()['casehook_outbox_entries{state="parked"}'], 2)
        self.assertEqual(self.cases(), [])
        for entry in (end, parked):
            self.outbox("discard", entry)
        # The next time that the first one fires is a case as any other.
        self.send([alert(starts="2999-01-02T00:00:00Z")])
        self.send([alert("resolved", starts="2999-01-02T00:00:00Z")])
        [case] = self.cases()
        self.assertEqual((case["status"], len(case["comments"])), ("closed", 1))

    def test_what_was_discarded_is_not_made_by_a_change(self):
        for change in ("both", "update", "comment"):
            self.source(onChange=change, case={"title": "{{commonAnnotations.summary}}"})
            first = self.send([alert()], key=change, commonAnnotations={"summary": "x" * 1025})
            self.outbox("discard", first["entry"])
            self.assertEqual(self.send([alert(), alert(instance="web-02")], "ignored", key=change)["reason"], "there is no case to change")
            self.assertEqual(self.daemon.end(), 0)
        self.assertEqual(self.cases(), [])

    def test_it_fires_after_its_case_was_forgotten(self):
        for number, change in enumerate(("none", "comment", "update", "both")):
            self.source(onChange=change, case={"openStatus": "in-progress"})
            case = self.send([alert()], key=change)["case"]
            self.outbox("forget", case, "--to", "tracker")
            self.send([alert("resolved")], "ignored", key=change)
            self.send([alert(starts="2026-01-02T00:00:00Z")], key=change)
            self.assertEqual([case["status"] for case in self.cases()[2 * number:]], ["in-progress"] * 2, change)
            self.send([alert("resolved", starts="2026-01-02T00:00:00Z")], key=change)
            self.assertEqual([case["status"] for case in self.cases()[2 * number:]], ["in-progress", "closed"], change)
            self.assertEqual(self.daemon.end(), 0)

    def test_it_changes_after_its_case_was_forgotten(self):
        """What was put for it is parked, which cannot make the case."""
        self.source(onChange="comment")
        case = self.send([alert()])["case"]
        self.assertEqual(self.daemon.end(), 0)
        with contextlib.closing(sqlite3.connect(self.daemon.configuration["outbox"]["location"])) as database, database:
            database.execute("UPDATE casehook_case SET external_id = '999'")  # the tracker has none of that name
        self.daemon.start()
        self.send([alert(), alert(instance="web-02")])
        self.assertEqual(self.daemon.metrics()['casehook_outbox_entries{state="parked"}'], 1)
        self.outbox("forget", case, "--to", "tracker")
        self.send([alert(), alert(instance="web-03")])
        self.assertEqual(len(self.cases()), 2)

    def test_it_fires_after_what_was_discarded(self):
        """The group has a case again when all of it began after the discarded entry was put, however its time is written."""
        self.source(case={"title": "{{commonAnnotations.summary}}"}, onChange="comment")
        long = {"commonAnnotations": {"summary": "x" * 1025}}  # which the tracker refuses
        first = self.send([alert()], **long)
        self.outbox("discard", first["entry"])
        self.send([alert("resolved")], "ignored")
        # What began before it, or at a time that cannot be read, is what somebody has discarded.
        for starts in ("2026-01-01T00:00:01Z", "1999-12-31T23:59:60+00:00", "tomorrow", "", "2999-01-01", "2999-01-01T00:00:00",
                       "2999-13-01T00:00:00Z", "2999-01-01T00:00:00+1:00", "2999-01-01T00:00:00.Z", "2999-01-01T00:00:00Z ", None):
            self.assertEqual(self.send([alert(starts="2999-01-01T00:00:00Z"), alert(instance="web-02", starts=starts)],
                                       "ignored")["reason"], "there is no case to change", starts)
        now = datetime.datetime.now(datetime.timezone.utc)
        zones = [datetime.timezone(datetime.timedelta(hours=hours, minutes=hours * 5)) for hours in (-6, 9)]
        for zone in zones:
            self.send([alert(starts=(now - datetime.timedelta(minutes=1)).astimezone(zone).isoformat())], "ignored")
        self.assertEqual(self.cases(), [])
        texts = [(now + datetime.timedelta(minutes=1)).astimezone(zone).isoformat() for zone in zones]
        self.send_common([alert(starts=texts[0]), alert(instance="web-02", starts=texts[1]), alert("resolved", instance="web-03")])
        self.send_common([alert(starts=texts[0]), alert(instance="web-02", starts=texts[1])], "known")
        self.send([alert("resolved", starts=texts[0])])
        self.assertEqual([(case["status"], len(case["comments"])) for case in self.cases()], [("closed", 1)])

    def test_it_fires_after_more_than_one_was_discarded(self):
        self.source(case={"title": "{{commonAnnotations.summary}}"}, onChange="none")
        long = {"commonAnnotations": {"summary": "x" * 1025}}
        for year in (2026, 2100, 2400):
            entry = self.send([alert(starts=f"{year}-02-28T00:00:00.123456789Z")], **long)["entry"]
            self.outbox("discard", entry)
            self.send([alert("resolved")], "ignored")
        self.assertEqual(self.daemon.metrics()["casehook_outbox_put_total"], 3)
        # A case that is there is another thing: what was discarded was said of it.
        self.send([alert()], key="2")
        end = self.send([alert("resolved")], key="2", **long)["entry"]
        self.outbox("discard", end)
        self.send([alert(starts="2999-01-01T00:00:00Z")], key="2")
        self.assertEqual([case["status"] for case in self.cases()], ["open"])

    def test_what_is_too_long_to_be_put(self):
        """That is not a case that is not there: the answer, the log and the metrics say what is wrong."""
        text = "{{#alerts}}{{annotations.summary}}{{annotations.summary}}{{/alerts}}"
        wanted = "what is to be put has more than 7 MiB"
        for number, (status, change) in enumerate((("resolved", {"onResolved": "both"}), ("resolved", {"onResolved": "comment"}),
                                                   ("firing", {"onChange": "comment"}))):
            self.source(name="s", maxBody="7mb", comments={"resolved": text, "changed": text}, **change)
            common = {"commonLabels": {"alertname": "DiskFull"}, "key": f"group {number}"}
            self.send([alert()], **common)
            alerts = [alert(status, instance=f"web-{each}") for each in range(60)]
            for each in alerts:
                each["annotations"] = {"summary": "x" * 64000}
            answer = self.daemon.post(payload(alerts, **common))
            self.assertEqual(answer.status, 422, answer.text)
            self.assertIn(wanted, answer.json["error"])
            self.assertEqual(self.daemon.metrics()['casehook_source_requests_total{source="s",result="invalid"}'], 1)
            self.assertEqual(self.daemon.end(), 0)
            self.assertTrue(any("s: payload refused: " + wanted in line for line in self.daemon.lines), self.daemon.lines)
        self.assertEqual([(case["status"], len(case["comments"])) for case in self.cases()], [("open", 0)] * 3)

    def test_an_end_of_what_was_forgotten(self):
        self.source()
        case = self.send([alert()])["case"]
        self.outbox("forget", case, "--to", "tracker")
        self.assertEqual(self.send([alert("resolved")], "ignored")["reason"], "there is no case to close")
        self.assertEqual([case["status"] for case in self.cases()], ["open"])

    def test_an_end_behind_what_waits(self):
        """It is one entry, which a person is asked about when nothing is left that could make its case."""
        self.source()
        self.tracker.close()
        first = self.daemon.post(payload([alert()])).json
        self.assertEqual(self.daemon.post(payload([alert("resolved")])).json["status"], "stored")
        self.outbox("discard", first["entry"])
        self.daemon.wait_for("its end is parked", lambda: self.daemon.metrics()['casehook_outbox_entries{state="parked"}'] == 1)
        self.assertEqual(self.daemon.metrics()["casehook_outbox_put_total"], 2)

    def test_an_end_while_it_fires_again(self):
        """Whichever was first: no case is open of which the end was answered with nothing to be done."""
        self.source()
        for number in range(10):
            key = f"group {number}"
            self.daemon.post(payload([alert()], key=key))
            self.daemon.wait_idle()
            both = [threading.Thread(target=self.daemon.post, args=(payload([alert(status, starts=starts)], key=key),))
                    for status, starts in (("resolved", "2026-01-01T00:00:00Z"), ("firing", "2026-01-02T00:00:00Z"))]
            for thread in both:
                thread.start()
            for thread in both:
                thread.join()
            self.daemon.post(payload([alert("resolved", starts="2026-01-02T00:00:00Z")], key=key))
        self.daemon.wait_idle()
        self.assertEqual([case["status"] for case in self.cases()], ["closed"] * 10)

    def test_an_end_without_comments(self):
        """As with a push: a connector that has no call for them leaves them out."""
        path = self.daemon.folder + "/tracker.json"
        with open(path, encoding="utf-8") as file:
            connector = json.load(file)
        for name in [each for each in connector["config"] if each.startswith("createComment")]:
            del connector["config"][name]
        self.daemon.write("tracker.json", connector)
        self.source()
        self.send([alert()])
        self.send([alert("resolved")])
        self.send([alert("resolved")], "known")
        [case] = self.cases()
        self.assertEqual((case["status"], case["comments"]), ("closed", []))
        self.assertEqual(self.daemon.metrics()['casehook_outbox_entries{state="parked"}'], 0)

    def test_an_end_without_entries(self):
        """The case is remembered all the same."""
        self.source()
        self.send([alert()])
        self.assertEqual(self.daemon.end(), 0)
        with contextlib.closing(sqlite3.connect(self.daemon.configuration["outbox"]["location"])) as database, database:
            database.execute("DELETE FROM casehook_entry")
        self.daemon.start()
        self.send([alert("resolved")])
        self.send([alert("resolved")], "known")
        [case] = self.cases()
        self.assertEqual((case["status"], len(case["comments"])), ("closed", 1))

    def test_texts_of_a_case(self):
        self.source(case={"title": " {{commonLabels.alertname}}:\n{{#alerts}}{{labels.instance}}{{^@last}}, {{/@last}}{{/alerts}} ",
                          "description": "{{{commonAnnotations.summary}}} {{commonLabels.q}}", "severity": "{{commonLabels.severity}}",
                          "tags": ["fixed", "{{commonLabels.team}}", "{{commonLabels.nothing}}"],
                          "fields": {"host": "{{commonLabels.instance}}", "count": "{{alertCount}}"},
                          "openStatus": "in-progress"})
        self.send([alert(severity="critical", team="infra", q='"<&>\\'), alert(instance="web-02")],
                  commonAnnotations={"summary": "{{commonLabels.team}}"})
        [case] = self.cases()
        self.assertEqual({name: case[name] for name in ("title", "description", "severity", "status", "tags", "fields")},
                         {"title": "DiskFull: web-01, web-02", "description": '{{commonLabels.team}} "<&>\\', "severity": "critical",
                          "status": "in-progress", "tags": ["fixed", "infra"], "fields": {"host": "web-01", "count": "2"}})

    def test_labels_named_like_members(self):
        self.source()
        names = dict.fromkeys(("labels", "alerts", "status", "title", "startsAt", "firingAlerts", "constructor", "__proto__",
                               "name", "value", "commonLabels", "{{x}}"), "odd")
        odd = alert()
        odd["labels"].update(names)
        self.send([odd])
        self.send([odd], "known", firingAlerts=[1], alertCount="x", commonLabelList={})
        [case] = self.cases()
        self.assertEqual(case["title"], "DiskFull on web-01")
        self.assertIn("__proto__: odd", case["description"])

    def test_texts_with_nul(self):
        """Which no template can hold: the alert becomes a case all the same, with another character for it."""
        self.source()
        odd = alert(name="Disk\0Full", note="\0")
        self.assertRegex(self.send([odd], key="a\0b")["case"], "^am-")
        self.send([odd], "known", key="a\0b")
        [case] = self.cases()
        self.assertEqual(case["title"], "Disk\ufffdFull on web-01")
        self.assertIn("note: \ufffd\n", case["description"])

    def test_many_alerts(self):
        self.daemon.configuration["sources"][0]["maxBody"] = "7mb"
        self.source(maxAlerts=10)
        self.send([alert(instance=f"web-{number}") for number in range(10000)])
        self.send([alert(instance=f"web-{number}") for number in reversed(range(10000))],
                  "stored")  # other common labels, so another text
        [case] = self.cases()
        self.assertLess(len(case["description"]), 5000)
        self.assertIn("10000 firing", self.texts(case)[0])

    def test_truncated_alerts(self):
        self.source()
        self.send([alert()])
        self.assertNotIn("more", self.cases()[0]["description"])
        self.send([alert()], truncatedAlerts=500)
        [case] = self.cases()
        self.assertIn("500 more", case["description"])
        self.assertIn("1 firing, 0 resolved, 500 unknown.", self.texts(case)[0])
        self.send([alert()], "known", truncatedAlerts=500)

    def test_long_texts(self):
        """What is within maxBody becomes a case, however long its texts are, and the same one twice is known."""
        self.daemon.configuration["sources"][0]["maxBody"] = "7mb"
        self.source()
        long = alert(text="x" * 1500000, team="x" + "\u00e9" * 40000)
        self.send([long], key="1")
        self.send([long], "known", key="1")
        many = [alert(instance=f"web-{number}", text="x" * 60000) for number in range(100)]
        self.send(many, key="2", commonLabels={"alertname": "Many"})
        first, second = self.cases()
        self.assertEqual((first["title"], second["title"]), ("DiskFull on web-01", "Many"))
        self.assertIn("team: x\u00e9", first["description"])
        self.assertEqual(first["description"].count("\u2026"), 2)

    def test_grafana(self):
        self.daemon.start()
        login = {"Content-Type": "application/json"}
        body = {**payload([alert()]), "version": "1", "orgId": 1, "title": "[FIRING:1]", "state": "alerting", "message": "m"}
        basic = "Basic " + base64.b64encode(f"grafana:{TOKEN}".encode()).decode()
        ids = set()
        for organisation in (1, 2):
            body["orgId"] = organisation
            answer = self.daemon.ask("POST", "/grafana", json.dumps(body), login, basic)
            self.assertEqual(answer.status, 202, answer.text)
            ids.add(answer.json["case"])
        self.assertEqual(len(ids), 2)
        body.update(status="resolved", alerts=[alert("resolved")])
        self.assertEqual(self.daemon.ask("POST", "/grafana", json.dumps(body), login, basic).status, 202)
        self.daemon.wait_idle()
        self.assertEqual([case["status"] for case in self.cases()], ["open", "closed"])
        body["version"] = "4"
        self.assertEqual(self.daemon.ask("POST", "/grafana", json.dumps(body), login, basic).status, 422)

    def test_numbers_that_are_too_large(self):
        """Grafana writes what it measured without an exponent; such a number is the same alert, and as precise as it can be."""
        self.daemon.configuration["sources"][1]["case"] = {
            "title": "{{orgId}}|{{truncatedAlerts}}|{{#alerts}}{{values.A}}|{{values.B}}|{{values.C}}|{{values.D}}|{{labels.n}}{{/alerts}}"}
        self.daemon.save()
        self.daemon.start()
        basic = "Basic " + base64.b64encode(f"grafana:{TOKEN}".encode()).decode()

        def send(values, status="firing", truncated="0", key="k"):
            text = json.dumps(payload([{**alert(status, n='\\"[-99999999999999999999'), "values": "VALUES"}], key=key))
            text = text.replace('"4"', '"1", "orgId": 7', 1).replace('"truncatedAlerts": 0', '"truncatedAlerts": ' + truncated)
            answer = self.daemon.ask("POST", "/grafana", text.replace('"VALUES"', values), {"Content-Type": "application/json"}, basic)
            self.daemon.wait_idle()
            return answer
        small = send("{}")
        self.assertEqual(small.status, 202, small.text)
        large = send('{"A":18446744073709552000,"B":3,"C":-100000000000000000000, "D" :9223372036854775807}', truncated="99999999999999999999")
        self.assertEqual(large.status, 202, large.text)
        self.assertEqual(large.json["case"], small.json["case"])
        [case] = self.cases()
        self.assertEqual(case["title"], "7|1e20|1.8446744073709552e19|3|-1e20|9223372036854775807|\\\"[-99999999999999999999")
        self.assertEqual(send('{"A":[9223372036854775808,-9223372036854775808,-9223372036854775809,123456789012345678901.5,20000000000000000000e2]}',
                              "resolved").status, 202)
        self.assertEqual([case["status"] for case in self.cases()], ["closed"])
        for values in ("1e400", "-1e400", "1" * 400, "[18446744073709552000, 1e400]", "[18446744073709552000", "018446744073709552000"):
            answer = send(values, key="other")
            self.assertEqual(answer.status, 400, answer.text)
        self.assertIn("real number overflow", send("1e400").json["error"])

    def test_cases(self):
        self.daemon.start()
        for body in ({"title": "By hand", "id": "c1", "tags": ["x"]}, {"incident": {"title": "By hand", "id": "c2"}}):
            self.assertEqual(self.daemon.post(body, "/cases", **{"Idempotency-Key": json.dumps(body)}).status, 202)
            self.assertEqual(self.daemon.post(body, "/cases", **{"Idempotency-Key": json.dumps(body)}).json["status"], "known")
        self.daemon.wait_idle()
        self.assertEqual([case["reference"] for case in self.cases()], ["c1", "c2"])
        self.assertEqual(self.daemon.post({"id": "c1", "comments": [{"commentId": "1", "comment": "More"}]},
                                          "/cases?operation=comment").status, 202)
        self.daemon.wait_idle()
        self.assertEqual(self.texts(self.cases()[0]), ["More"])
        for body, path in (({"titel": "x"}, "/cases"), ({}, "/cases"), ([], "/cases"), ({"title": "x"}, "/cases?operation=get"),
                           (b"", "/cases"), (b"{", "/cases")):
            answer = self.daemon.post(body, path)
            self.assertEqual(answer.status, 422, (body, answer.text))
            self.assertTrue(answer.json["error"])

    def test_cases_that_would_be_parked(self):
        """What can be seen of an update or a comment is said at once, whether or not it has the id of its case."""
        self.daemon.start()
        self.assertEqual(self.daemon.post({"title": "By hand", "id": "c1"}, "/cases").status, 202)
        self.daemon.wait_idle()
        for body, operation, wanted in (({"id": "c1", "comment": "x"}, "comment", "comment"), ({"id": "c1"}, "comment", "exactly one comment"),
                                        ({"id": "c1", "comments": []}, "comment", "exactly one"), ({"id": "c1"}, "update", "title"),
                                        ({"id": "c1", "title": "x", "externalId": ""}, "update", "externalId"),
                                        ({"externalId": "1", "comments": [{"commentId": "1", "comment": ""}]}, "comment", "empty"),
                                        ({"incident": {"id": "c1", "tilte": "x"}}, "update", "tilte"), ([], "comment", "")):
            answer = self.daemon.post(body, "/cases?operation=" + operation)
            self.assertEqual(answer.status, 422, (body, answer.text))
            self.assertIn(wanted, answer.json["error"])
        comments = [{"commentId": "1", "comment": "a\u0000b"}]
        for body, operation in (({"incident": {"id": "c1", "externalId": None}, "comments": comments}, "comment"),
                                ({"id": "c1", "comments": comments}, "comment"), ({"externalId": "1", "comments": comments}, "comment"),
                                ({"id": "c1", "title": "x", "externalId": None}, "update"), ({"incident": {"id": "c1", "title": "y"}}, "update")):
            answer = self.daemon.post(body, "/cases?operation=" + operation)
            self.assertEqual(answer.status, 202, (body, answer.text))
        self.daemon.wait_idle()
        self.assertEqual((self.cases()[0]["title"], len(self.cases()[0]["comments"])), ("y", 3))
        self.assertEqual(self.daemon.metrics()['casehook_outbox_entries{state="parked"}'], 0)

    def test_cases_whose_fields_are_known_later(self):
        """What the outbox remembers of a case is not missed before it is sent."""
        path = self.daemon.folder + "/tracker.json"
        with open(path, encoding="utf-8") as file:
            connector = json.load(file)
        for call in ("updateIncident", "createComment"):
            connector["config"][call + "Url"] = connector["config"][call + "Url"].replace("external.system.id", "external.fields.number")
        connector["config"]["createResponseFields"] = {"number": "id"}
        self.daemon.write("tracker.json", connector)
        self.daemon.start()
        for body, operation in (({"title": "x"}, "push"), ({"title": "y"}, "update"), ({"comments": [{"commentId": "1", "comment": "z"}]}, "comment")):
            self.assertEqual(self.daemon.post({"id": "c1", **body}, "/cases?operation=" + operation).status, 202, operation)
        self.daemon.wait_idle()
        [case] = self.cases()
        self.assertEqual((case["title"], self.texts(case)), ("y", ["z"]))

    def test_keys_of_cases(self):
        """A key is its source's, and stands for one case: nothing is taken for known that is not."""
        self.daemon.configuration["sources"] += [
            {"type": "cases", "connector": "tracker", "login": {"bearer": TOKEN}, "path": "/two"},
            {"type": "cases", "connector": "tracker", "login": {"bearer": TOKEN}, "path": "/cases/a"},
            {"type": "cases", "connector": "tracker", "login": {"bearer": TOKEN}, "path": "/long", "name": "n" * 300}]
        self.daemon.save()
        self.daemon.start()

        def post(title, path="/cases", key="k1", **more):
            answer = self.daemon.post({"title": title, "id": title, **more}, path, **{"Idempotency-Key": key})
            return answer.status, answer.json.get("status")
        for title, path, key in (("one", "/cases", "k1"), ("two", "/two", "k1"), ("three", "/cases", "a/k"), ("four", "/cases/a", "k"),
                                 ("five", "/long", "k" * 255), ("six", "/long", "k" * 254), ("seven", "/cases", "k" * 255)):
            self.assertEqual(post(title, path, key), (202, "stored"), title)
            self.assertEqual(post(title, path, key), (200, "known"), title)
        # Other white space and another order are the same case; another text, another operation are not.
        body = b'{ "id":"one",\n "title" : "\\u006fne"}'
        self.assertEqual(self.daemon.post(body, "/cases", **{"Idempotency-Key": "k1"}).json["status"], "known")
        self.assertEqual(post("one", description="more"), (422, None))
        self.assertEqual(post("one", "/cases?operation=create"), (422, None))
        self.daemon.wait_idle()
        self.assertEqual(post("other"), (422, None))  # when it is done too
        numbers = self.daemon.metrics()
        self.assertEqual(numbers['casehook_source_requests_total{source="cases",result="invalid"}'], 3)
        # The case of a key is known for as long as finished entries are; the key may be longer.
        self.daemon.configuration["outbox"]["keepFinished"] = "1s"
        self.daemon.save()
        self.assertEqual(self.daemon.end(), 0)
        with contextlib.closing(sqlite3.connect(self.daemon.configuration["outbox"]["location"])) as database, database:
            database.execute("UPDATE casehook_entry SET due = due - 5000 WHERE state = 6")
        self.daemon.start()
        self.assertEqual(post("new", "/two", "k2"), (202, "stored"))
        self.daemon.wait_idle()
        self.assertEqual(post("one"), (200, "known"))
        self.assertEqual(sorted(case["title"] for case in self.cases() if case["title"] != "new"), ["five", "four", "one", "seven", "six", "three", "two"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
