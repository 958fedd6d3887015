/* config - reads, checks and explains the table of environment variables.
 * SPDX-License-Identifier: MIT */
#include "base/config.h"

#include "base/alloc.h"
#include "base/log.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#define FILE_MAX 65536 /* bytes of a value that is read from a file */
#define HELP_WIDTH 100

/* The environment's value, or NULL where the variable is not set or empty. */
static const char *read_environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* Reads a whole file without its last newline; the caller frees it. */
static enum status read_file(const char *variable, const char *path, char **out, struct errmsg *err)
{
    enum status st = ST_CONFIG;
    char *text = NULL;
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        st = fail(err, ST_CONFIG, "%s: cannot open %s: %s", variable, path, strerror(errno));
        goto out;
    }
    text = alloc_bytes(FILE_MAX + 2);
    errno = 0;
    size_t len = fread(text, 1, FILE_MAX + 1, file);
    if (ferror(file)) {
        st = fail(err, ST_CONFIG, "%s: cannot read %s: %s", variable, path, strerror(errno));
        goto out;
    }
    if (len > FILE_MAX || memchr(text, '\0', len) != NULL) {
        st = fail(err, ST_CONFIG, "%s: %s is no text of at most %d bytes", variable, path, FILE_MAX);
        goto out;
    }
    if (len != 0 && text[len - 1] == '\n')
        len--;
    if (len == 0) {
        st = fail(err, ST_CONFIG, "%s: %s is empty", variable, path);
        goto out;
    }
    text[len] = '\0';
    *out = text;
    text = NULL; /* the caller's now */
    st = ST_OK;

out:
    free(text);
    if (file != NULL)
        fclose(file);
    return st;
}

/* Finds the value of X in X, in the file that X_FILE names, or in the table. The caller frees it. */
static enum status find_value(const struct config_entry *entry, char **out, struct errmsg *err)
{
    char file_name[128];
    snprintf(file_name, sizeof(file_name), "%s_FILE", entry->name);
    const char *direct = read_environment(entry->name);
    const char *path = read_environment(file_name);

    if (direct != NULL && path != NULL)
        return fail(err, ST_CONFIG, "%s and %s are both set; unset one of them", entry->name, file_name);
    if (path != NULL)
        return read_file(file_name, path, out, err);
    if (direct == NULL)
        direct = entry->fallback;
    if (direct == NULL)
        return fail(err, ST_CONFIG, "%s is not set; set it, or name a file in %s: %s", entry->name, file_name,
                    entry->sentence);
    *out = alloc_copy(direct);
    return ST_OK;
}

static bool parse_number(const char *text, int64_t min, int64_t max, int64_t *out)
{
    char *end;

    if (*text != '-' && (*text < '0' || *text > '9'))
        return false;
    errno = 0;
    intmax_t value = strtoimax(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max)
        return false;
    *out = value;
    return true;
}

static bool parse_flag(const char *text, bool *out)
{
    static const char *const words[][2] = {{"true", "false"}, {"yes", "no"}, {"on", "off"}, {"1", "0"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        *out = strcmp(text, words[i][0]) == 0;
        if (*out || strcmp(text, words[i][1]) == 0)
            return true;
    }
    return false;
}

static bool is_variable(const struct config_entry *entry)
{
    return entry->type != CONFIG_HEADING && entry->type != CONFIG_CONSTANT;
}

/* Puts a value into its field; takes over text. */
static enum status store_value(const struct config_entry *entry, char *text, void *out, struct errmsg *err)
{
    enum status st = ST_OK;
    void *field = (char *)out + entry->offset;
    int level;

    switch (entry->type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        *(char **)field = text;
        text = NULL; /* the process's now */
        break;
    case CONFIG_NUMBER:
        if (!parse_number(text, entry->min, entry->max, field))
            st = fail(err, ST_CONFIG, "%s is \"%.64s\"; it must be a whole number from %" PRId64 " to %" PRId64,
                      entry->name, text, entry->min, entry->max);
        break;
    case CONFIG_FLAG:
        if (!parse_flag(text, field))
            st = fail(err, ST_CONFIG, "%s is \"%.64s\"; it must be true or false (or yes, no, on, off, 1, 0)",
                      entry->name, text);
        break;
    case CONFIG_LEVEL:
        level = log_level_from_name(text);
        if (level < 0)
            st = fail(err, ST_CONFIG, "%s is \"%.64s\"; it must be debug, info, warn or error", entry->name, text);
        else
            *(int *)field = level;
        break;
    case CONFIG_HEADING:
    case CONFIG_CONSTANT:
        abort(); /* they have no value to store */
    }
    free(text);
    return st;
}

enum status config_load(const struct config_entry *entries, size_t n, void *out, struct errmsg *err)
{
    for (size_t i = 0; i < n; i++) {
        char *text = NULL;
        if (!is_variable(&entries[i]))
            continue;
        enum status st = find_value(&entries[i], &text, err);
        if (st != ST_OK)
            return st;
        assert(text != NULL);
        st = store_value(&entries[i], text, out, err);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

/* What a value may be, and what it is when nobody says so: "number 1 to 65535, default 8081". */
static void describe_value(const struct config_entry *entry, char *out, size_t size)
{
    char range[64] = "";
    const char *kind = entry->type == CONFIG_FLAG    ? "true or false"
                       : entry->type == CONFIG_LEVEL ? "debug, info, warn or error"
                                                     : "text";
    if (entry->type == CONFIG_NUMBER) {
        snprintf(range, sizeof(range), "number %" PRId64 " to %" PRId64, entry->min, entry->max);
        kind = range;
    }
    if (entry->fallback == NULL)
        snprintf(out, size, "[%s; required]", kind);
    else if (*entry->fallback == '\0')
        snprintf(out, size, "[%s; default: none]", kind);
    else
        snprintf(out, size, "[%s; default: %s]", kind, entry->type == CONFIG_SECRET ? "a secret" : entry->fallback);
}

/* Prints words from column `indent` on, broken before column HELP_WIDTH, and ends the line. */
static void print_wrapped(FILE *to, size_t indent, const char *text)
{
    size_t column = indent;

    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (column != indent && column + 1 + word > HELP_WIDTH) {
            fprintf(to, "\n%*s", (int)indent, "");
            column = indent;
        }
        if (column != indent) {
            fputc(' ', to);
            column++;
        }
        fwrite(text, 1, word, to);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', to);
}

/* entries: the rows below a heading, and all after them. */
static bool section_has_variables(const struct config_entry *entries, size_t n)
{
    size_t i = 0;

    while (i < n && entries[i].type == CONFIG_CONSTANT)
        i++;
    return i < n && is_variable(&entries[i]);
}

void config_print_help(const struct config_entry *entries, size_t n, FILE *to)
{
    size_t width = 0;
    for (size_t i = 0; i < n; i++)
        if (is_variable(&entries[i]) && strlen(entries[i].name) > width)
            width = strlen(entries[i].name);

    for (size_t i = 0; i < n; i++) {
        char value[256];
        if (entries[i].type == CONFIG_HEADING && section_has_variables(&entries[i + 1], n - i - 1))
            fprintf(to, "\n%s:\n", entries[i].name);
        if (!is_variable(&entries[i]))
            continue;
        fprintf(to, "  %-*s  ", (int)width, entries[i].name);
        print_wrapped(to, width + 4, entries[i].sentence);
        describe_value(&entries[i], value, sizeof(value));
        fprintf(to, "%*s", (int)width + 4, "");
        print_wrapped(to, width + 4, value);
    }
}

void config_print_json(const struct config_entry *entries, size_t n, FILE *to)
{
    static const char *const types[] = {
        [CONFIG_TEXT] = "text", [CONFIG_SECRET] = "secret",   [CONFIG_NUMBER] = "number",
        [CONFIG_FLAG] = "flag", [CONFIG_LEVEL] = "log level", [CONFIG_CONSTANT] = "constant"};
    const char *section = "";
    json_t *rows = json_array();

    for (size_t i = 0; i < n; i++) {
        const struct config_entry *entry = &entries[i];
        if (entry->type == CONFIG_HEADING) {
            section = entry->name;
            continue;
        }
        json_t *row = json_pack("{s:s, s:s, s:s, s:s?, s:I, s:I, s:s}", "section", section, "name", entry->name, "type",
                                types[entry->type], "default", entry->fallback, "min", (json_int_t)entry->min, "max",
                                (json_int_t)entry->max, "sentence", entry->sentence);
        if (row == NULL || json_array_append_new(rows, row) != 0)
            abort(); /* no memory, or a row is not UTF-8 */
    }
    json_dumpf(rows, to, JSON_INDENT(2));
    fputc('\n', to);
    json_decref(rows);
}
