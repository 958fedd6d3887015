/* test_http_head - heads of HTTP/1 requests that two servers could read differently.
 * SPDX-License-Identifier: MIT */
#include "http_head.h"

#include "unit.h"

#define REQUEST "PUT /v1/polls/x/ballot HTTP/1.1\r\n"
#define HOST "Host: example.org\r\n"

static const struct {
    const char *name, *head, *fault; /* a part of the sentence; NULL: none */
} rows[] = {
    {"a request", REQUEST HOST "Content-Length: 2\r\n\r\n{}", NULL},
    {"lower case", REQUEST "host: a\r\ncontent-length: 2\r\n\r\n{}", NULL},
    {"bare line feeds", "GET / HTTP/1.1\nHost: a\n\n", NULL},
    {"an empty line before it", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", NULL},
    {"names that only begin like these",
     REQUEST HOST "Content-Length-2: 1\r\nContent-Type: a\r\nTransfer: b\r\nHosts: c\r\n\r\n", NULL},
    {"the next request has its own", REQUEST HOST "Content-Length: 0\r\n\r\n" REQUEST HOST "Content-Length: 0\r\n\r\n",
     NULL},
    {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", NULL},
    {"no end", REQUEST HOST "Content-Le", NULL},
    {"nothing", "", NULL},
    {"no Host, as nginx sends it on for HTTP/1.0", REQUEST "Content-Length: 2\r\n\r\n{}", NULL},
    {"the Host of the next request", REQUEST HOST "\r\n" REQUEST HOST "\r\n", NULL},
    {"two Hosts", REQUEST HOST HOST "\r\n", "one Host"},
    {"two Hosts over HTTP/1.0", "GET / HTTP/1.0\r\n" HOST "host:b\r\n\r\n", "one Host"},
    {"both", REQUEST HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "not both"},
    {"both, in the other order", REQUEST HOST "TRANSFER-ENCODING:chunked\r\nCONTENT-LENGTH:5\r\n\r\n", "not both"},
    {"two lengths", REQUEST HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "one Content-Length"},
    {"two encodings", REQUEST HOST "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n", "one Content-Length"},
    {"chunks over HTTP/1.0", "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1"},
    {"a folded line", REQUEST HOST "X: a\r\n b\r\n\r\n", "next line"},
    {"a folded line, by a tab", REQUEST HOST "Content-Length: 5\r\n\t0\r\n\r\n", "next line"},
    {"a space before the colon", REQUEST HOST "Content-Length : 5\r\n\r\n", "before its colon"},
    {"a tab before the colon", REQUEST HOST "Transfer-Encoding\t: chunked\r\n\r\n", "before its colon"},
};

static void each_head_is_judged(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *fault = http_head_fault(rows[i].head, strlen(rows[i].head));
        CHECK_ROW((fault == NULL) == (rows[i].fault == NULL), "%s: %s", rows[i].name, fault == NULL ? "fine" : fault);
        if (fault != NULL)
            assert_contains(fault, rows[i].fault);
    }
}

static void a_request_line_of_another_protocol_is_told(void **state)
{
    static const char *const http[] = {"GET / HTTP/1.1\r\n",
                                       "\r\n\r\nPUT /a HTTP/1.0\r\n",
                                       "GET /livez\r\n",
                                       "GET / HTTP/9.9\n",
                                       "INVALID CONNECTION PREFACE",
                                       "",
                                       "\r\n",
                                       "GET\r\nA B C\r\n"};
    static const char *const foreign[] = {"INVALID CONNECTION PREFACE\r\n\r\n",
                                          "\r\nINVITE sip:a@b SIP/2.0\r\n",
                                          "a b \n",
                                          "A B HTTP\n",
                                          "GET / HTTP/1.1 x\r\n",
                                          "OPTIONS rtsp://a RTSP/1.0\r\nA: HTTP/1.1\r\n"};

    for (size_t i = 0; i < COUNT_OF(http); i++)
        CHECK_ROW(!http_head_is_foreign(http[i], strlen(http[i])), "%s", http[i]);
    for (size_t i = 0; i < COUNT_OF(foreign); i++)
        CHECK_ROW(http_head_is_foreign(foreign[i], strlen(foreign[i])), "%s", foreign[i]);
}

/* Bytes after the end are never read; AddressSanitizer would report it. */
static void any_beginning_may_be_judged(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t len = 0; len <= strlen(rows[i].head); len++) {
            char *copy = malloc(len + 1);
            assert_non_null(copy);
            memcpy(copy, rows[i].head, len);
            char *exact = realloc(copy, len > 0 ? len : 1);
            http_head_fault(exact, len);
            http_head_is_foreign(exact, len);
            free(exact);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_head_is_judged),
        cmocka_unit_test(a_request_line_of_another_protocol_is_told),
        cmocka_unit_test(any_beginning_may_be_judged),
    };

    return cmocka_run_group_tests_name("http_head", tests, NULL, NULL);
}
