/* ballot_row - the columns of each method.
 * SPDX-License-Identifier: MIT */
#include "export/ballot_row.h"

#include "tally/csv.h"
#include <string.h>

void ballot_row_write_header(const struct poll *poll, FILE *to)
{
    switch (poll->method) {
    case METHOD_PLURALITY:
        fputs("choice", to);
        break;
    case METHOD_RANKED:
        for (unsigned rank = 1; rank <= poll->max_choices; rank++)
            fprintf(to, "%srank_%u", rank == 1 ? "" : ",", rank);
        break;
    case METHOD_APPROVAL:
    case METHOD_SCORE:
        for (size_t i = 0; i < poll->n_options; i++) {
            fputs(i == 0 ? "" : ",", to);
            csv_write_text(to, poll->options[i].id);
        }
    }
    fputs(CSV_END, to);
}

static void write_choice(const struct option_index *options, const char *choices, FILE *to)
{
    int option = option_index_find(options, choices, strlen(choices));

    csv_write_text(to, option < 0 ? "" : options->poll->options[option].id);
}

static void write_ranks(const struct option_index *options, const char *ranking, FILE *to)
{
    unsigned ranks = 0;

    for (const char *id = ranking; *id != '\0' && ranks < options->poll->max_choices;) {
        size_t len = strcspn(id, ">");
        int option = option_index_find(options, id, len);
        if (option >= 0) {
            fputs(ranks++ == 0 ? "" : ",", to);
            csv_write_text(to, options->poll->options[option].id);
        }
        id += len + (id[len] == '>');
    }
    for (ranks += ranks == 0; ranks < options->poll->max_choices; ranks++)
        fputc(',', to);
}

/* Writes a digit for each option that the ballot names, and NUL for the others. */
static void read_marks(const struct option_index *options, const char *choices, char marks[POLL_OPTIONS_MAX])
{
    bool scored = options->poll->method == METHOD_SCORE;

    memset(marks, 0, POLL_OPTIONS_MAX);
    for (const char *choice = choices; *choice != '\0';) {
        size_t len = strcspn(choice, " "), id_len = scored ? strcspn(choice, "= ") : len;
        int option = option_index_find(options, choice, id_len);
        if (option >= 0 && !scored)
            marks[option] = '1';
        else if (option >= 0 && id_len + 2 == len && choice[id_len + 1] >= '0' &&
                 choice[id_len + 1] <= '0' + POLL_SCORE_MAX)
            marks[option] = choice[id_len + 1];
        choice += len + (choice[len] == ' ');
    }
}

static void write_marks(const struct option_index *options, const char *choices, FILE *to)
{
    char marks[POLL_OPTIONS_MAX];

    read_marks(options, choices, marks);
    for (size_t i = 0; i < options->poll->n_options; i++) {
        if (i > 0)
            fputc(',', to);
        if (marks[i] != 0)
            fputc(marks[i], to);
        else if (options->poll->method == METHOD_APPROVAL)
            fputc('0', to);
    }
}

void ballot_row_write(const struct option_index *options, const char *choices, FILE *to)
{
    switch (options->poll->method) {
    case METHOD_PLURALITY:
        write_choice(options, choices, to);
        break;
    case METHOD_RANKED:
        write_ranks(options, choices, to);
        break;
    case METHOD_APPROVAL:
    case METHOD_SCORE:
        write_marks(options, choices, to);
    }
    fputs(CSV_END, to);
}
