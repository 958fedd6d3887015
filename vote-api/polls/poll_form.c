/* poll_form - checks every field that it reads.
 * SPDX-License-Identifier: MIT */
#include "polls/poll_form.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "polls/text_rules.h"
#include <stdlib.h>
#include <string.h>

#define LABEL_QUOTED_MAX 80 /* bytes: the sentence of an error has room for two such labels */

bool poll_form_refuse(struct json_error *err, const char *field, const char *sentence)
{
    char pointer[JSON_POINTER_MAX];

    json_pointer_append(pointer, "", field);
    json_error_set(err, pointer, "%s", sentence);
    return false;
}

/* Reads a text of min to max code points that keeps the rules of its kind. Replaces and frees the old *to. */
static bool read_text(const json_t *value, const char *pointer, size_t min, size_t max, enum text_kind kind, char **to,
                      struct json_error *err)
{
    const char *text = json_string_value(value);

    if (text == NULL) {
        json_error_set(err, pointer, "Send a string.");
        return false;
    }
    size_t n = json_count_code_points(text);
    if (n < min || n > max) {
        json_error_set(err, pointer, "Send %zu to %zu characters. This text has %zu.", min, max, n);
        return false;
    }
    char fault[TEXT_FAULT_MAX];
    if (!text_check(text, kind, pointer + 1, fault)) {
        json_error_set(err, pointer, "%s", fault);
        return false;
    }
    free(*to);
    *to = alloc_copy(text);
    return true;
}

/* Reads an RFC 3339 date-time; null is 0, no time. */
static bool read_time(const json_t *value, const char *field, int64_t *to, struct json_error *err)
{
    if (json_is_null(value)) {
        *to = 0;
        return true;
    }
    int64_t ms = json_is_string(value) ? clock_parse_ms(json_string_value(value)) : -1;
    if (ms <= 0)
        return poll_form_refuse(
            err, field,
            "Send a date and time like 2026-01-31T20:00:00Z, from 1970 to the end of 9999 in UTC, or null.");
    *to = ms;
    return true;
}

static bool read_flag(const json_t *value, const char *field, bool *to, struct json_error *err)
{
    if (!json_is_boolean(value))
        return poll_form_refuse(err, field, "Send true or false.");
    *to = json_is_true(value);
    return true;
}

/* Reads a number of options. poll_form_check_method compares it with the poll. */
static bool read_number_of_options(const json_t *value, const char *field, unsigned *to, struct json_error *err)
{
    json_int_t number;

    if (!json_read_whole(value, 1, POLL_OPTIONS_MAX, &number))
        return poll_form_refuse(err, field, "Send a whole number from 1 to the number of options.");
    *to = (unsigned)number;
    return true;
}

/* An option is {"id","label"} or a label alone. Without an id, its number is its id, counted from 1. */
static bool read_option(const json_t *value, size_t i, struct poll_option *option, struct json_error *err)
{
    static const char *const fields[] = {"id", "label", NULL};
    char pointer[JSON_POINTER_MAX], field[JSON_POINTER_MAX];
    const json_t *id = json_object_get(value, "id"), *label = value;

    snprintf(pointer, sizeof(pointer), "/options/%zu", i);
    snprintf(option->id, sizeof(option->id), "%zu", i + 1);
    if (json_is_object(value)) {
        if (!json_check_fields(value, pointer, fields, err))
            return false;
        label = json_object_get(value, "label");
        json_pointer_append(field, pointer, "id");
        if (id != NULL && !poll_id_is_valid(json_string_value(id), json_string_length(id))) {
            json_error_set(err, field, "Send an id of 1 to %d characters: a-z, 0-9 and -.", POLL_ID_MAX);
            return false;
        }
        if (id != NULL)
            snprintf(option->id, sizeof(option->id), "%s", json_string_value(id));
        json_pointer_append(pointer, pointer, "label");
    }
    return read_text(label, pointer, 1, POLL_LABEL_MAX, TEXT_LINE, &option->label, err);
}

/* Bytes of the label that an error quotes: whole characters, at most LABEL_QUOTED_MAX bytes. */
static int measure_quote(const char *text)
{
    size_t len = 0, next;

    while (text[len] != '\0' && (next = utf8_sequence_len(text + len, strlen(text + len))) != 0 &&
           len + next <= LABEL_QUOTED_MAX)
        len += next;
    return (int)len;
}

/* Two labels that read the same would mislead voters. */
static bool check_labels(const struct poll *poll, struct json_error *err)
{
    char **folded = alloc_items(poll->n_options, sizeof(char *));
    bool distinct = true;

    for (size_t i = 0; i < poll->n_options && distinct; i++) {
        folded[i] = text_fold(poll->options[i].label);
        for (size_t j = 0; j < i && distinct; j++) {
            const char *one = poll->options[j].label, *other = poll->options[i].label;
            distinct = strcmp(folded[i], folded[j]) != 0;
            if (!distinct)
                json_error_set(err, "/options", "Options %zu (\"%.*s\") and %zu (\"%.*s\") read the same.", j + 1,
                               measure_quote(one), one, i + 1, measure_quote(other), other);
        }
    }
    for (size_t i = 0; i < poll->n_options; i++)
        free(folded[i]);
    free(folded);
    return distinct;
}

static bool read_options(const json_t *value, struct poll *poll, struct json_error *err)
{
    size_t n = json_array_size(value);

    if (!json_is_array(value) || n < 2 || n > POLL_OPTIONS_MAX) {
        json_error_set(err, "/options", "Send an array of 2 to %d options.", POLL_OPTIONS_MAX);
        return false;
    }
    for (size_t i = 0; i < poll->n_options; i++)
        free(poll->options[i].label);
    free(poll->options);
    poll->n_options = 0;
    poll->options = alloc_items(n, sizeof(*poll->options));
    for (size_t i = 0; i < n; i++) {
        poll->n_options = i + 1; /* poll_release frees the labels of this many options */
        if (!read_option(json_array_get(value, i), i, &poll->options[i], err))
            return false;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(poll->options[i].id, poll->options[j].id) == 0) {
                json_error_set(err, "/options", "Two options have the id \"%s\". Give each option its own id.",
                               poll->options[i].id);
                return false;
            }
        }
    }
    return check_labels(poll, err);
}

/* Reads one of a few names. */
static bool read_name(const json_t *value, const char *field, int (*from_name)(const char *), int *to,
                      struct json_error *err)
{
    int got = json_is_string(value) ? from_name(json_string_value(value)) : -1;

    if (got < 0)
        return poll_form_refuse(err, field, "Send one of the names that /docs lists for this field.");
    *to = got;
    return true;
}

static bool read_field(const char *name, const json_t *value, struct poll *poll, struct json_error *err)
{
    char pointer[JSON_POINTER_MAX];
    int name_value = 0;

    json_pointer_append(pointer, "", name);
    if (strcmp(name, "title") == 0)
        return read_text(value, pointer, 1, POLL_TITLE_MAX, TEXT_LINE, &poll->title, err);
    if (strcmp(name, "description") == 0)
        return read_text(value, pointer, 0, POLL_TEXT_MAX, TEXT_LINES, &poll->description, err);
    if (strcmp(name, "opens_at") == 0)
        return read_time(value, name, &poll->opens_at_ms, err);
    if (strcmp(name, "closes_at") == 0)
        return read_time(value, name, &poll->closes_at_ms, err);
    if (strcmp(name, "revisable") == 0)
        return read_flag(value, name, &poll->revisable, err);
    if (strcmp(name, "reopenable") == 0)
        return read_flag(value, name, &poll->reopenable, err);
    if (strcmp(name, "options") == 0)
        return read_options(value, poll, err);
    if (strcmp(name, "method") == 0) {
        bool ok = read_name(value, name, poll_method_from_name, &name_value, err);
        poll->method = (enum poll_method)name_value;
        return ok;
    }
    if (strcmp(name, "min_choices") == 0)
        return read_number_of_options(value, name, &poll->min_choices, err);
    if (strcmp(name, "max_choices") == 0)
        return read_number_of_options(value, name, &poll->max_choices, err);
    if (strcmp(name, "results_visibility") == 0) {
        bool ok = read_name(value, name, poll_visibility_from_name, &name_value, err);
        poll->visibility = (enum poll_visibility)name_value;
        return ok;
    }
    bool ok = read_name(value, name, poll_voter_policy_from_name, &name_value, err);
    poll->voter_policy = (enum poll_voter_policy)name_value;
    return ok;
}

bool poll_form_read(const json_t *body, struct poll *poll, struct json_error *err)
{
    static const char *const fields[] = {"title",       "description",        "options",      "method",   "min_choices",
                                         "max_choices", "revisable",          "reopenable",   "opens_at", "closes_at",
                                         "state",       "results_visibility", "voter_policy", NULL};

    if (!json_check_fields(body, "", fields, err))
        return false;
    for (const char *const *field = fields; *field != NULL; field++) {
        const json_t *value = json_object_get(body, *field);
        if (value != NULL && strcmp(*field, "state") != 0 && !read_field(*field, value, poll, err))
            return false;
    }
    return true;
}

bool poll_form_check_closing(const struct poll *poll, int64_t now_ms, struct json_error *err)
{
    if (poll->closes_at_ms != 0 && poll->closes_at_ms <= poll->opens_at_ms)
        return poll_form_refuse(err, "closes_at", "Send a time after opens_at.");
    if (poll->closes_at_ms != 0 && poll->closes_at_ms <= now_ms)
        return poll_form_refuse(err, "closes_at",
                                "Send a time in the future. {\"state\":\"closed\"} closes a poll now.");
    return true;
}

bool poll_form_check_method(const json_t *body, const struct poll *poll, struct json_error *err)
{
    bool has_min = json_object_get(body, "min_choices") != NULL;

    if (poll->method == METHOD_RANKED && poll->n_options > POLL_RANKED_MAX) {
        json_error_set(err, "/options", "A ranked poll has at most %d options. This one has %zu.", POLL_RANKED_MAX,
                       poll->n_options);
        return false;
    }
    unsigned most = poll->method == METHOD_PLURALITY ? 1 : (unsigned)poll->n_options;
    const char *field = poll->max_choices > most ? "max_choices" : "min_choices";
    if (poll->max_choices > most || poll->min_choices > most)
        return poll_form_refuse(err, field,
                                most == 1 ? "Send 1: with the method plurality, a ballot has exactly one choice."
                                          : "Send at most the number of options of this poll.");
    if (poll->min_choices > poll->max_choices)
        return poll_form_refuse(err, has_min ? "min_choices" : "max_choices",
                                "Send a min_choices that is not larger than max_choices.");
    return true;
}

/* A new poll may only name the state draft. Otherwise opens_at says whether it is scheduled or open. */
static bool read_first_state(const json_t *state, struct poll *poll, struct json_error *err)
{
    if (state == NULL)
        return true;
    poll->draft = json_is_string(state) && strcmp(json_string_value(state), "draft") == 0;
    return poll->draft ||
           poll_form_refuse(err, "state",
                            "Send draft or leave this out. Without it the poll is open, or scheduled by opens_at.");
}

struct poll *poll_form_create(const json_t *body, int64_t now_ms, struct json_error *err)
{
    struct poll *poll = poll_new();

    poll->revisable = true;
    poll->min_choices = poll->max_choices = 1;
    poll->created_at_ms = poll->updated_at_ms = now_ms;
    if (!poll_form_read(body, poll, err))
        goto refused;
    if (poll->title == NULL || poll->n_options == 0) {
        json_error_set(err, poll->title == NULL ? "/title" : "/options", "Send a title and options.");
        goto refused;
    }
    if (json_object_get(body, "max_choices") == NULL && poll->method != METHOD_PLURALITY)
        poll->max_choices = (unsigned)poll->n_options;
    if (!read_first_state(json_object_get(body, "state"), poll, err) || !poll_form_check_method(body, poll, err) ||
        !poll_form_check_closing(poll, now_ms, err))
        goto refused;
    if (poll->description == NULL)
        poll->description = alloc_copy("");
    return poll;

refused:
    poll_release(poll);
    return NULL;
}

static json_t *write_time(int64_t ms)
{
    char text[CLOCK_TEXT];

    if (ms == 0)
        return json_null();
    clock_format_ms(ms, text);
    return json_string(text);
}

json_t *poll_form_write(const struct poll *poll, int64_t now_ms)
{
    json_t *options = json_array();

    for (size_t i = 0; i < poll->n_options; i++)
        json_array_append_new(options,
                              json_pack("{s:s, s:s}", "id", poll->options[i].id, "label", poll->options[i].label));
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:o, s:s, s:i, s:i, s:b, s:b, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "id", poll->id, "title",
        poll->title, "description", poll->description, "options", options, "method", poll_method_name(poll->method),
        "min_choices", (int)poll->min_choices, "max_choices", (int)poll->max_choices, "revisable", poll->revisable,
        "reopenable", poll->reopenable, "results_visibility", poll_visibility_name(poll->visibility), "voter_policy",
        poll_voter_policy_name(poll->voter_policy), "state", poll_state_name(poll_state_at(poll, now_ms)), "opens_at",
        write_time(poll->opens_at_ms), "closes_at", write_time(poll->closes_at_ms), "created_at",
        write_time(poll->created_at_ms), "updated_at", write_time(poll->updated_at_ms));
    if (poll->voter_policy == VOTERS_CODE)
        json_object_set_new(json, "voting_codes", json_integer(poll->voting_codes));
    return json;
}
