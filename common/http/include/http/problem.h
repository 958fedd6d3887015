/* problem - the types of problems (RFC 9457) that the HTTP interface answers, in one table.
 * SPDX-License-Identifier: MIT
 *
 * docs/openapi.yaml documents each type. Clients may depend on the slug and the code, so these do not change. */
#ifndef SCRUTIN_PROBLEM_H
#define SCRUTIN_PROBLEM_H

/* PROBLEM(name, slug, HTTP code, title): the type of the problem is `/problems/` and the slug */
#define PROBLEM_TABLE(PROBLEM)                                                                                         \
    PROBLEM(BAD_REQUEST, "bad-request", 400, "The request is not valid HTTP")                                          \
    PROBLEM(INVALID_JSON, "invalid-json", 400, "The body is not valid JSON")                                           \
    PROBLEM(INVALID_FIELD, "invalid-field", 400, "A field is not valid")                                               \
    PROBLEM(INVALID_PARAMETER, "invalid-parameter", 400, "A parameter of the query is not valid")                      \
    PROBLEM(INVALID_SELECTION, "invalid-selection", 400, "The selection does not fit the poll")                        \
    PROBLEM(UNAUTHORIZED, "unauthorized", 401, "A valid token is needed")                                              \
    PROBLEM(VOTING_CODE_NEEDED, "voting-code-needed", 401, "This poll accepts only ballots with a voting code")        \
    PROBLEM(VOTING_CODE_WRONG, "voting-code-wrong", 401, "This is not a voting code of this poll")                     \
    PROBLEM(FORBIDDEN, "forbidden", 403, "This token does not permit the request")                                     \
    PROBLEM(API_KEY_NEEDED, "api-key-needed", 403, "More voting codes need a poll that was made with an API key")      \
    PROBLEM(CROSS_SITE, "cross-site", 403, "Requests from another site are refused")                                   \
    PROBLEM(RESULTS_HIDDEN, "results-hidden", 403, "The results are not shown yet")                                    \
    PROBLEM(NOT_FOUND, "not-found", 404, "There is nothing at this address")                                           \
    PROBLEM(POLL_NOT_FOUND, "poll-not-found", 404, "There is no such poll")                                            \
    PROBLEM(RECEIPT_NOT_FOUND, "receipt-not-found", 404, "There is no such receipt")                                   \
    PROBLEM(METHOD_NOT_ALLOWED, "method-not-allowed", 405, "This method is not allowed here")                          \
    PROBLEM(POLL_NOT_OPEN, "poll-not-open", 409, "The poll is not open yet")                                           \
    PROBLEM(POLL_CLOSED, "poll-closed", 409, "The poll is closed")                                                     \
    PROBLEM(POLL_HAS_OPENED, "poll-has-opened", 409, "The poll has opened, so this can no longer be changed")          \
    PROBLEM(POLL_NOT_FINAL, "poll-not-final", 409, "The poll is not final yet")                                        \
    PROBLEM(POLL_NOT_REOPENABLE, "poll-not-reopenable", 409, "The poll cannot be opened again")                        \
    PROBLEM(POLL_CHANGED, "poll-changed", 409, "The poll was changed by somebody else")                                \
    PROBLEM(NO_VOTING_CODES, "no-voting-codes", 409, "The poll has no voting codes")                                   \
    PROBLEM(PAYLOAD_TOO_LARGE, "payload-too-large", 413, "The body is too large")                                      \
    PROBLEM(UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", 415, "The body must be JSON")                            \
    PROBLEM(TOO_MANY_REQUESTS, "too-many-requests", 429, "Too many requests")                                          \
    PROBLEM(INTERNAL, "internal", 500, "Something went wrong in the service")                                          \
    PROBLEM(NOT_RECORDED, "not-recorded", 503, "The broker did not confirm the ballot")                                \
    PROBLEM(STREAM_FULL, "stream-full", 503, "The ballot store is full")                                               \
    PROBLEM(OVERLOADED, "overloaded", 503, "The service is overloaded")                                                \
    PROBLEM(UNAVAILABLE, "unavailable", 503, "A part of the system cannot be reached")

enum problem {
#define PROBLEM_ENUM(name, slug, code, title) PROBLEM_##name,
    PROBLEM_TABLE(PROBLEM_ENUM)
#undef PROBLEM_ENUM
        PROBLEM_COUNT
};

const char *problem_slug(enum problem problem);
int problem_code(enum problem problem);
const char *problem_title(enum problem problem);

#endif
