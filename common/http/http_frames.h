/* http_frames - what flows in over HTTP/2, counted before libh2o acts on it: frames, header blocks, header fields.
 * Pure. SPDX-License-Identifier: MIT
 *
 * RFC 9113 (frames) and RFC 7541 (header fields). What is malformed is left to libh2o, which refuses it. */
#ifndef SCRUTIN_HTTP_FRAMES_H
#define SCRUTIN_HTTP_FRAMES_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEADER_BLOCK_MAX 16384 /* bytes of a header block on the wire; a browser sends 2 KB */
#define HTTP_HEADER_FIELDS_MAX 100  /* as many as libh2o takes over HTTP/1 */

enum http_frames_verdict { FRAMES_FINE, FRAMES_TOO_MANY, FRAMES_HEADERS_TOO_LARGE, FRAMES_NO_PREFACE };

/* Where in the bytes of a connection we are. All zero at its first byte. */
struct http_frames {
    uint32_t preface;    /* bytes of the HTTP/2 preface that have come */
    bool is_http1;       /* the first bytes were no preface: nothing is counted */
    uint8_t head[9];     /* of the frame that is coming */
    uint32_t head_len;   /* of it has come */
    uint32_t payload;    /* bytes of the frame that are still to come */
    uint32_t block;      /* bytes of the header block that has begun */
    double tokens;       /* frames that may still come */
    int64_t refilled_ms; /* when tokens were last added */
    size_t body;         /* payload of DATA: the caller takes and zeroes it */
};

#define FRAMES_PREFACE_BEGUN 12 /* bytes of the preface by which libh2o tells HTTP/2: `PRI * HTTP/2` */
#define FRAMES_PER_REQUEST 4    /* body, WINDOW_UPDATE for stream and connection, RST_STREAM */
#define FRAMES_BODY_MIN 1024    /* bytes of DATA that make a frame worth its work */

/* Counts bytes. budget is the number of frames in 10 s, beside FRAMES_PER_REQUEST for every request and DATA of at
 * least FRAMES_BODY_MIN. FRAMES_NO_PREFACE: the preface began and went on otherwise. Not for use after another verdict
 * than FRAMES_FINE. */
MUST_CHECK enum http_frames_verdict http_frames_count(struct http_frames *frames, const uint8_t *bytes, size_t len,
                                                      unsigned budget, int64_t now_ms);
static inline bool http_frames_is_http2(const struct http_frames *frames)
{
    return frames->preface == 24;
}

/* Tokens after some time: they come back evenly, budget of them in 10 s, and never are more than that. */
double http_tokens_refill(double tokens, unsigned budget, int64_t elapsed_ms);

/* Header fields and table size updates in a block: each is memory behind a single byte when it stands in a table. */
size_t http_count_fields(const uint8_t *block, size_t len);
static inline bool http_has_many_fields(const uint8_t *block, size_t len)
{
    return len > HTTP_HEADER_FIELDS_MAX && http_count_fields(block, len) > HTTP_HEADER_FIELDS_MAX; /* each has a byte */
}

#endif
