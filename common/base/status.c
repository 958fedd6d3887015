/* status - the table of status.h as functions, and error details.
 * SPDX-License-Identifier: MIT */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[] = {
#define STATUS_ROW(name, text) [ST_##name] = (text),
    STATUS_TABLE(STATUS_ROW)
#undef STATUS_ROW
};

const char *status_text(enum status status)
{
    return texts[status];
}

enum status fail(struct errmsg *err, enum status status, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof(err->text), format, args);
        va_end(args);
    }
    return status;
}

enum status fail_within(struct errmsg *err, enum status status, const char *context)
{
    if (err != NULL) {
        char inner[sizeof(err->text)];
        memcpy(inner, err->text, sizeof(inner));
        snprintf(err->text, sizeof(err->text), "%.100s: %.400s", context, inner);
    }
    return status;
}
