/* selection - checks a ballot's selection against its poll.
 * SPDX-License-Identifier: MIT */
#include "selection.h"

#include <string.h>

/* The option that an element of the selection names, or NULL with *err. */
static const struct poll_option *read_option(const json_t *element, const struct poll *poll, const char *pointer,
                                             struct json_error *err)
{
    const char *id = json_string_value(element);

    if (id == NULL) {
        json_error_set(err, pointer, "An option is named by its id, a string.");
        return NULL;
    }
    const struct poll_option *option = poll_find_option(poll, id, json_string_length(element));
    if (option == NULL)
        json_error_set(err, pointer, "This poll has no option \"%.40s\".", id);
    return option;
}

static int read_plurality(const json_t *selection, const struct poll *poll, const char *base,
                          char out[BALLOT_CHOICES_MAX + 1], struct json_error *err)
{
    char pointer[JSON_POINTER_MAX];

    if (json_array_size(selection) != 1) {
        json_error_set(err, base, "Select exactly one option; this selection has %zu.", json_array_size(selection));
        return -1;
    }
    json_pointer_append(pointer, base, "0");
    const struct poll_option *option = read_option(json_array_get(selection, 0), poll, pointer, err);
    if (option == NULL)
        return -1;
    size_t len = strlen(option->id);
    memcpy(out, option->id, len + 1);
    return (int)len;
}

int selection_read(const json_t *selection, const struct poll *poll, const char *base, char out[BALLOT_CHOICES_MAX + 1],
                   struct json_error *err)
{
    if (!json_is_array(selection)) {
        json_error_set(err, base, "A selection is an array of option ids.");
        return -1;
    }
    switch (poll->method) {
    case METHOD_PLURALITY:
        return read_plurality(selection, poll, base, out, err);
    default:
        json_error_set(err, base, "This server does not take ballots of method %s.", poll_method_name(poll->method));
        return -1;
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

json_t *selection_write(const struct poll *poll, const char *choices)
{
    json_t *array = json_array();

    while (*choices != '\0') {
        size_t len = strcspn(choices, " ");
        json_array_append_new(array, json_stringn(choices, len));
        choices += len + (choices[len] == ' ');
    }
    return array;
}
