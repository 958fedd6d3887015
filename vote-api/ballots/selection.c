/* selection - checks a ballot's selection against its poll.
 * SPDX-License-Identifier: MIT */
#include "ballots/selection.h"

#include <stdio.h>
#include <string.h>

/* --- options and their number */

/* Writes the pointer to element i of the array at base. */
static const char *point_to_element(size_t i, const char *base, char pointer[JSON_POINTER_MAX])
{
    char number[24];

    snprintf(number, sizeof(number), "%zu", i);
    json_pointer_append(pointer, base, number);
    return pointer;
}

/* Returns the option whose id is element i of the selection, or NULL with *err. */
static const struct poll_option *read_option(const json_t *selection, size_t i, const struct poll *poll,
                                             const char *base, struct json_error *err)
{
    const json_t *element = json_array_get(selection, i);
    const char *id = json_string_value(element);
    char pointer[JSON_POINTER_MAX];

    if (id == NULL) {
        json_error_set(err, point_to_element(i, base, pointer), "Send the id of an option, which is a string.");
        return NULL;
    }
    const struct poll_option *option = poll_find_option(poll, id, json_string_length(element));
    if (option == NULL)
        json_error_set(err, point_to_element(i, base, pointer), "This poll has no option \"%.40s\".", id);
    return option;
}

/* Whether a selection may name n options. None is never allowed: such a ballot would count for nothing. */
static bool check_number_of_options(size_t n, const struct poll *poll, const char *base, struct json_error *err)
{
    if (n > 0 && n >= poll->min_choices && n <= poll->max_choices)
        return true;
    if (poll->min_choices == poll->max_choices)
        json_error_set(err, base, "Select exactly %u of the options; this selection has %zu.", poll->max_choices, n);
    else
        json_error_set(err, base, "Select %u to %u of the options; this selection has %zu.", poll->min_choices,
                       poll->max_choices, n);
    return false;
}

/* Reads an array of distinct options. places: the index of each option in the poll, in the order of the array. */
static bool read_places(const json_t *selection, const struct poll *poll, const char *base,
                        uint8_t places[POLL_OPTIONS_MAX], struct json_error *err)
{
    size_t n = json_array_size(selection);
    bool seen[POLL_OPTIONS_MAX] = {false};
    char pointer[JSON_POINTER_MAX];

    if (!check_number_of_options(n, poll, base, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct poll_option *option = read_option(selection, i, poll, base, err);
        if (option == NULL)
            return false;
        places[i] = (uint8_t)(option - poll->options);
        if (seen[places[i]]) {
            json_error_set(err, point_to_element(i, base, pointer),
                           "Option \"%s\" is in this selection twice. Name it once.", option->id);
            return false;
        }
        seen[places[i]] = true;
    }
    return true;
}

/* --- methods */

static int read_plurality(const json_t *selection, const struct poll *poll, const char *base,
                          char out[BALLOT_CHOICES_MAX + 1], struct json_error *err)
{
    if (json_array_size(selection) != 1) {
        json_error_set(err, base, "Select exactly one option; this selection has %zu.", json_array_size(selection));
        return -1;
    }
    const struct poll_option *option = read_option(selection, 0, poll, base, err);
    if (option == NULL)
        return -1;
    return (int)(stpcpy(out, option->id) - out);
}

/* Writes the options in the poll's order. */
static int read_approval(const json_t *selection, const struct poll *poll, const char *base,
                         char out[BALLOT_CHOICES_MAX + 1], struct json_error *err)
{
    uint8_t places[POLL_OPTIONS_MAX];
    bool approved[POLL_OPTIONS_MAX] = {false};
    char *to = out;

    if (!read_places(selection, poll, base, places, err))
        return -1;
    for (size_t i = 0; i < json_array_size(selection); i++)
        approved[places[i]] = true;
    for (size_t i = 0; i < poll->n_options; i++)
        if (approved[i])
            to = stpcpy(stpcpy(to, to == out ? "" : " "), poll->options[i].id);
    return (int)(to - out);
}

static int read_ranked(const json_t *selection, const struct poll *poll, const char *base,
                       char out[BALLOT_CHOICES_MAX + 1], struct json_error *err)
{
    uint8_t places[POLL_OPTIONS_MAX];
    char *to = out;

    if (!read_places(selection, poll, base, places, err))
        return -1;
    for (size_t i = 0; i < json_array_size(selection); i++)
        to = stpcpy(stpcpy(to, to == out ? "" : ">"), poll->options[places[i]].id);
    return (int)(to - out);
}

/* Writes the options in the poll's order. */
static int read_score(const json_t *selection, const struct poll *poll, const char *base,
                      char out[BALLOT_CHOICES_MAX + 1], struct json_error *err)
{
    const char *id;
    json_t *value;
    char pointer[JSON_POINTER_MAX], *to = out;
    json_int_t score;

    json_object_foreach((json_t *)(uintptr_t)selection, id, value)
    {
        json_pointer_append(pointer, base, id);
        if (poll_find_option(poll, id, strlen(id)) == NULL) {
            json_error_set(err, pointer, "This poll has no option \"%.40s\".", id);
            return -1;
        }
        if (!json_read_whole(value, 0, POLL_SCORE_MAX, &score)) {
            json_error_set(err, pointer, "A score is a whole number from 0 to %d.", POLL_SCORE_MAX);
            return -1;
        }
    }
    if (!check_number_of_options(json_object_size(selection), poll, base, err))
        return -1;
    for (size_t i = 0; i < poll->n_options; i++) {
        value = json_object_get(selection, poll->options[i].id);
        if (!json_read_whole(value, 0, POLL_SCORE_MAX, &score))
            continue; /* the selection does not score this option */
        to = stpcpy(stpcpy(to, to == out ? "" : " "), poll->options[i].id);
        *to++ = '=';
        *to++ = (char)('0' + score);
        *to = '\0';
    }
    return (int)(to - out);
}

/* --- all methods */

int selection_read(const json_t *selection, const struct poll *poll, const char *base, char out[BALLOT_CHOICES_MAX + 1],
                   struct json_error *err)
{
    if (poll->method == METHOD_SCORE && !json_is_object(selection)) {
        json_error_set(err, base, "Send an object that gives options a score, for example {\"%s\":%d}.",
                       poll->options[0].id, POLL_SCORE_MAX);
        return -1;
    }
    if (poll->method != METHOD_SCORE && !json_is_array(selection)) {
        json_error_set(err, base, "Send an array of option ids.");
        return -1;
    }
    switch (poll->method) {
    case METHOD_PLURALITY:
        return read_plurality(selection, poll, base, out, err);
    case METHOD_APPROVAL:
        return read_approval(selection, poll, base, out, err);
    case METHOD_RANKED:
        return read_ranked(selection, poll, base, out, err);
    default:
        return read_score(selection, poll, base, out, err);
    }
}

int selection_read_ballot(const json_t *body, const struct poll *poll, char out[BALLOT_CHOICES_MAX + 1],
                          enum problem *problem, struct json_error *err)
{
    static const char *const fields[] = {"selection", NULL};
    const json_t *selection = json_object_get(body, "selection");

    *problem = PROBLEM_INVALID_FIELD;
    if (!json_check_fields(body, "", fields, err))
        return -1;
    *problem = PROBLEM_INVALID_SELECTION;
    if (selection == NULL) {
        json_error_set(err, "/selection", "A ballot needs a selection.");
        return -1;
    }
    return selection_read(selection, poll, "/selection", out, err);
}

/* JSON escapes none of the characters that an option id may have. */
size_t selection_write(enum poll_method method, const char *choices, char out[SELECTION_JSON_MAX])
{
    bool scores = method == METHOD_SCORE;
    const char *between = scores ? ",\"" : "\",\"";
    char *to = stpcpy(out, scores ? "{\"" : "[\"");

    for (; *choices != '\0'; choices++) {
        if (*choices == ' ' || *choices == '>')
            to = stpcpy(to, between);
        else if (*choices == '=')
            to = stpcpy(to, "\":");
        else
            *to++ = *choices;
    }
    return (size_t)(stpcpy(to, scores ? "}" : "\"]") - out);
}
