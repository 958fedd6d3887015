/* description_data - the files that the build makes from docs/openapi.yaml.
 * SPDX-License-Identifier: MIT */
#ifndef VOTE_API_DESCRIPTION_DATA_H
#define VOTE_API_DESCRIPTION_DATA_H

#include <stddef.h>

struct description_file {
    const char *path; /* "/openapi.json", "/docs", … */
    const char *content_type;
    const void *data;
    size_t len;
};

/* A described problem type. A unit test compares these with the table in problem.h. */
struct description_problem {
    const char *slug;
    int code;
    const char *title;
};

extern const struct description_file description_files[];
extern const size_t description_n_files;
extern const struct description_problem description_problems[];
extern const size_t description_n_problems;

#endif
