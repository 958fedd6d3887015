/* capture - what a test writes to standard output, as text.
 * SPDX-License-Identifier: MIT */
#ifndef SCRUTIN_CAPTURE_H
#define SCRUTIN_CAPTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

struct capture {
    FILE *file;
    int saved;
};

/* From here on standard output goes into a nameless file. */
static inline void capture_start(struct capture *capture)
{
    fflush(stdout);
    capture->file = tmpfile();
    capture->saved = dup(STDOUT_FILENO);
    if (capture->file == NULL || capture->saved < 0 || dup2(fileno(capture->file), STDOUT_FILENO) < 0)
        abort();
}

/* Puts standard output back and returns what came; the caller frees it. */
static inline char *capture_stop(struct capture *capture)
{
    fflush(stdout);
    if (dup2(capture->saved, STDOUT_FILENO) < 0)
        abort();
    close(capture->saved);
    off_t size = lseek(fileno(capture->file), 0, SEEK_END);
    char *text = malloc((size_t)size + 1);
    if (text == NULL || pread(fileno(capture->file), text, (size_t)size, 0) != size)
        abort();
    text[size] = '\0';
    fclose(capture->file);
    return text;
}

#endif
