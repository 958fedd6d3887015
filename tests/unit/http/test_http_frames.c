/* test_http_frames - counts the frames that a client sends over HTTP/2.
 * SPDX-License-Identifier: MIT */
#include "http_frames.h"
#include "unit.h"

#define BUDGET 10
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static enum http_frames_verdict count(struct http_frames *frames, const void *bytes, size_t len, int64_t now_ms)
{
    return http_frames_count(frames, bytes, len, BUDGET, now_ms);
}

static enum http_frames_verdict frame(struct http_frames *frames, uint8_t type, uint8_t flags, uint32_t length,
                                      int64_t now_ms)
{
    uint8_t *bytes = calloc(1, 9 + (size_t)length);

    bytes[0] = (uint8_t)(length >> 16);
    bytes[1] = (uint8_t)(length >> 8);
    bytes[2] = (uint8_t)length;
    bytes[3] = type;
    bytes[4] = flags;
    enum http_frames_verdict verdict = count(frames, bytes, 9 + (size_t)length, now_ms);
    free(bytes);
    return verdict;
}

static struct http_frames begun(void)
{
    struct http_frames frames = {0};

    assert_int_equal(count(&frames, PREFACE, 24, 1), FRAMES_FINE);
    assert_true(http_frames_is_http2(&frames));
    return frames;
}

static void http1_is_not_counted(void **state)
{
    struct http_frames frames = {0};

    for (int i = 0; i < 100; i++)
        assert_int_equal(count(&frames, "PRIME / HTTP/1.1\r\n\r\n", 20, 1), FRAMES_FINE);
    assert_false(http_frames_is_http2(&frames));
}

/* libh2o takes a connection for HTTP/2 by the first twelve bytes of the preface. */
static void a_preface_that_goes_on_otherwise_is_refused(void **state)
{
    static const char preface[] = PREFACE;

    for (size_t good = 0; good < 24; good++) {
        struct http_frames frames = {0};
        enum http_frames_verdict expected = good < 12 ? FRAMES_FINE : FRAMES_NO_PREFACE;
        assert_int_equal(count(&frames, preface, good, 1), FRAMES_FINE);
        CHECK_ROW(count(&frames, "~", 1, 1) == expected, "behind %zu bytes", good);
    }
}

static void one_frame_too_many(void **state)
{
    struct http_frames frames = begun();

    for (int i = 0; i < BUDGET; i++)
        assert_int_equal(frame(&frames, 6, 0, 8, 1), FRAMES_FINE);
    assert_int_equal(frame(&frames, 6, 0, 8, 1), FRAMES_TOO_MANY);
}

static void frames_come_back_with_time(void **state)
{
    struct http_frames frames = begun();

    for (int i = 0; i < 100; i++)
        assert_int_equal(frame(&frames, 6, 0, 8, 1 + i * 1000), FRAMES_FINE); /* one a second */
    for (int i = 0; i < BUDGET; i++)
        assert_int_equal(frame(&frames, 6, 0, 8, 1000000), FRAMES_FINE);
    assert_int_equal(frame(&frames, 6, 0, 8, 1000000), FRAMES_TOO_MANY);
}

static void a_request_brings_frames(void **state)
{
    struct http_frames frames = begun();

    for (int i = 0; i < 100; i++) {
        assert_int_equal(frame(&frames, 1, 4, 30, 1), FRAMES_FINE);
        for (int j = 0; j < FRAMES_PER_REQUEST; j++)
            assert_int_equal(frame(&frames, 0, 0, 20, 1), FRAMES_FINE);
    }
    assert_int_equal(frames.body, 100 * FRAMES_PER_REQUEST * 20);
}

static void large_data_is_no_flood(void **state)
{
    struct http_frames frames = begun();

    for (int i = 0; i < 100; i++)
        assert_int_equal(frame(&frames, 0, 0, FRAMES_BODY_MIN, 1), FRAMES_FINE);
    for (int i = 0; i < BUDGET; i++)
        assert_int_equal(frame(&frames, 0, 0, FRAMES_BODY_MIN - 1, 1), FRAMES_FINE);
    assert_int_equal(frame(&frames, 0, 0, FRAMES_BODY_MIN - 1, 1), FRAMES_TOO_MANY);
}

static void header_blocks_are_bounded(void **state)
{
    struct http_frames frames = begun();

    assert_int_equal(frame(&frames, 1, 4, HTTP_HEADER_BLOCK_MAX, 1), FRAMES_FINE);
    assert_int_equal(frame(&frames, 1, 0, HTTP_HEADER_BLOCK_MAX - 1, 1), FRAMES_FINE);
    assert_int_equal(frame(&frames, 9, 0, 1, 1), FRAMES_FINE);
    assert_int_equal(frame(&frames, 9, 0, 1, 1), FRAMES_HEADERS_TOO_LARGE);

    frames = begun();
    assert_int_equal(frame(&frames, 1, 4, HTTP_HEADER_BLOCK_MAX + 1, 1), FRAMES_HEADERS_TOO_LARGE);
}

static void an_empty_continuation_counts(void **state)
{
    struct http_frames frames = begun();

    assert_int_equal(frame(&frames, 1, 0, 1, 1), FRAMES_FINE);
    for (int i = 0; i < BUDGET; i++)
        assert_int_equal(frame(&frames, 9, 0, 0, 1), FRAMES_FINE);
    assert_int_equal(frame(&frames, 9, 0, 0, 1), FRAMES_TOO_MANY);
}

/* The count does not depend on how the input is divided into reads. */
static void bytes_come_as_they_like(void **state)
{
    uint8_t bytes[24 + 3 * (9 + 5)] = PREFACE;

    for (size_t i = 0; i < 3; i++)
        bytes[24 + i * 14 + 2] = 5; /* DATA of 5 bytes */
    for (size_t step = 1; step <= sizeof(bytes); step++) {
        struct http_frames frames = {0};
        for (size_t at = 0; at < sizeof(bytes); at += step) {
            size_t n = sizeof(bytes) - at < step ? sizeof(bytes) - at : step;
            assert_int_equal(count(&frames, bytes + at, n, 1), FRAMES_FINE);
        }
        CHECK_ROW(frames.body == 15 && frames.head_len == 0 && frames.payload == 0, "steps of %zu", step);
    }
}

static void fields_are_counted(void **state)
{
    static const struct {
        const char *name, *block;
        size_t len, fields;
    } rows[] = {
        {"empty", "", 0, 0},
        {"indexed", "\x82\x84\xbe", 3, 3},
        {"a long index", "\xff\x01\x82", 3, 2},
        {"literal with a name of the table", "\x44\x02/x", 4, 1},
        {"literal with its own name", "\x40\x01g\x01x\x82", 6, 2},
        {"literal that stays out of the table", "\x00\x01g\x01x\x10\x01g\x00", 9, 2},
        {"size of the table", "\x20\x3f\xe1\x1f\x82", 5, 3},
        {"a string that is cut", "\x40\x01g\x7fx", 5, 1},
        {"a string of many bytes", "\x40\x01g\x7f\xff\xff\xff\x7fx", 9, 1},
        {"an integer without end", "\xff\xff\xff\xff\xff\xff\x01", 7, 1},
        {"an integer that is cut", "\xff", 1, 1},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t *copy = malloc(rows[i].len + 1); /* the bytes after it must not be read */
        memcpy(copy + 1, rows[i].block, rows[i].len);
        CHECK_ROW(http_count_fields(copy + 1, rows[i].len) == rows[i].fields, "%s", rows[i].name);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http1_is_not_counted),      cmocka_unit_test(a_preface_that_goes_on_otherwise_is_refused),
        cmocka_unit_test(one_frame_too_many),        cmocka_unit_test(frames_come_back_with_time),
        cmocka_unit_test(a_request_brings_frames),   cmocka_unit_test(large_data_is_no_flood),
        cmocka_unit_test(header_blocks_are_bounded), cmocka_unit_test(an_empty_continuation_counts),
        cmocka_unit_test(bytes_come_as_they_like),   cmocka_unit_test(fields_are_counted),
    };

    return cmocka_run_group_tests_name("http_frames", tests, NULL, NULL);
}
