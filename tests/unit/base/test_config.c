/* Tests of config: where a value comes from, which values are refused and how, and what --help prints.
 * SPDX-License-Identifier: MIT */
#include "base/config.h"

#include "base/log.h"
#include "unit.h"
#include <unistd.h>

struct sample {
    char *url;
    char *secret;
    int64_t port;
    bool flag;
    int level;
    char *optional;
};

static const struct config_entry entries[] = {
    {"T_URL", CONFIG_TEXT, offsetof(struct sample, url), "nats://127.0.0.1:4222", 0, 0, "where the broker is"},
    {"T_SECRET", CONFIG_SECRET, offsetof(struct sample, secret), NULL, 0, 0, "the keys that sign"},
    {"T_PORT", CONFIG_NUMBER, offsetof(struct sample, port), "8081", -1, 65535, "port to listen on"},
    {"T_FLAG", CONFIG_FLAG, offsetof(struct sample, flag), "no", 0, 0,
     "a switch with a sentence that is long enough to be wrapped: it goes on and on, past what a terminal of a hundred "
     "columns shows in one line"},
    {"T_LEVEL", CONFIG_LEVEL, offsetof(struct sample, level), "info", 0, 0, "lowest level that is logged"},
    {"T_OPTIONAL", CONFIG_TEXT, offsetof(struct sample, optional), "", 0, 0, "may be empty"},
};

static struct sample config;

static void free_sample(void)
{
    free(config.url);
    free(config.secret);
    free(config.optional);
    memset(&config, 0, sizeof(config));
}

static int clear(void **state)
{
    for (size_t i = 0; i < COUNT_OF(entries); i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s_FILE", entries[i].name);
        unsetenv(entries[i].name);
        unsetenv(name);
    }
    setenv("T_SECRET", "s3cret", 1);
    free_sample();
    return 0;
}

static enum status load(struct errmsg *err)
{
    free_sample();
    err->text[0] = '\0';
    return config_load(entries, COUNT_OF(entries), &config, err);
}

static void assert_refused(const char *reason)
{
    struct errmsg err;
    assert_int_equal(load(&err), ST_CONFIG);
    assert_contains(err.text, reason);
}

/* A file with these bytes; its name is good until the next call. */
static const char *file_of(const char *data, size_t len)
{
    static char path[64];
    strcpy(path, "/tmp/scrutin-unit-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    close(fd);
    return path;
}

static void defaults_stand_where_nothing_is_set(void **state)
{
    struct errmsg err;
    assert_int_equal(load(&err), ST_OK);
    assert_string_equal(config.url, "nats://127.0.0.1:4222");
    assert_string_equal(config.secret, "s3cret");
    assert_int_equal(config.port, 8081);
    assert_false(config.flag);
    assert_int_equal(config.level, LOG_INFO);
    assert_string_equal(config.optional, "");
}

static void the_environment_wins_over_the_default(void **state)
{
    struct errmsg err;
    setenv("T_URL", "nats://broker:4222", 1);
    setenv("T_PORT", "80", 1);
    setenv("T_FLAG", "yes", 1);
    setenv("T_LEVEL", "error", 1);
    assert_int_equal(load(&err), ST_OK);
    assert_string_equal(config.url, "nats://broker:4222");
    assert_int_equal(config.port, 80);
    assert_true(config.flag);
    assert_int_equal(config.level, LOG_ERROR);
}

static void an_empty_variable_counts_as_not_set(void **state)
{
    struct errmsg err;
    setenv("T_PORT", "", 1);
    setenv("T_URL_FILE", "", 1);
    assert_int_equal(load(&err), ST_OK);
    assert_int_equal(config.port, 8081);
    setenv("T_SECRET", "", 1);
    assert_refused("T_SECRET is not set");
}

static void a_missing_variable_is_named_with_its_meaning(void **state)
{
    struct errmsg err;
    unsetenv("T_SECRET");
    assert_int_equal(load(&err), ST_CONFIG);
    assert_contains(err.text, "T_SECRET is not set");
    assert_contains(err.text, "T_SECRET_FILE");
    assert_contains(err.text, "the keys that sign");
}

static void numbers_are_whole_and_within_their_range(void **state)
{
    static const struct {
        const char *text;
        bool valid;
        int64_t value;
    } rows[] = {
        {"0", true, 0},    {"-1", true, -1},    {"65535", true, 65535}, {"0080", true, 80},
        {"-2", false, 0},  {"65536", false, 0}, {"x", false, 0},        {"80x", false, 0},
        {"80 ", false, 0}, {" 80", false, 0},   {"8.5", false, 0},      {"0x50", false, 0},
        {"1e3", false, 0}, {"-", false, 0},     {"+80", false, 0},      {"99999999999999999999", false, 0},
        {"--1", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct errmsg err = {""};
        clear(NULL);
        setenv("T_PORT", rows[i].text, 1);
        CHECK_ROW(load(&err) == (rows[i].valid ? ST_OK : ST_CONFIG), "%s", rows[i].text);
        if (rows[i].valid) {
            assert_int_equal(config.port, rows[i].value);
        } else {
            assert_contains(err.text, "T_PORT is");
            assert_contains(err.text, rows[i].text);
            assert_contains(err.text, "from -1 to 65535");
        }
    }
}

static void flags_are_said_in_four_ways(void **state)
{
    static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no", "off", "0"};
    static const char *const neither[] = {"TRUE", "y", "2", "enabled", "true "};
    struct errmsg err;

    for (size_t i = 0; i < 4; i++) {
        clear(NULL);
        setenv("T_FLAG", yes[i], 1);
        assert_int_equal(load(&err), ST_OK);
        assert_true(config.flag);
        clear(NULL);
        setenv("T_FLAG", no[i], 1);
        assert_int_equal(load(&err), ST_OK);
        assert_false(config.flag);
    }
    for (size_t i = 0; i < COUNT_OF(neither); i++) {
        clear(NULL);
        setenv("T_FLAG", neither[i], 1);
        assert_refused("must be true or false");
    }
}

static void an_unknown_level_is_refused(void **state)
{
    setenv("T_LEVEL", "verbose", 1);
    assert_refused("T_LEVEL is \"verbose\"; it must be debug, info, warn or error");
}

static void a_file_holds_a_value_and_one_newline_is_cut(void **state)
{
    static const struct {
        const char *data;
        const char *value;
    } rows[] = {
        {"from file", "from file"},
        {"from file\n", "from file"},
        {"two lines\nhere\n", "two lines\nhere"},
        {"spare newline\n\n", "spare newline\n"},
        {" spaces stay ", " spaces stay "},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct errmsg err;
        clear(NULL);
        unsetenv("T_SECRET");
        const char *path = file_of(rows[i].data, strlen(rows[i].data));
        setenv("T_SECRET_FILE", path, 1);
        assert_int_equal(load(&err), ST_OK);
        assert_string_equal(config.secret, rows[i].value);
        unlink(path);
    }
}

static void a_number_may_come_from_a_file_too(void **state)
{
    struct errmsg err;
    const char *path = file_of("90\n", 3);
    setenv("T_PORT_FILE", path, 1);
    assert_int_equal(load(&err), ST_OK);
    assert_int_equal(config.port, 90);
    unlink(path);
}

static void variable_and_file_together_are_refused(void **state)
{
    setenv("T_URL", "x", 1);
    setenv("T_URL_FILE", "/nonexistent", 1);
    assert_refused("T_URL and T_URL_FILE are both set");
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    setenv("T_URL_FILE", "/nonexistent/file", 1);
    assert_refused("T_URL_FILE: cannot open /nonexistent/file: No such file or directory");
    setenv("T_URL_FILE", "/tmp", 1);
    assert_refused("T_URL_FILE: cannot read /tmp: Is a directory");
}

static void a_file_that_is_empty_binary_or_huge_is_refused(void **state)
{
    static char huge[65537];
    const char *path = file_of("\n", 1);
    setenv("T_URL_FILE", path, 1);
    assert_refused("is empty");
    unlink(path);

    path = file_of("a\0b", 3);
    setenv("T_URL_FILE", path, 1);
    assert_refused("is no text");
    unlink(path);

    memset(huge, 'x', sizeof(huge));
    path = file_of(huge, sizeof(huge));
    setenv("T_URL_FILE", path, 1);
    assert_refused("is no text of at most 65536 bytes");
    unlink(path);
}

static void no_refusal_shows_a_secret(void **state)
{
    struct errmsg err;
    setenv("T_SECRET", "do-not-show", 1);
    setenv("T_SECRET_FILE", "/tmp/x", 1);
    assert_int_equal(load(&err), ST_CONFIG);
    assert_lacks(err.text, "do-not-show");
}

/* --- help */

static char *help_of(const struct config_entry *list, size_t n)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    config_print_help(list, n, to);
    fclose(to);
    return text;
}

static void help_is_aligned_and_fits_a_hundred_columns(void **state)
{
    enum { COLUMN = 2 + 10 + 2 }; /* T_OPTIONAL is the longest name */
    char *text = help_of(entries, COUNT_OF(entries));
    size_t lines = 0;

    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
        CHECK_ROW(strlen(line) <= 100, "%s", line);
        CHECK_ROW(strlen(line) > COLUMN && line[COLUMN - 1] == ' ' && line[COLUMN] != ' ', "%s", line);
        CHECK_ROW(line[strlen(line) - 1] != ' ', "%s", line);
    }
    assert_true(lines == 2 * COUNT_OF(entries) + 1); /* one sentence is wrapped */
    free(text);
}

static void a_line_of_help_is_filled_to_the_last_column_and_no_further(void **state)
{
    bool filled = false;
    for (size_t len = 60; len < 120; len++) {
        char sentence[256];
        memset(sentence, 'x', len);
        strcpy(sentence + len, " y z");
        struct config_entry list[] = {{"T", CONFIG_TEXT, 0, "", 0, 0, sentence}};
        char *text = help_of(list, 1);
        size_t first = strcspn(text, "\n");
        filled = filled || first == 100;
        CHECK_ROW(first <= 100 || len > 95, "%s", text); /* a word that is too long stays whole */
        assert_contains(text, "y");
        free(text);
    }
    assert_true(filled);
}

static void help_says_type_range_and_default(void **state)
{
    char *text = help_of(entries, COUNT_OF(entries));
    static const char *const parts[] = {
        "  T_PORT      port to listen on\n              [number -1 to 65535; default: 8081]\n",
        "  T_URL       where the broker is\n              [text; default: nats://127.0.0.1:4222]\n",
        "[text; required]",
        "[true or false; default: no]",
        "[debug, info, warn or error; default: info]",
        "[text; default: none]",
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        assert_contains(text, parts[i]);
    free(text);
}

static void help_never_prints_a_secret_default(void **state)
{
    static const struct config_entry list[] = {{"T_S", CONFIG_SECRET, 0, "hunter2", 0, 0, "a secret"}};
    char *text = help_of(list, 1);
    assert_lacks(text, "hunter2");
    free(text);
}

#define FROM_CLEAR(name) cmocka_unit_test_setup_teardown(name, clear, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FROM_CLEAR(defaults_stand_where_nothing_is_set),
        FROM_CLEAR(the_environment_wins_over_the_default),
        FROM_CLEAR(an_empty_variable_counts_as_not_set),
        FROM_CLEAR(a_missing_variable_is_named_with_its_meaning),
        FROM_CLEAR(numbers_are_whole_and_within_their_range),
        FROM_CLEAR(flags_are_said_in_four_ways),
        FROM_CLEAR(an_unknown_level_is_refused),
        FROM_CLEAR(a_file_holds_a_value_and_one_newline_is_cut),
        FROM_CLEAR(a_number_may_come_from_a_file_too),
        FROM_CLEAR(variable_and_file_together_are_refused),
        FROM_CLEAR(a_file_that_cannot_be_read_is_named),
        FROM_CLEAR(a_file_that_is_empty_binary_or_huge_is_refused),
        FROM_CLEAR(no_refusal_shows_a_secret),
        cmocka_unit_test(help_is_aligned_and_fits_a_hundred_columns),
        cmocka_unit_test(a_line_of_help_is_filled_to_the_last_column_and_no_further),
        cmocka_unit_test(help_says_type_range_and_default),
        cmocka_unit_test(help_never_prints_a_secret_default),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
