/* selection - checks a ballot's selection against its poll.
 * SPDX-License-Identifier: MIT */
#include "ballots/selection.h"

#include <stdio.h>
#include <string.h>

/* --- options and their number */

/* The pointer to element i of the array at base. Only refusals need it. */
static const char *point_to(size_t i, const char *base, char pointer[JSON_POINTER_MAX])
{
    char number[24];

    snprintf(number, sizeof(number), "%zu", i);
    json_pointer_append(pointer, base, number);
    return pointer;
}

/* The option that element i of the selection names, or NULL with *err. */
static const struct poll_option *read_option(const json_t *selection, size_t i, const struct poll *poll,
                                             const char *base, struct json_error *err)
{
    const json_t *element = json_array_get(selection, i);
    const char *id = json_string_value(element);
    char pointer[JSON_POINTER_MAX];

    if (id == NULL) {
        json_error_set(err, point_to(i, base, pointer), "An option is named by its id, a string.");
        return NULL;
    }
    const struct poll_option *option = poll_find_option(poll, id, json_string_length(element));
    if (option == NULL)
        json_error_set(err, point_to(i, base, pointer), "This poll has no option \"%.40s\".", id);
    return option;
}

/* Whether a selection may name n options; never none, because a ballot adds one to something. */
static bool check_number(size_t n, const struct poll *poll, const char *base, struct json_error *err)
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

/* Reads an array of distinct options into the places that they have in the poll, in the order of the array. */
static bool read_places(const json_t *selection, const struct poll *poll, const char *base,
                        uint8_t places[POLL_OPTIONS_MAX], struct json_error *err)
{
    size_t n = json_array_size(selection);
    bool seen[POLL_OPTIONS_MAX] = {false};
    char pointer[JSON_POINTER_MAX];

    if (!check_number(n, poll, base, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct poll_option *option = read_option(selection, i, poll, base, err);
        if (option == NULL)
            return false;
        places[i] = (uint8_t)(option - poll->options);
        if (seen[places[i]]) {
            json_error_set(err, point_to(i, base, pointer),
                           "Option \"%s\" stands twice in this selection; name it once.", option->id);
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

/* In the poll's order. */
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

/* In the poll's order. */
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
    if (!check_number(json_object_size(selection), poll, base, err))
        return -1;
    for (size_t i = 0; i < poll->n_options; i++) {
        value = json_object_get(selection, poll->options[i].id);
        if (!json_read_whole(value, 0, POLL_SCORE_MAX, &score))
            continue; /* not scored: what is there was checked */
        to = stpcpy(stpcpy(to, to == out ? "" : " "), poll->options[i].id);
        *to++ = '=';
        *to++ = (char)('0' + score);
        *to = '\0';
    }
    return (int)(to - out);
}

/* --- all of them */

int selection_read(const json_t *selection, const struct poll *poll, const char *base, char out[BALLOT_CHOICES_MAX + 1],
                   struct json_error *err)
{
    if (poll->method == METHOD_SCORE && !json_is_object(selection)) {
        json_error_set(err, base, "A selection of this poll is an object that gives options a score, {\"%s\":%d}.",
                       poll->options[0].id, POLL_SCORE_MAX);
        return -1;
    }
    if (poll->method != METHOD_SCORE && !json_is_array(selection)) {
        json_error_set(err, base, "A selection is an array of option ids.");
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
                          struct json_error *err)
{
    static const char *const fields[] = {"selection", NULL};
    const json_t *selection = json_object_get(body, "selection");

    if (!json_check_fields(body, "", fields, err))
        return -1;
    if (selection == NULL) {
        json_error_set(err, "/selection", "A ballot needs a selection.");
        return -1;
    }
    return selection_read(selection, poll, "/selection", out, err);
}

/* Option ids hold no character that JSON escapes. */
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
