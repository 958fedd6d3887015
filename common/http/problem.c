/* problem - the table of problem.h, as an array.
 * SPDX-License-Identifier: MIT */
#include "http/problem.h"

static const struct {
    const char *slug;
    int code;
    const char *title;
} table[] = {
#define PROBLEM_ROW(name, slug, code, title) [PROBLEM_##name] = {slug, code, title},
    PROBLEM_TABLE(PROBLEM_ROW)
#undef PROBLEM_ROW
};

const char *problem_slug(enum problem problem)
{
    return table[problem].slug;
}

int problem_code(enum problem problem)
{
    return table[problem].code;
}

const char *problem_title(enum problem problem)
{
    return table[problem].title;
}
