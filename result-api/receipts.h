/* receipts - GET /v1/receipts/{receipt}: what became of a ballot.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_RECEIPTS_H
#define SCRUTIN_RECEIPTS_H

#include "http.h"

void receipts_handle_get(struct http_call *call);

#endif
