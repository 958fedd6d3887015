/* receipts - answers GET /v1/receipts: says what became of a ballot.
 * SPDX-License-Identifier: MIT
 *
 * A client sends the receipt in the header Scrutin-Receipt, which proxies do not log, or in the path. */
#ifndef SCRUTIN_RECEIPTS_H
#define SCRUTIN_RECEIPTS_H

#include "http/http.h"

void receipts_answer_header(struct http_call *call);
void receipts_answer_path(struct http_call *call);

#endif
