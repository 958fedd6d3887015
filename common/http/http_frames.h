/* http_frames - counts HTTP/2 frames, header blocks and header fields before libh2o acts on them. Pure.
 * SPDX-License-Identifier: MIT
 *
 * By RFC 9113, 4.1 (frames) and RFC 7541, 6 (header fields). Malformed input is not refused here, because libh2o does.
 */
#ifndef SCRUTIN_HTTP_FRAMES_H
#define SCRUTIN_HTTP_FRAMES_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEADER_BLOCK_MAX 16384 /* bytes of a header block on the wire; a browser sends 2 KB */
#define HTTP_HEADER_FIELDS_MAX 100  /* libh2o has the same limit over HTTP/1 */

enum http_frames_verdict { FRAMES_FINE, FRAMES_TOO_MANY, FRAMES_HEADERS_TOO_LARGE, FRAMES_NO_PREFACE };

/* The position in the input of a connection. All zero before the first byte. */
struct http_frames {
    uint32_t preface;    /* bytes of the HTTP/2 preface that have arrived */
    bool is_http1;       /* the input did not begin with the preface, so nothing is counted */
    uint8_t head[9];     /* of a frame whose head has arrived in part */
    uint32_t head_len;   /* bytes in head */
    uint32_t payload;    /* bytes of the current frame that have not arrived yet */
    uint32_t block;      /* bytes of the current header block; 0: there is none */
    double tokens;       /* how many more frames are allowed */
    int64_t refilled_ms; /* monotonic: when tokens were last added, at the last input */
    size_t body;         /* bytes of DATA payloads; the caller reads and zeroes it */
};

#define FRAMES_PREFACE_BEGUN 12 /* bytes: libh2o takes `PRI * HTTP/2` for HTTP/2 */
#define FRAMES_PER_REQUEST 4    /* body, WINDOW_UPDATE for stream and connection, RST_STREAM */
#define FRAMES_BODY_MIN 1024    /* bytes; a DATA frame with this payload or more is not counted */

/* Counts the next bytes of the input. budget is the number of frames that may come in 10 s. Not counted are HEADERS,
 * the FRAMES_PER_REQUEST that each of them allows, and DATA of FRAMES_BODY_MIN or more. now_ms is monotonic.
 *
 * FRAMES_NO_PREFACE: the input began like the preface, but then differed from it. After a verdict other than
 * FRAMES_FINE, this must not be called again. */
MUST_CHECK enum http_frames_verdict http_frames_count(struct http_frames *frames, const uint8_t *bytes, size_t len,
                                                      unsigned budget, int64_t now_ms);
static inline bool http_frames_is_http2(const struct http_frames *frames)
{
    return frames->preface == 24;
}

/* The tokens after some time: budget tokens come back evenly in 10 s, and there are never more than budget. */
double http_tokens_refill(double tokens, unsigned budget, int64_t elapsed_ms);

/* The number of header fields and of table size updates in a header block. One byte is enough for a field that stands
 * in a table, but libh2o needs memory for each. */
size_t http_count_fields(const uint8_t *block, size_t len);
static inline bool http_has_many_fields(const uint8_t *block, size_t len)
{
    return len > HTTP_HEADER_FIELDS_MAX &&
           http_count_fields(block, len) > HTTP_HEADER_FIELDS_MAX; /* a field has a byte at least */
}

#endif
