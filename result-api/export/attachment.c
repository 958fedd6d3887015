/* attachment - Content-Disposition (RFC 6266).
 * SPDX-License-Identifier: MIT */
#include "export/attachment.h"

#include <stdio.h>

void attachment_add_header(struct http_call *call, const char *poll, const char *name)
{
    char text[100];

    snprintf(text, sizeof(text), "attachment; filename=\"%s-%s\"", poll, name);
    http_add_header(call, "content-disposition", text);
}
