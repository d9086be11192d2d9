/* SPDX-License-Identifier: BSD-2-Clause */
/* netcapctl drops -w and --packets: the packets that the service kept of those dropped. */
#ifndef DROPSAMPLES_H
#define DROPSAMPLES_H

#include <json-c/json.h>

/*
 * Asks the service at socket_path (NULL: the default) for samples, and writes them to write_path (NULL: prints them).
 * parameters of the call, without samples, are taken over. An exit code; sentences are printed.
 */
int dropsamples_run(const char *socket_path, struct json_object *parameters, const char *write_path);

#endif
