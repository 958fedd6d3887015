/* receipts - GET /v1/receipts: what became of a ballot. The receipt comes in the header Scrutin-Receipt, where no log
 * of a proxy has it, or in the path. SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_RECEIPTS_H
#define SCRUTIN_RECEIPTS_H

#include "http/http.h"

void receipts_handle_get(struct http_call *call);
void receipts_handle_get_by_path(struct http_call *call);

#endif
