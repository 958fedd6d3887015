/* description - serves the files that the build made from docs/openapi.yaml.
 * SPDX-License-Identifier: MIT */
#include "description.h"

#include "description_data.h"
#include <stdio.h>
#include <string.h>

void description_handle_file(struct http_call *call)
{
    const struct description_file *file = description_files;

    while (strcmp(file->path, call->route->pattern) != 0)
        file++;
    http_add_header(call, "cache-control", "max-age=300");
    http_add_header(call, "content-security-policy", "default-src 'self'; base-uri 'none'; frame-ancestors 'none'");
    http_add_header(call, "referrer-policy", "no-referrer");
    http_reply(call, 200, file->content_type, file->data, file->len);
}

void description_handle_problem(struct http_call *call)
{
    h2o_iovec_t slug = call->params[0];
    char location[96];

    for (size_t i = 0; i < description_n_problems; i++) {
        const char *known = description_problems[i].slug;
        if (!h2o_memis(slug.base, slug.len, known, strlen(known)))
            continue;
        snprintf(location, sizeof(location), "/docs#problem-%s", known);
        http_add_header(call, "location", location);
        http_reply(call, 303, NULL, "", 0);
        return;
    }
    http_problem(call, PROBLEM_NOT_FOUND, NULL, "No problem type has this name. See the list at /docs#problems.");
}
