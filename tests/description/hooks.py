"""Who schemathesis is when it calls an operation: the manager of the poll at hand, a gateway or a voter.

SPDX-License-Identifier: MIT
"""
import atexit
import collections
import json
import os

import schemathesis

fixture = json.loads(os.environ["FIXTURE"])  # {"tokens": {poll: manage token}, "api_key": …, "voter": …, "codes": {poll: voting code}, "urls": {path: URL},
# "answers": file to write}


answers = collections.Counter()  # "getPoll 200": 12, …; the test requires that each operation succeeded


@atexit.register
def write_answers():
    with open(fixture["answers"], "w", encoding="utf-8") as file:
        json.dump(answers, file)


def id_of(operation):
    return operation.definition.raw["operationId"]


@schemathesis.hook
def before_init_operation(context, operation):
    """The two services are two addresses here."""
    operation.base_url = fixture["urls"][operation.path]


@schemathesis.hook
def after_call(context, case, response):
    """Counts, and keeps the manage tokens of polls that are created on the way."""
    answers[f"{id_of(case.operation)} {response.status_code}"] += 1
    if id_of(case.operation) == "createPoll" and response.status_code == 201:
        answer = response.json()
        fixture["tokens"][answer["id"]] = answer["manage_token"]


@schemathesis.auth(cache_by_key=lambda case, context: f"{case.operation.label} {case.path_parameters}")
class Sender:
    def get(self, case, context):
        names = [name for way in case.operation.definition.raw.get("security", []) for name in way]
        if "manageToken" in names:
            return fixture["tokens"].get(str((case.path_parameters or {}).get("poll")), "no-such-token")
        if "apiKey" in names:
            return fixture["api_key"]
        # A poll with voting codes needs a code. A token is a wrong code there, and its response takes a second.
        return fixture["codes"].get(str((case.path_parameters or {}).get("poll")), fixture["voter"])

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


# Rules that a description cannot express: between two fields, between a field and the clock, between a ballot and its poll.
UNSAID = {
    "createPoll": {"/options", "/min_choices", "/max_choices", "/closes_at"},
    "createCodes": {"/count"},
    "changePoll": {"/options", "/method", "/min_choices", "/max_choices", "/opens_at", "/closes_at", "/state"},
}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if type(failure).__name__ != "RejectedPositiveData":
        return True
    problem = response.json()
    if problem["type"] == "/problems/invalid-selection":
        return False
    allowed = UNSAID.get(id_of(case.operation), set())
    return not (problem["type"] == "/problems/invalid-field" and problem.get("pointer") in allowed)
