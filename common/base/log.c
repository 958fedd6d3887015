/* log - builds a line on the stack and hands it to the kernel in one piece.
 * SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/clock.h"
#include "base/utf8.h"
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 8192
#define LINE_RESERVE 16 /* bytes kept free for the end of a text and of the line */

struct line {
    size_t len;
    char text[LINE_SIZE];
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static char service_name[32] = "scrutin";
static atomic_int lowest_level = LOG_INFO;
static atomic_int output_fd = STDOUT_FILENO;
/* Held only while a line is written, so that a line stays together when the kernel takes it in two parts. */
static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;

void log_init(const char *service, enum log_level level)
{
    snprintf(service_name, sizeof(service_name), "%s", service);
    atomic_store(&lowest_level, (int)level);
}

void log_to(int fd)
{
    atomic_store(&output_fd, fd);
}

int log_level_from_name(const char *name)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
        if (strcmp(level_names[i], name) == 0)
            return i;
    return -1;
}

static bool has_room(const struct line *line, size_t n)
{
    return line->len + n + LINE_RESERVE <= sizeof(line->text);
}

static void put_data(struct line *line, const char *data, size_t n)
{
    memcpy(line->text + line->len, data, n);
    line->len += n;
}

/* Writes one character of text, escaped as in RFC 8259, section 7. Returns how many bytes of text it took. */
static size_t put_char(struct line *line, const char *text, size_t left)
{
    unsigned char c = (unsigned char)*text;
    size_t n = utf8_sequence_len(text, left);

    if (n == 0) {
        put_data(line, "\xef\xbf\xbd", 3); /* U+FFFD */
        return 1;
    }
    if (n > 1 || (c >= 0x20 && c != 0x7f && c != '"' && c != '\\')) {
        put_data(line, text, n);
        return n;
    }
    static const char named[][2] = {{'"', '"'}, {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}};
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        if (named[i][0] == (char)c) {
            put_data(line, (char[]){'\\', named[i][1]}, 2);
            return 1;
        }
    }
    char code[8];
    snprintf(code, sizeof(code), "\\u%04x", c);
    put_data(line, code, 6);
    return 1;
}

/* Writes text in quotes. A text that is too long for the line ends in an ellipsis. */
static void put_text(struct line *line, const char *text)
{
    size_t left = strlen(text);

    put_data(line, "\"", 1);
    while (left != 0) {
        if (!has_room(line, 6)) {
            put_data(line, "\xe2\x80\xa6", 3);
            break;
        }
        size_t n = put_char(line, text, left);
        text += n;
        left -= n;
    }
    put_data(line, "\"", 1);
}

static void put_field(struct line *line, const struct log_field *field)
{
    /* There must be room for the name and a number, or the beginning of a text. Otherwise the field is left out. */
    if (!has_room(line, 6 * strlen(field->name) + 32))
        return;
    put_data(line, ",", 1);
    put_text(line, field->name);
    put_data(line, ":", 1);
    if (field->text != NULL) {
        put_text(line, field->text);
    } else {
        char number[24];
        int n = snprintf(number, sizeof(number), "%" PRId64, field->number);
        put_data(line, number, (size_t)n);
    }
}

static void write_all(const char *data, size_t len)
{
    pthread_mutex_lock(&output);
    while (len != 0) {
        ssize_t n = write(atomic_load_explicit(&output_fd, memory_order_relaxed), data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break; /* there is no place to report that the log is lost */
        data += n;
        len -= (size_t)n;
    }
    pthread_mutex_unlock(&output);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, unsigned n)
{
    struct line line;
    char at[CLOCK_TEXT];

    if ((int)level < atomic_load_explicit(&lowest_level, memory_order_relaxed))
        return;
    clock_format_ms(clock_wall_ms(), at);
    line.len = (size_t)snprintf(line.text, sizeof(line.text), "{\"at\":\"%s\",\"level\":\"%s\"", at,
                                level_names[level]);
    put_field(&line, &LOG_S("service", service_name));
    put_field(&line, &LOG_S("event", event));
    for (unsigned i = 0; i < n; i++)
        put_field(&line, &fields[i]);
    put_data(&line, "}\n", 2);

    int before = errno;
    write_all(line.text, line.len);
    errno = before;
}
