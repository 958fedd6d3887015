/* option_index - a map of the poll's options.
 * SPDX-License-Identifier: MIT */
#include "tally/option_index.h"

void option_index_init(struct option_index *index, const struct poll *poll)
{
    *index = (struct option_index){.poll = poll};
    for (size_t i = 0; i < poll->n_options; i++)
        map_put_text(&index->by_id, poll->options[i].id, &poll->options[i]);
}

void option_index_fini(struct option_index *index)
{
    map_fini(&index->by_id);
}

int option_index_find(const struct option_index *index, const char *id, size_t len)
{
    const struct poll_option *option = map_get(&index->by_id, id, len);

    return option == NULL ? -1 : (int)(option - index->poll->options);
}
