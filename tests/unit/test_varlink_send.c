/* SPDX-License-Identifier: BSD-2-Clause */
/* Sending: the queue, passed descriptors, slow and dead readers, and the messages' outer form. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "varlink_fixture.h"

static void test_queue_and_send(void **state)
{
	struct fixture *f = *state;
	struct json_object *reply = varlink_reply(NULL, false);
	char got[64];

	assert_int_equal(varlink_send(&f->c, -1), 0);
	assert_int_equal(varlink_send(&f->c, 0), -EINVAL);
	assert_int_equal(varlink_queue(&f->c, reply), 0);
	assert_int_equal(varlink_queue(&f->c, reply), 0);
	assert_int_equal(varlink_send(&f->c, -1), 0);
	assert_int_equal(read(f->peer, got, sizeof(got)), 36);
	assert_memory_equal(got, "{\"parameters\":{}}\0{\"parameters\":{}}", 36);
	json_object_put(reply);
}

static void test_queue_is_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	struct json_object *small = varlink_reply(NULL, false), *large;
	char text[OUT_LIMIT];

	memset(text, 'x', sizeof(text));
	large = json_object_new_string_len(text, sizeof(text) - 10);
	assert_int_equal(varlink_queue(&f->c, small), 0);
	assert_int_equal(varlink_queue(&f->c, large), -ENOBUFS);
	assert_int_equal(buf_len(&f->c.out), 18);
	json_object_put(small);
	json_object_put(large);
}

static void test_pass_a_descriptor(void **state)
{
	struct fixture *f = *state;
	struct json_object *call = varlink_call("Start", NULL, true);
	struct varlink_channel peer;
	int ends[2], fd;
	char byte;

	varlink_channel_init(&peer, f->peer, OUT_LIMIT);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(varlink_queue(&f->c, call), 0);
	assert_int_equal(varlink_send(&f->c, ends[1]), 0);
	close(ends[1]);
	assert_true(varlink_receive(&peer) > 0);
	fd = varlink_take_fd(&peer);
	assert_int_equal(write(fd, "!", 1), 1);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(fd);
	close(ends[0]);
	varlink_channel_clear(&peer);
	json_object_put(call);
}

/* A full socket: bytes stay, nothing blocks; the descriptor has not gone while nothing has. */
static void test_slow_reader(void **state)
{
	struct fixture *f = *state;
	struct json_object *reply = varlink_reply(NULL, true);
	char junk[65536] = {0};
	size_t sent = 0;
	ssize_t n;
	int left;

	while ((n = send(f->c.fd, junk, sizeof(junk), MSG_DONTWAIT)) > 0)
		sent += n;
	assert_int_equal(varlink_queue(&f->c, reply), 0);
	left = buf_len(&f->c.out);
	assert_int_equal(varlink_send(&f->c, f->peer), left);
	while (sent && (n = read(f->peer, junk, sizeof(junk))) > 0)
		sent -= n;
	assert_int_equal(varlink_send(&f->c, -1), 0);
	assert_int_equal(read(f->peer, junk, sizeof(junk)), left);
	assert_string_equal(junk, "{\"parameters\":{},\"continues\":true}");
	json_object_put(reply);
}

static void test_reader_gone(void **state)
{
	struct fixture *f = *state;
	struct json_object *reply = varlink_reply(NULL, false);

	close(f->peer);
	f->peer = -1;
	assert_int_equal(varlink_queue(&f->c, reply), 0);
	assert_int_equal(varlink_send(&f->c, -1), -EPIPE); /* and no SIGPIPE */
	json_object_put(reply);
}

static void check_text(struct json_object *message, const char *shown)
{
	assert_string_equal(json_object_to_json_string_ext(message, JSON_C_TO_STRING_PLAIN), shown);
	json_object_put(message);
}

static void test_envelopes(void **state)
{
	struct json_object *p = json_object_new_object();

	json_object_object_add(p, "id", json_object_new_int(3));
	check_text(varlink_reply(json_object_get(p), false), "{\"parameters\":{\"id\":3}}");
	check_text(varlink_reply(json_object_get(p), true),
		   "{\"parameters\":{\"id\":3},\"continues\":true}");
	check_text(varlink_error("InvalidSpec", json_object_get(p)),
		   "{\"error\":\"io.netcap.Capture.InvalidSpec\",\"parameters\":{\"id\":3}}");
	check_text(varlink_error("org.varlink.service.MethodNotFound", NULL),
		   "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{}}");
	check_text(varlink_call("Stop", json_object_get(p), false),
		   "{\"method\":\"io.netcap.Capture.Stop\",\"parameters\":{\"id\":3}}");
	check_text(
		varlink_call("Start", p, true),
		"{\"method\":\"io.netcap.Capture.Start\",\"parameters\":{\"id\":3},\"more\":true}");
	check_text(varlink_call("org.varlink.service.GetInfo", NULL, false),
		   "{\"method\":\"org.varlink.service.GetInfo\",\"parameters\":{}}");
	varlink_channel_clear(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_queue_and_send),    test(test_queue_is_all_or_nothing),
		test(test_pass_a_descriptor), test(test_slow_reader),
		test(test_reader_gone),       cmocka_unit_test(test_envelopes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
