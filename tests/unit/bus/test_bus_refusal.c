/* Tests of bus_api: which status a refusal of JetStream is. The answers are those of nats-server 2.12.
 * SPDX-License-Identifier: MIT */
#include "bus_internal.h"

#include "unit.h"

static void a_refusal_is_known_by_its_number(void **state)
{
    static const struct {
        const char *answer;
        enum status status;
    } rows[] = {
        {"{\"stream\":\"BALLOTS\",\"seq\":12}", ST_OK},
        {"{\"error\":{\"code\":503,\"err_code\":10077,\"description\":\"maximum bytes exceeded\"},\"seq\":0}",
         ST_BUS_FULL},
        {"{\"error\":{\"code\":503,\"err_code\":10077,\"description\":\"no space left on device\"}}", ST_BUS_FULL},
        {"{\"error\":{\"code\":503,\"err_code\":10023,\"description\":\"insufficient resources\"}}", ST_BUS_FULL},
        {"{\"error\":{\"code\":400,\"err_code\":10002,\"description\":\"resource limits exceeded for account\"}}",
         ST_BUS_FULL},
        {"{\"error\":{\"code\":404,\"err_code\":10059,\"description\":\"stream not found\"}}", ST_NOT_FOUND},
        {"{\"error\":{\"code\":400,\"err_code\":10071,\"description\":\"wrong last sequence: 7\"}}", ST_CONFLICT},
        {"{\"error\":{\"code\":400,\"err_code\":10164,\"description\":\"wrong last sequence\"}}", ST_CONFLICT},
        {"{\"error\":{\"code\":400,\"err_code\":10148,\"description\":\"consumer already exists\"}}", ST_CONFLICT},
        /* The text does not decide. */
        {"{\"error\":{\"code\":400,\"err_code\":10054,\"description\":\"message size exceeded the maximum\"}}",
         ST_BUS_REFUSED},
        {"{\"error\":{}}", ST_BUS_REFUSED},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct errmsg err = {""};
        json_t *answer = json_loads(rows[i].answer, 0, NULL);
        assert_non_null(answer);
        CHECK_ROW(bus_read_refusal(answer, "publish", &err) == rows[i].status, "%s: %s", rows[i].answer, err.text);
        json_decref(answer);
    }
}

static void the_detail_has_the_text_of_the_broker(void **state)
{
    struct errmsg err;
    json_t *answer = json_loads("{\"error\":{\"err_code\":10077,\"description\":\"maximum bytes exceeded\"}}", 0, NULL);

    assert_int_equal(bus_read_refusal(answer, "publish", &err), ST_BUS_FULL);
    assert_string_equal(err.text, "publish: maximum bytes exceeded");
    json_decref(answer);
}

static void an_error_of_the_library_comes_before_the_number(void **state)
{
    assert_int_equal(bus_error(NATS_OK, 0, "test", NULL), ST_OK);
    assert_int_equal(bus_error(NATS_TIMEOUT, JSStreamStoreFailedErr, "test", NULL), ST_BUS_TIMEOUT);
    assert_int_equal(bus_error(NATS_CONNECTION_DISCONNECTED, 0, "test", NULL), ST_BUS_DOWN);
    assert_int_equal(bus_error(NATS_ERR, JSStreamStoreFailedErr, "test", NULL), ST_BUS_FULL);
    assert_int_equal(bus_error(NATS_ERR, 0, "test", NULL), ST_BUS_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_is_known_by_its_number),
        cmocka_unit_test(the_detail_has_the_text_of_the_broker),
        cmocka_unit_test(an_error_of_the_library_comes_before_the_number),
    };
    return cmocka_run_group_tests_name("bus_refusal", tests, NULL, NULL);
}
