"""Who schemathesis is when it calls an operation: the manager of the poll at hand, a gateway or a voter.

SPDX-License-Identifier: MIT
"""
import json
import os

import schemathesis

fixture = json.loads(os.environ["FIXTURE"])  # {"tokens": {poll: manage token}, "api_key": …, "voter": …, "urls": {path: URL}}


@schemathesis.hook
def before_init_operation(context, operation):
    """The two services are two addresses here."""
    operation.base_url = fixture["urls"][operation.path]


@schemathesis.hook
def after_call(context, case, response):
    """Keeps the manage tokens of polls that are created on the way."""
    if case.operation.definition.raw.get("operationId") == "createPoll" and response.status_code == 201:
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
        return fixture["voter"]

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


# What a description cannot say: rules between two fields, between a field and the clock, or between a ballot and its poll.
UNSAID = {
    "createPoll": {"/options", "/min_choices", "/max_choices", "/closes_at"},
    "changePoll": {"/options", "/method", "/min_choices", "/max_choices", "/opens_at", "/closes_at", "/state"},
}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if type(failure).__name__ != "RejectedPositiveData":
        return True
    problem = response.json()
    if problem["type"] == "/problems/invalid-selection":
        return False
    allowed = UNSAID.get(case.operation.definition.raw.get("operationId"), set())
    return not (problem["type"] == "/problems/invalid-field" and problem.get("pointer") in allowed)
