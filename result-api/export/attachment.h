/* attachment - the header that makes a browser save an answer as a file.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_ATTACHMENT_H
#define SCRUTIN_ATTACHMENT_H

#include "http/http.h"

/* The file is named POLL-name, so name must say its type, as in `results.csv`. */
void attachment_add_header(struct http_call *call, const char *poll, const char *name);

#endif
