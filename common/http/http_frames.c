/* http_frames - counts HTTP/2 frames, header blocks and header fields before libh2o acts on them.
 * SPDX-License-Identifier: MIT */
#include "http_frames.h"

#include <string.h>

#define WINDOW_MS 10000
#define FRAME_DATA 0
#define FRAME_HEADERS 1
#define FRAME_CONTINUATION 9
#define FLAG_END_HEADERS 4

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

double http_tokens_refill(double tokens, unsigned budget, int64_t elapsed_ms)
{
    tokens += (double)elapsed_ms * budget / WINDOW_MS;
    return tokens < budget ? tokens : budget;
}

/* Compares with what is missing of the preface. Returns how many bytes belong to it. */
static size_t take_preface(struct http_frames *frames, const uint8_t *bytes, size_t len)
{
    size_t n = 0;

    while (n < len && frames->preface < sizeof(preface) - 1) {
        if (bytes[n] != (uint8_t)preface[frames->preface]) {
            frames->is_http1 = true;
            return n;
        }
        frames->preface++;
        n++;
    }
    return n;
}

/* The head of a frame is complete. */
static enum http_frames_verdict begin_frame(struct http_frames *frames, const uint8_t *head, unsigned budget)
{
    uint32_t length = (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
    uint8_t type = head[3];

    frames->payload = length;
    if (type == FRAME_HEADERS || type == FRAME_CONTINUATION) {
        frames->block = type == FRAME_HEADERS ? length : frames->block + length;
        if (frames->block > HTTP_HEADER_BLOCK_MAX)
            return FRAMES_HEADERS_TOO_LARGE;
        if ((head[4] & FLAG_END_HEADERS) != 0)
            frames->block = 0;
    }
    if (type == FRAME_HEADERS) {
        double tokens = frames->tokens + FRAMES_PER_REQUEST;
        frames->tokens = tokens < budget ? tokens : budget;
        return FRAMES_FINE;
    }
    if (type == FRAME_DATA) {
        frames->body += length;
        if (length >= FRAMES_BODY_MIN)
            return FRAMES_FINE;
    }
    frames->tokens -= 1;
    return frames->tokens < 0 ? FRAMES_TOO_MANY : FRAMES_FINE;
}

static enum http_frames_verdict take_head(struct http_frames *frames, const uint8_t *bytes, size_t len, size_t *at,
                                          unsigned budget)
{
    size_t rest = len - *at, missing = sizeof(frames->head) - frames->head_len, n = rest < missing ? rest : missing;

    if (n == sizeof(frames->head)) { /* the usual case: it is in one piece */
        *at += n;
        return begin_frame(frames, bytes + *at - n, budget);
    }
    memcpy(frames->head + frames->head_len, bytes + *at, n);
    frames->head_len += (uint32_t)n;
    *at += n;
    if (frames->head_len < sizeof(frames->head))
        return FRAMES_FINE;
    frames->head_len = 0;
    return begin_frame(frames, frames->head, budget);
}

enum http_frames_verdict http_frames_count(struct http_frames *frames, const uint8_t *bytes, size_t len,
                                           unsigned budget, int64_t now_ms)
{
    enum http_frames_verdict verdict = FRAMES_FINE;

    if (frames->is_http1)
        return FRAMES_FINE;
    if (frames->refilled_ms == 0)
        frames->tokens = budget;
    else
        frames->tokens = http_tokens_refill(frames->tokens, budget, now_ms - frames->refilled_ms);
    frames->refilled_ms = now_ms;
    size_t at = take_preface(frames, bytes, len);
    if (frames->is_http1 && frames->preface >= FRAMES_PREFACE_BEGUN)
        return FRAMES_NO_PREFACE;
    while (at < len && !frames->is_http1 && verdict == FRAMES_FINE) {
        if (frames->payload > 0) {
            size_t rest = len - at, n = rest < frames->payload ? rest : frames->payload;
            frames->payload -= (uint32_t)n;
            at += n;
        } else {
            verdict = take_head(frames, bytes, len, &at, budget);
        }
    }
    return verdict;
}

/* An integer with a prefix and at most four more bytes (RFC 7541, 5.1). False: it is malformed, or longer. */
static bool read_int(const uint8_t **at, const uint8_t *end, uint8_t mask, uint32_t *value)
{
    if (*at >= end)
        return false;
    *value = *(*at)++ & mask;
    if (*value != mask)
        return true;
    for (unsigned shift = 0; shift < 28 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        *value += (uint32_t)(byte & 127) << shift;
        if ((byte & 128) == 0)
            return true;
    }
    return false;
}

static bool skip_string(const uint8_t **at, const uint8_t *end)
{
    uint32_t len;

    if (!read_int(at, end, 127, &len) || len > (size_t)(end - *at))
        return false;
    *at += len;
    return true;
}

size_t http_count_fields(const uint8_t *block, size_t len)
{
    const uint8_t *at = block, *end = block + len;
    size_t n = 0;
    bool fine = true;

    while (fine && at < end) {
        uint8_t first = *at;
        uint32_t index;
        n++;
        if (first >= 128) /* indexed */
            fine = read_int(&at, end, 127, &index);
        else if (first >= 64) /* literal, with indexing */
            fine = read_int(&at, end, 63, &index) && (index > 0 || skip_string(&at, end)) && skip_string(&at, end);
        else if (first >= 32) /* dynamic table size update */
            fine = read_int(&at, end, 31, &index);
        else /* literal, without indexing or never indexed */
            fine = read_int(&at, end, 15, &index) && (index > 0 || skip_string(&at, end)) && skip_string(&at, end);
    }
    return n;
}
